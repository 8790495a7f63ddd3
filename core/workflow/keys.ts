/** Where everything lies in the bucket (docs/architecture.md, "The bucket"). No other file spells a key. */

export type SnapshotPurpose = 'base' | 'before' | 'after';

export const RUNS_PREFIX = 'runs/';
export const PACKS_PREFIX = 'packs/';
export const LEASES_PREFIX = 'leases/';
export const HOUSEKEEPING_PREFIX = 'housekeeping/';
export const MEMORY_PREFIX = 'memory/';

export const runPrefix = (run: string): string => `${RUNS_PREFIX}${run}/`;
export const planKey = (run: string): string => `${runPrefix(run)}plan.json`;
export const targetsKey = (run: string): string => `${runPrefix(run)}targets.jsonl`;
export const reportKey = (run: string): string => `${runPrefix(run)}report.json`;
export const reportHtmlKey = (run: string): string => `${runPrefix(run)}report.html`;
export const runFailureKey = (run: string): string => `${runPrefix(run)}failure.json`;
export const rollBackItemsKey = (run: string): string => `${runPrefix(run)}roll-back.jsonl`;

const roundPrefix = (run: string, round: number): string => `${runPrefix(run)}rounds/${round}/`;
export const roundKey = (run: string, round: number): string => `${roundPrefix(run, round)}classes.json`;
export const classesKey = (run: string, round: number): string => `${roundPrefix(run, round)}classes.jsonl`;
export const membersKey = (run: string, round: number, classId: string): string =>
  `${roundPrefix(run, round)}members-${classId}.jsonl`;

export const classesPrefix = (run: string): string => `${runPrefix(run)}classes/`;
const classPrefix = (run: string, classId: string): string => `${classesPrefix(run)}${classId}/`;
/** The class's line of classes.jsonl, found by its id alone. */
export const classKey = (run: string, classId: string): string => `${classPrefix(run, classId)}class.json`;
export const manifestKey = (run: string, classId: string): string =>
  `${classPrefix(run, classId)}manifest.json`;
/** Of a witness that turned out to be of another class. */
export const witnessManifestKey = (run: string, classId: string): string =>
  `${classPrefix(run, classId)}witness-manifest.json`;
export const captureKey = (run: string, classId: string): string =>
  `${classPrefix(run, classId)}capture.json`;
/** @param instanceId the machine on which the update was run: the representative, the witness, or a clone */
export const classUpdateKey = (run: string, classId: string, instanceId: string): string =>
  `${classPrefix(run, classId)}update-${instanceId}.json`;
/** What a machine put there itself: the log of what the update read and wrote on it. */
export const recordingKey = (run: string, classId: string, instanceId: string): string =>
  `${updateOutputPrefix(run, classId)}/recording-${instanceId}.jsonl.gz`;
/** Run Command writes the whole output of the update under this prefix, in a folder for each command and machine. */
export const updateOutputPrefix = (run: string, classId: string): string =>
  `${classPrefix(run, classId)}output`;
/** What a check found on the representative of the class. */
export const complianceKey = (run: string, classId: string): string =>
  `${classPrefix(run, classId)}compliance.json`;
/** The same of the run in which a manifest was captured, beside that manifest. */
export const complianceKeyBeside = (key: string): string => key.replace(/[^/]*$/, 'compliance.json');
/** @param instanceId the member whose copy the clone is */
export const cloneKey = (run: string, classId: string, instanceId: string): string =>
  `${classPrefix(run, classId)}clone-${instanceId}.json`;
export const matchedKey = (run: string, classId: string): string =>
  `${classPrefix(run, classId)}matched.jsonl`;
export const restKey = (run: string, classId: string): string => `${classPrefix(run, classId)}rest.jsonl`;
export const classFailureKey = (run: string, classId: string): string =>
  `${classPrefix(run, classId)}failure.json`;
/** One marker for each member that failed. */
export const classFailuresPrefix = (run: string, classId: string): string =>
  `${classPrefix(run, classId)}failed-members/`;

export const machinesPrefix = (run: string): string => `${runPrefix(run)}machines/`;
export const machinePrefix = (run: string, instanceId: string): string =>
  `${machinesPrefix(run)}${instanceId}/`;
const machineKey = (name: string) => (run: string, instanceId: string) =>
  `${machinePrefix(run, instanceId)}${name}.json`;
export const targetKey = machineKey('target');
export const profileKey = machineKey('profile');
export const applyKey = machineKey('apply');
export const volumeKey = machineKey('volume');
export const swapKey = machineKey('swap');
export const verifyKey = machineKey('verify');
export const outcomeKey = machineKey('outcome');
export const machineComplianceKey = machineKey('compliance');
export const failureKey = machineKey('failure');
export const snapshotsKey = (run: string, instanceId: string, purpose: SnapshotPurpose): string =>
  `${machinePrefix(run, instanceId)}snapshots-${purpose}.json`;
export const matchKey = (run: string, instanceId: string, classId: string): string =>
  `${machinePrefix(run, instanceId)}match-${classId}.json`;
/** Which blocks of a pending snapshot were put, so that a new invocation puts only the others. */
export const applyProgressKey = (run: string, instanceId: string, volumeId: string): string =>
  `${machinePrefix(run, instanceId)}apply-progress-${volumeId}.json`;

/** @param digest `sha256:` and hexadecimal digits, of the pack's own bytes */
export const packKey = (digest: string): string => `${PACKS_PREFIX}${digest.replace(/^sha256:/, '')}`;
/** @param updateDigest hexadecimal digits of what the update does */
export const memoryPrefix = (updateDigest: string): string => `${MEMORY_PREFIX}${updateDigest}/`;
/** By time, so that the newest is found by its name. */
export const memoryKey = (
  updateDigest: string,
  {
    capturedAt,
    run,
    classId,
  }: { readonly capturedAt: string; readonly run: string; readonly classId: string },
): string => `${memoryPrefix(updateDigest)}${capturedAt}-${run}-${classId}.json`;
export const leaseKey = (instanceId: string): string => `${LEASES_PREFIX}${instanceId}.json`;

/** By day, so that the newest is found by its name; by execution, so that each tells its own. */
const housekeepingKey =
  (name: string) =>
  ({ name: execution, startTime }: { readonly name: string; readonly startTime: string }): string =>
    `${HOUSEKEEPING_PREFIX}${startTime.slice(0, 10)}/${name}-${execution}.json`;
export const pruneKey = housekeepingKey('prune');
export const sweepKey = housekeepingKey('sweep');

/** Tags on everything a run makes, in the very call that makes it. */
export const TAGS = {
  run: 'imageelves:run',
  instance: 'imageelves:instance',
  purpose: 'imageelves:purpose',
  volume: 'imageelves:volume',
  classId: 'imageelves:class',
  replacedBy: 'imageelves:replaced-by',
  retainUntil: 'imageelves:retain-until',
} as const;
