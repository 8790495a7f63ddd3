import { AwsError } from '../../wire';

/** The definition is no state machine, or uses a feature that this interpreter does not run; every mistake is told. */
export class DefinitionError extends AwsError {
  constructor(readonly mistakes: readonly string[]) {
    super(
      'InvalidDefinition',
      `Invalid State Machine Definition: '${mistakes.map((mistake) => `SCHEMA_VALIDATION_FAILED: ${mistake}`).join(', ')}'`,
    );
  }
}
