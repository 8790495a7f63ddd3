/** Facts that an error carries so that a person or a program can act on it without parsing its message. */
export type Facts = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/**
 * Base of every error this project throws on purpose.
 *
 * `name` is a literal in each subclass, so that it survives minification: it is the error name that Step Functions
 * matches in `Catch`. The message says the cause; `nextStep` says what the reader can do about it.
 */
export abstract class ImageElvesError extends Error {
  abstract override readonly name: string;

  constructor(
    message: string,
    readonly facts: Facts = {},
    readonly nextStep?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  toJSON(): { name: string; message: string; nextStep?: string; facts: Facts } {
    return { name: this.name, message: this.message, nextStep: this.nextStep, facts: this.facts };
  }
}
