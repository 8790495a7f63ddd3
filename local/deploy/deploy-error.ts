/** The CDK output cannot be deployed here; the message says what and where. */
export class DeployError extends Error {
  override readonly name = 'DeployError';
}
