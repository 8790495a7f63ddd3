import { ImageElvesError } from '../../core/errors';

/** Somebody started the machine while it was being patched: theirs is the right of way. */
export class InstanceStartedError extends ImageElvesError {
  override readonly name = 'InstanceStartedError';

  constructor(instanceId: string, state: string, facts: Readonly<Record<string, string>> = {}) {
    super(
      `${instanceId} was started while it was being patched (it is ${state}).`,
      { instanceId, state, ...facts },
      'It keeps the volume it had. Stop it and start a new run to patch it.',
    );
  }
}

/** The machine does not have the volume that was snapshotted. */
export class VolumeChangedError extends ImageElvesError {
  override readonly name = 'VolumeChangedError';

  constructor(instanceId: string, deviceName: string, expected: string, found: string | undefined) {
    super(
      `${instanceId} has ${found ?? 'no volume'} at ${deviceName}; the snapshot was made of ${expected}.`,
      { instanceId, deviceName, expected, found },
      'Start a new run to patch what is attached now.',
    );
  }
}

export class VolumeFailedError extends ImageElvesError {
  override readonly name = 'VolumeFailedError';

  constructor(volumeId: string, problem: string) {
    super(
      `Volume ${volumeId} ${problem}.`,
      { volumeId, problem },
      'Check the quota of volumes and the rights on the KMS key of the old volume.',
    );
  }
}

/** The exchange of volumes cannot go on in this direction. */
export class SwapBlockedError extends ImageElvesError {
  override readonly name = 'SwapBlockedError';

  constructor(instanceId: string, problem: string, options?: ErrorOptions) {
    super(
      `The volumes of ${instanceId} cannot be exchanged: ${problem}.`,
      { instanceId, problem },
      'swap.json of this machine in the bucket names the old and the new volume.',
      options,
    );
  }
}

/** A patched machine is not what the manifest says it must be. */
export class VerificationFailedError extends ImageElvesError {
  override readonly name = 'VerificationFailedError';

  constructor(instanceId: string, problems: readonly string[]) {
    super(
      `${instanceId} did not pass the check after the swap: ${problems.slice(0, 5).join('; ')}.`,
      { instanceId, problems: problems.slice(0, 50), problemCount: problems.length },
      'Its old volume is put back.',
    );
  }
}

/** The update's own commands failed on the representative; no other machine was touched. */
export class UpdateFailedError extends ImageElvesError {
  override readonly name = 'UpdateFailedError';

  constructor(instanceId: string, status: string, exitCode: number, outputTail: string, outputKey: string) {
    super(
      `The update ended with ${status} (exit code ${exitCode}) on ${instanceId}: ${lastLine(outputTail)}`,
      { instanceId, status, exitCode, outputTail, outputKey },
      `The whole output is under ${outputKey}. No other machine of the class was touched.`,
    );
  }
}

/** So many members of the class have failed that the others are left alone. */
export class TooManyFailuresError extends ImageElvesError {
  override readonly name = 'TooManyFailuresError';

  constructor(instanceId: string, failed: number, percentage: number, memberCount: number) {
    super(
      `${instanceId} is left alone: ${failed} of ${memberCount} members of its class have failed, more than ${percentage} %.`,
      { instanceId, failed, percentage, memberCount },
      'Look at the failures first, then start a new run.',
    );
  }
}

/** The machine is in a state in which no snapshot can be made of it. */
export class InstanceUnsuitableError extends ImageElvesError {
  override readonly name = 'InstanceUnsuitableError';

  constructor(instanceId: string, problem: string) {
    super(`${instanceId} ${problem}.`, { instanceId, problem });
  }
}

/** No isolated copy of a stopped member could be started. */
export class CloneFailedError extends ImageElvesError {
  override readonly name = 'CloneFailedError';

  constructor(instanceId: string, problem: string, nextStep: string) {
    super(`No clone of ${instanceId} can run: ${problem}.`, { instanceId, problem }, nextStep);
  }
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) || 'it printed nothing.';
}
