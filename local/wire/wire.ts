/** One HTTP request as the services see it: header and query names in lower case as sent, the path still percent-encoded. */
export interface WireRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  body: Buffer;
}

export interface WireResponse {
  status: number;
  headers: Record<string, string>;
  body: Buffer | string;
}

export interface HandlerContext {
  /** Request headers, names in lower case. */
  headers: Record<string, string>;
}

/**
 * One operation. Takes the input as the SDK's command takes it, answers with the output as the SDK's command returns it
 * (or throws an `AwsError`). `$status` in the answer overrides the operation's modelled HTTP status.
 */
export type Handler = (input: never, context: HandlerContext) => unknown;

export type WireService = (request: WireRequest) => Promise<WireResponse>;

/** What surrounds every call of a service: log it, refuse it, or break it. `next` runs the operation. */
export type AroundCall = (
  call: { operation: string; input: Readonly<Record<string, unknown>> },
  next: () => Promise<unknown>,
) => Promise<unknown>;
