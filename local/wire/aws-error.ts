/**
 * An error answer of an emulated AWS service: `name` is the AWS error code.
 *
 * `body` replaces the members of a JSON error body (EBS sends `{Message, Reason}` for what its model knows and `{message}`
 * for what the framework refuses); without it the protocol's usual form is sent.
 */
export class AwsError extends Error {
  constructor(
    code: string,
    message: string,
    readonly status = 400,
    readonly body?: object,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
    this.name = code;
  }
}

/** Thrown in place of an answer: the connection is closed and the caller never learns what happened. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}
