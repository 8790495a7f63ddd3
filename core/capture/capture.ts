import type { Digest } from '../chunk-store/chunk-store';
import { digestOf } from '../chunk-store/digest';
import type { Content } from '../chunk-store/pack-builder';
import { firstBootOperations } from '../deferred/first-boot-operations';
import { withoutSecrets } from '../generated/secrets';
import { setAsideOwnEntries } from '../generated/set-aside';
import type { Image } from '../image/image';
import { contentsOf } from '../manifest/check-operations';
import { MANIFEST_VERSION, type Manifest, type Operation } from '../manifest/manifest-schema';
import { followRecordedLinks } from '../recording/followed-links';
import type { RecordingSummary } from '../recording/summarize-recording';
import type { RecordCodec } from '../records/record-codec';
import { codecFor as registeredCodecFor } from '../records/registry';
import type { Update } from '../update/update';
import { ownValues } from '../variation/neutral';
import { CaptureError } from './capture-errors';
import { CaptureReads } from './capture-reads';
import { changedPaths, scanImage } from './changed-paths';
import { joinCompanions } from './companion-files';
import { compareDataPoints } from './compare-data-points';
import { dataPoint } from './data-point';
import { Decisions } from './decisions';
import { dueCandidates } from './due-candidates';
import type { EarlierAnswer, EarlierMachine } from './earlier-machines';
import { compareInitramfsByContent } from './initramfs-changes';
import { LeftOut } from './left-out';
import { modificationTimes } from './modification-times';
import { markOverwritten } from './overwritten-files';
import { type Changes, readChanges } from './read-changes';
import { planOperations } from './plan-operations';
import { RecordedChanges } from './recorded-changes';
import { VOLATILE_PATHS, type VolatileRule } from './volatile-paths';

/** Another machine of the class, before and after the same update was run on it. */
export interface CaptureWitness {
  readonly before: Image;
  readonly after: Image;
  /** What was recorded on it. */
  readonly summary?: RecordingSummary;
}

export interface CaptureRequest {
  /** The representative before and after the update was run on it. */
  readonly before: Image;
  readonly after: Image;
  readonly update: Update;
  readonly run: string;
  readonly classId: string;
  readonly representative: Manifest['representative'];
  readonly capturedAt: Date;
  readonly witness?: CaptureWitness;
  /** Machines of other classes on which the update was run before; asked where there is no witness, or it tells nothing. */
  readonly earlier?: readonly EarlierMachine[];
  /** `name:architecture` of every package that a member of the class has: keeps the manifest small. */
  readonly memberPackages?: ReadonlySet<string>;
  /** Of the representative: changes that were none of the update's are left out. */
  readonly recording?: RecordingSummary;
  readonly volatilePaths?: readonly VolatileRule[];
  /** The registry of core/records, unless a test has its own. */
  readonly codecFor?: (path: string) => RecordCodec | undefined;
}

export interface Capture {
  /** Without `packs`: store the contents (storeContents) and add the index that gives. */
  readonly manifest: Manifest;
  /** Whether the witness told anything, and why it did not. */
  readonly witness?: { readonly used: boolean; readonly note?: string };
  /** What machines of other classes told, where these were asked. */
  readonly earlier?: EarlierAnswer;
  /** Every content that the operations put, each once, in their order; read from the after-image when asked for. */
  contents(): AsyncIterable<Content>;
}

const LISTED_WARNINGS = 1000;
/** One is enough; a person wants to know how many there are. */
const LISTED_REASONS = 100;

/** A content is held in memory when it is packed and when it is put. */
const LARGEST_CONTENT_BYTES = 1024 ** 3;

/**
 * Turns what an update did to its representative into a manifest: inode tables and directories of both sides are
 * compared, then the contents of what changed only.
 *
 * @throws CaptureError when the images are not those of one machine, or a file that changed is larger than 1 GiB
 */
export async function capture(request: CaptureRequest): Promise<Capture> {
  const { before, after, update, codecFor = registeredCodecFor } = request;
  const recording = await followed(request.recording, before, after);
  const witness = request.witness && (await withFollowed(request.witness));
  const earlier = request.earlier && (await Promise.all(request.earlier.map(withFollowed)));
  if (before.os.id !== after.os.id || before.os.architecture !== after.os.architecture) {
    throw new CaptureError('the images before and after the update have different operating systems', {
      before: `${before.os.id} ${before.os.architecture}`,
      after: `${after.os.id} ${after.os.architecture}`,
    });
  }
  const scanBefore = await scanImage(before);
  const scanAfter = await scanImage(after);
  const leftOut = new LeftOut(request.volatilePaths ?? VOLATILE_PATHS);
  const allChanged = changedPaths(scanBefore, scanAfter);
  const own = await setAsideOwnEntries(allChanged, before, after);
  const changed = own.others.filter((one) => !leftOut.takes(one));
  const recorded = recording && new RecordedChanges(recording, after, changed);
  const candidates = leftOut.without(changed, recorded?.othersChanges(changed));
  const units = joinCompanions(candidates, { before: scanBefore, after: scanAfter }, codecFor);
  const representative = await dataPoint(
    before,
    after,
    recording?.lost === false ? (path) => recording.paths.get(path) : undefined,
  );
  const changes = await readChanges(
    before,
    after,
    units,
    codecFor,
    (path, bytes) => ownValues(path, bytes, representative.was.points).length > 0,
  );
  const whole = planOperations(changes.entries, changes.inodes, changes.records);
  const { operations: carried, onlyOnline: secrets } = await withoutSecrets(whole, after, changes.kept);
  const initramfs = await compareInitramfsByContent(carried, before);
  const planned = await markOverwritten(initramfs.operations, before, after, recording);
  checkSizes(planned);
  const decisions = new Decisions();
  for (const { path, decision, reason } of own.decisions) decisions.add(path, decision, reason);
  const firstBoot = await firstBootOperations(own.steps, after, nanosecondsOf(request.capturedAt));
  const due =
    update.kind === 'packages' ? await dueCandidates(after, update, request.memberPackages) : undefined;
  const timesOf = (operations: readonly Operation[]): Manifest['times'] =>
    modificationTimes(operations, units, { before: scanBefore, after: scanAfter });
  const reads = new CaptureReads({ update, before, after, scanBefore, recording, codecFor }, planned);
  const plannedReads = await reads.of(planned, timesOf(planned));
  const manifestOf = (operations: readonly Operation[]): Manifest => ({
    version: MANIFEST_VERSION,
    run: request.run,
    classId: request.classId,
    update: { name: update.name, kind: update.kind },
    capturedAt: request.capturedAt.toISOString(),
    representative: request.representative,
    os: { id: after.os.id, versionId: before.os.versionId, architecture: after.os.architecture },
    operations: [...operations],
    times: timesOf(operations),
    packs: [],
    leftOut: leftOut.listed(),
    warnings: [],
    ...plannedReads,
    ...(due?.due === undefined ? {} : { due: due.due }),
  });
  const compared = await compareDataPoints({
    operations: planned,
    changes,
    representative,
    ...(witness && { witness }),
    ...(earlier && { earlier }),
    ...(recording && { recording }),
    changedPaths: new Set(allChanged.map(({ path }) => path)),
    rules: request.volatilePaths ?? VOLATILE_PATHS,
    codecFor,
    capturedAt: request.capturedAt,
    decisions,
    manifestOf,
  });
  const { operations, accounts } = compared;
  const unseen = recorded?.explain(operations, decisions) ?? [];
  const onlyOnline = [...own.onlyOnline, ...secrets, ...firstBoot.problems, ...compared.onlyOnline];
  const all = [...operations, ...firstBoot.operations];
  const manifest: Manifest = {
    ...manifestOf(operations),
    ...(await reads.of(operations, timesOf(operations))),
    operations: all,
    warnings: [
      ...leftOut.warnings,
      ...own.warnings,
      ...initramfs.warnings,
      ...unseen,
      ...compared.warnings,
      ...(due?.warnings ?? []),
    ].slice(0, LISTED_WARNINGS),
    ...(recorded && { recording: recorded.facts() }),
    ...(accounts.length > 0 && { accounts }),
    ...(own.steps.length > 0 && { deferred: [...own.steps] }),
    ...(onlyOnline.length > 0 && { onlyOnline: onlyOnline.slice(0, LISTED_REASONS) }),
    decisions: decisions.listed(),
  };
  const recordContents = new Map([...changes.recordContents, ...firstBoot.contents]);
  return {
    manifest,
    ...(compared.witness && { witness: compared.witness }),
    ...(compared.earlier && { earlier: compared.earlier }),
    contents: () => contentsInOrder(manifest.operations, after, { ...changes, recordContents }),
  };
}

/** Some ways of recording tell paths as programs gave them. */
async function followed(
  summary: RecordingSummary | undefined,
  before: Image,
  after: Image,
): Promise<RecordingSummary | undefined> {
  return summary && followRecordedLinks(summary, before, after);
}

async function withFollowed<T extends CaptureWitness>(machine: T): Promise<T> {
  const summary = await followed(machine.summary, machine.before, machine.after);
  return { ...machine, ...(summary && { summary }) };
}

function nanosecondsOf(date: Date): bigint {
  return BigInt(date.getTime()) * 1_000_000n;
}

function checkSizes(operations: readonly Operation[]): void {
  for (const operation of operations) {
    if (operation.kind !== 'put-file' || operation.sizeBytes <= LARGEST_CONTENT_BYTES) continue;
    const { path, sizeBytes } = operation;
    throw new CaptureError(`${path} changed and has ${sizeBytes} bytes, more than can be carried`, {
      path,
      sizeBytes,
    });
  }
}

async function* contentsInOrder(
  operations: readonly Operation[],
  after: Image,
  { recordContents, kept }: Changes,
): AsyncIterable<Content> {
  const given = new Set<Digest>();
  for (const operation of operations) {
    for (const digest of contentsOf(operation)) {
      if (given.has(digest)) continue;
      given.add(digest);
      const known = recordContents.get(digest) ?? kept.get(digest);
      const bytes = known ?? (await after.readFile(operation.path));
      if (known === undefined && digestOf(bytes) !== digest) {
        throw new CaptureError(`${operation.path} was read twice with different content`, {
          path: operation.path,
        });
      }
      yield { digest, bytes };
    }
  }
}
