import { ACTION_BITS, type RecordingMethod, type RecordingPart } from './recording';

/** What became known of one path over all parts. */
export interface PathSummary {
  /** By the update or whom it may have been; what others read is of no interest. */
  readonly read: boolean;
  readonly executed: boolean;
  /** Content, attributes or existence, by anybody. */
  readonly written: boolean;
  readonly removed: boolean;
  readonly isDirectory: boolean;
  readonly renamedFrom?: string;
  /** Whether the update changed or read it; `maybe` when who did it was gone too soon. */
  readonly byUpdate: 'yes' | 'maybe' | 'no';
  /** Whether the update changed it: what it only read may be somebody else's change. */
  readonly changedByUpdate: 'yes' | 'maybe' | 'no';
  /** Whether somebody else changed it meanwhile. */
  readonly byOthers: boolean;
  /** Whether it was renamed, from or to this path, by anybody: what lies below a directory moved with it. */
  readonly moved: boolean;
}

export interface RecordingSummary {
  readonly method: RecordingMethod;
  readonly paths: ReadonlyMap<string, PathSummary>;
  /** Whether something may be missing: then the difference of the snapshots decides alone. */
  readonly lost: boolean;
  /** Why it is lost and what else to know, for the report. */
  readonly warnings: readonly string[];
  /** When the first part began and the last one ended, by the machine's clock. */
  readonly span?: { readonly began: Date; readonly ended: Date };
}

/** What there is to say of a recording that is not there or cannot be read. */
export function lostRecording(why: string): RecordingSummary {
  return { method: 'none', paths: new Map(), lost: true, warnings: [why] };
}

const { opened, read, executed, written, created, removed, movedAway, movedHere, attributes, isDirectory } =
  ACTION_BITS;
const CHANGED = written | created | removed | movedAway | movedHere | attributes;
/** Exit code by which a script asks Run Command for a reboot; what is run again after it is the next part. */
const REBOOT = 194;

interface Merged {
  own: number;
  unsure: number;
  other: number;
  renamedFrom?: string;
}

/** Merges the parts that reboots made of one recording. */
export function summarizeRecording(parts: readonly RecordingPart[]): RecordingSummary {
  const merged = new Map<string, Merged>();
  for (const part of parts) {
    for (const { path, own, unsure, other } of part.paths) {
      const known = entryOf(merged, path);
      known.own |= own;
      known.unsure |= unsure;
      known.other |= other;
    }
    for (const { from, to, by } of part.renames) if (by !== 'other') entryOf(merged, to).renamedFrom = from;
  }
  const losses = lossesOf(parts);
  return {
    method: weakestMethod(parts),
    paths: new Map([...merged].map(([path, entry]) => [path, summaryOf(entry)])),
    lost: losses.length > 0,
    warnings: [...losses, ...limitsOf(parts)],
    ...spanOf(parts),
  };
}

function spanOf(parts: readonly RecordingPart[]): Pick<RecordingSummary, 'span'> {
  const [began, ended] = [parts[0]?.started, parts.at(-1)?.end?.ended];
  if (began === undefined || ended === undefined) return {};
  return { span: { began: new Date(began), ended: new Date(ended) } };
}

function entryOf(merged: Map<string, Merged>, path: string): Merged {
  let entry = merged.get(path);
  if (entry === undefined) merged.set(path, (entry = { own: 0, unsure: 0, other: 0 }));
  return entry;
}

function summaryOf({ own, unsure, other, renamedFrom }: Merged): PathSummary {
  const mine = own | unsure;
  const anyone = mine | other;
  return {
    // What was opened and neither written to nor closed yet was opened to be read: a mapped library, a daemon's file.
    read: isRead(own) || isRead(unsure),
    executed: (mine & executed) !== 0,
    written: (anyone & CHANGED & ~removed & ~movedAway) !== 0,
    removed: (anyone & (removed | movedAway)) !== 0,
    isDirectory: (anyone & isDirectory) !== 0,
    ...(renamedFrom !== undefined && { renamedFrom }),
    byUpdate: (own & ~isDirectory) !== 0 ? 'yes' : (unsure & ~isDirectory) !== 0 ? 'maybe' : 'no',
    changedByUpdate: changedByUpdate(own, unsure, other),
    byOthers: isChanged(other),
    moved: (anyone & (movedAway | movedHere)) !== 0,
  };
}

/** What others are seen to change all the time is theirs, also when one of them was gone too soon to be asked. */
function changedByUpdate(own: number, unsure: number, other: number): PathSummary['changedByUpdate'] {
  if (isChanged(own)) return 'yes';
  if (mayBeMapped(own)) return 'maybe';
  return isChanged(unsure) && !isChanged(other) ? 'maybe' : 'no';
}

const isChanged = (bits: number): boolean => (bits & CHANGED) !== 0;

/** Opened, and neither read nor written by a call, nor closed: what is written through mmap(2) has no event before the close. */
const mayBeMapped = (bits: number): boolean => (bits & ~isDirectory) === opened;

const isRead = (bits: number): boolean =>
  (bits & (read | executed)) !== 0 || ((bits & opened) !== 0 && (bits & written) === 0);

/** A part that was cut off, that the kernel lost events of, that broke, or that is not there at all. */
function lossesOf(parts: readonly RecordingPart[]): string[] {
  const losses: string[] = [];
  if (parts.length === 0) return ['Nothing was recorded.'];
  parts.forEach((part, index) => {
    const called = `Part ${part.part} of the recording`;
    if (part.part !== index + 1) losses.push(`${called} is where part ${index + 1} should be.`);
    if (part.missing.length > 0) losses.push(`${called} lacks ${part.missing.join(', ')}.`);
    if (part.end === undefined) {
      losses.push(`${called} was cut off: the machine went down before the update's script had ended.`);
      return;
    }
    const { overflows, failure, exitCode } = part.end;
    if (overflows > 0)
      losses.push(`${called} lacks events: the kernel's queue overflowed ${overflows} times.`);
    if (failure !== undefined) losses.push(`${called} broke off: ${failure}.`);
    const isLast = index === parts.length - 1;
    if (isLast && exitCode === REBOOT)
      losses.push('What the update did after its last reboot was not recorded.');
    if (part.method === 'none') losses.push(`${called} is empty: nothing on the machine can record.`);
  });
  return losses;
}

function limitsOf(parts: readonly RecordingPart[]): string[] {
  return [
    ...new Set(
      parts.flatMap(({ limits }) => Object.entries(limits).map(([path, words]) => `${path}: ${words}`)),
    ),
  ];
}

function weakestMethod(parts: readonly RecordingPart[]): RecordingMethod {
  const order: readonly RecordingMethod[] = ['none', 'audit', 'strace', 'fanotify'];
  return order.find((method) => parts.some((part) => part.method === method)) ?? 'none';
}
