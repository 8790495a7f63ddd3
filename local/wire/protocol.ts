import type { AwsError } from './aws-error';
import type { Operation } from './operations';
import type { WireRequest, WireResponse } from './wire';

export interface ParsedCall {
  readonly operation: Operation;
  readonly input: Record<string, unknown>;
}

/** How one AWS protocol puts calls, answers and errors on the wire. */
export interface Protocol {
  /** The call, or undefined when the request names no operation of this service. */
  parse(request: WireRequest): Promise<ParsedCall | undefined>;
  answer(call: ParsedCall, output: Record<string, unknown>, requestId: string): WireResponse;
  error(error: AwsError, request: WireRequest, requestId: string): WireResponse;
}

/** XML character data. */
export const escapeXml = (text: string): string =>
  text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
