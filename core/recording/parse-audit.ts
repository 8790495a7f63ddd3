import { type AuditRule, AUDIT_RULES } from './audit-calls';
import { AuditActors } from './audit-actors';
import { AuditFolders } from './audit-folders';
import { AuditEvents, type AuditEvent } from './audit-events';
import type { AuditPath } from './audit-records';
import { ACTION_BITS, type Actor, type RecordedPath, type RecordedRename } from './recording';
import { isRuntimePath, tracedPath } from './traced-path';

const { opened, read, executed, written, created, removed, movedAway, movedHere, attributes, isDirectory } =
  ACTION_BITS;
const CHANGED = written | created | removed | movedAway | movedHere | attributes;

/** open(2), as all architectures of EC2 have them. */
const O_ACCMODE = 0o3;
const O_WRONLY = 0o1;
const O_TRUNC = 0o1000;
const O_TMPFILE = 0o20000000;
const O_PATH = 0o10000000;
const CREAT_FLAGS = O_WRONLY | O_TRUNC;

const RULES = new Map(AUDIT_RULES.map((rule) => [rule.suffix, rule]));

export interface AuditResult {
  readonly paths: RecordedPath[];
  readonly renames: RecordedRename[];
  readonly end: {
    readonly events: number;
    readonly overflows: number;
    readonly unresolved: number;
    readonly failure?: string;
  };
}

/**
 * Reads the records of the kernel's audit as auditd writes them, one line at a time, with what the script of the update
 * adds in lines that begin with `imageelves` (core/update/record-by-audit.ts). Events are of the whole machine, and
 * interleave.
 */
export class AuditReader {
  private readonly events = new AuditEvents();
  private readonly before = new Set<number>();
  private readonly failures = new Set<string>();
  private root: number | undefined;
  private lost = 0;
  private isWhole = false;

  take(line: string): void {
    const [, fact, rest] = /^imageelves (\w+) ?(.{0,1000})$/s.exec(line) ?? [];
    if (fact === undefined || rest === undefined) return this.events.take(line);
    if (fact === 'root') this.root = Number.parseInt(rest, 10);
    else if (fact === 'process') this.before.add(Number.parseInt(rest, 10));
    else if (fact === 'followed') this.isWhole = true;
    else if (fact === 'failure') this.failures.add(rest);
    else if (fact === 'lost') this.lost += lostBetween(rest);
  }

  result(): AuditResult {
    const failures = new Set(this.failures);
    if (!this.isWhole) failures.add('the log of auditd was not read to its end');
    for (const failure of this.events.failures()) failures.add(failure);
    const tally = new Tally(new AuditActors(this.root ?? 0, this.before));
    if (this.root === undefined) failures.add('the process of the update is not known');
    else for (const event of this.events.inOrder()) tally.add(event);
    for (const failure of tally.failures()) failures.add(failure);
    return {
      ...tally.result(),
      end: {
        events: this.events.count,
        overflows: this.lost,
        unresolved: tally.unresolved,
        ...(failures.size > 0 && { failure: [...failures].join('; ').slice(0, 1000) }),
      },
    };
  }
}

/** The kernel's counter before and after. One that was set back meanwhile says as little as none. */
function lostBetween(text: string): number {
  const [before, after] = text.split(' ').map((word) => Number.parseInt(word, 10));
  const lost = Number(after) - Number(before);
  return Number.isSafeInteger(lost) && lost > 0 ? lost : 1;
}

class Tally {
  unresolved = 0;
  private readonly folders = new AuditFolders();
  private readonly paths = new Map<string, { path: string } & Record<Actor, number>>();
  private readonly renames = new Map<string, RecordedRename>();
  private isRootChanged = false;
  private unresolvedOwn = 0;

  constructor(private readonly actors: AuditActors) {}

  add(event: AuditEvent): void {
    const { pid, parent, result } = event.call;
    const actor = this.actors.actor(pid, parent);
    const rule = RULES.get(event.suffix);
    switch (event.suffix) {
      case 'fork':
        this.actors.forked(pid, actor, result);
        return this.folders.forked(pid, result);
      case 'dup':
        return this.folders.duplicated(pid, event.call.arguments[0]!, result);
      case 'root':
        if (actor === 'own') this.isRootChanged = true;
        return;
      case 'exec':
      case 'execat':
        return this.executed(event, rule, actor);
      case 'open':
      case 'openat':
      case 'openat2':
      case 'creat':
        return this.opened(event, rule, actor);
      case 'truncate':
        return this.changed(event, rule, actor, written);
      case 'attributes':
      case 'attributesat':
        return this.changed(event, rule, actor, attributes);
      default:
        return this.named(event, rule, actor);
    }
  }

  result(): { paths: RecordedPath[]; renames: RecordedRename[] } {
    const paths = [...this.paths.values()].map(({ path, own, unsure, other }) => ({
      path,
      own,
      unsure,
      other,
    }));
    return { paths, renames: [...this.renames.values()] };
  }

  failures(): string[] {
    return [
      ...(this.isRootChanged ? ['the update changed its root directory'] : []),
      ...(this.folders.isExhausted ? ['more directories were moved and inherited than can be followed'] : []),
      ...(this.unresolvedOwn > 0
        ? [`of ${this.unresolvedOwn} calls of the update the directory is not known`]
        : []),
    ];
  }

  private executed(event: AuditEvent, rule: AuditRule | undefined, actor: Actor): void {
    for (const item of event.items) {
      if (item.kind === 'PARENT') continue;
      const path = this.path(event, rule, item, actor);
      if (path === undefined) continue;
      this.actors.executed(path, actor);
      this.note(path, opened | executed | read, actor);
    }
  }

  private opened(event: AuditEvent, rule: AuditRule | undefined, actor: Actor): void {
    const item = event.items.findLast(({ kind }) => kind === 'NORMAL' || kind === 'CREATE');
    if (item === undefined) return this.fail(actor);
    const path = this.path(event, rule, item, actor);
    const flags = openFlags(event, rule);
    // A file that has no name yet is not the directory that is named.
    const isUnnamed = (flags & O_TMPFILE) !== 0;
    const { pid, result } = event.call;
    this.folders.opened(pid, result, item.isDirectory && !isUnnamed ? path : undefined);
    if (path === undefined || isUnnamed || (flags & O_PATH) !== 0) return;
    let bits: number = opened | directoryBit(item);
    if ((flags & O_ACCMODE) !== O_WRONLY) bits |= read;
    if ((flags & O_ACCMODE) !== 0 || (flags & O_TRUNC) !== 0) bits |= written;
    if (item.kind === 'CREATE') bits |= created;
    this.note(path, bits, actor);
  }

  private changed(event: AuditEvent, rule: AuditRule | undefined, actor: Actor, bits: number): void {
    for (const item of event.items) {
      if (item.kind === 'PARENT') continue;
      const path = this.path(event, rule, item, actor);
      if (path !== undefined) this.note(path, bits | directoryBit(item), actor);
    }
  }

  /** Names that come and go. A rename has both; what it overwrites goes too, under the name that comes. */
  private named(event: AuditEvent, rule: AuditRule | undefined, actor: Actor): void {
    const gone = event.items.find(({ kind }) => kind === 'DELETE');
    const come = event.items.find(({ kind }) => kind === 'CREATE');
    const from = gone && this.path(event, rule, gone, actor);
    const to = come && this.path(event, rule, come, actor);
    if (gone === undefined || come === undefined) {
      if (from !== undefined) this.note(from, removed | directoryBit(gone!), actor);
      if (to !== undefined) this.note(to, created | directoryBit(come!), actor);
      return;
    }
    if (from !== undefined) this.note(from, movedAway | directoryBit(gone), actor);
    if (to !== undefined) this.note(to, movedHere | directoryBit(come), actor);
    if (from === undefined || to === undefined) return;
    this.folders.learn(come.inode, to);
    if (gone.isDirectory) this.folders.renamed(from, to);
    if (!isRuntimePath(from) && !isRuntimePath(to))
      this.renames.set(`${from}\0${to}\0${actor}`, { from, to, by: actor });
  }

  private path(
    event: AuditEvent,
    rule: AuditRule | undefined,
    item: AuditPath,
    actor: Actor,
  ): string | undefined {
    const path = this.resolved(event, rule, item);
    if (path === undefined) {
      this.fail(actor);
      return undefined;
    }
    this.folders.learn(item.inode, path);
    if (item.kind !== 'NORMAL') this.folders.learn(parentOf(event, item)?.inode, tracedPath(`${path}/..`)!);
    return path;
  }

  private resolved(event: AuditEvent, rule: AuditRule | undefined, item: AuditPath): string | undefined {
    const { name } = item;
    if (name === undefined || name === '') return this.folders.pathOf(item.inode);
    if (name.startsWith('/')) return tracedPath(name);
    const [first, second] = rule?.folders ?? [];
    const isSecond = second !== undefined && item.kind === 'CREATE';
    const index = isSecond ? second : first;
    const descriptor = index === undefined ? undefined : event.call.arguments[index];
    const base =
      this.folders.base(event.call.pid, descriptor, event.folder) ??
      // The name that audit has for a parent is wrong where a descriptor stands for it; its inode is right.
      this.folders.pathOf(parentOf(event, item)?.inode);
    return base?.startsWith('/') ? tracedPath(`${base}/${name}`) : undefined;
  }

  private fail(actor: Actor): void {
    this.unresolved++;
    if (actor === 'own') this.unresolvedOwn++;
  }

  private note(path: string, bits: number, actor: Actor): void {
    // What others read is of no interest.
    if (isRuntimePath(path) || (actor === 'other' && (bits & CHANGED) === 0)) return;
    let entry = this.paths.get(path);
    if (entry === undefined) this.paths.set(path, (entry = { path, own: 0, unsure: 0, other: 0 }));
    entry[actor] |= bits;
  }
}

const directoryBit = (item: AuditPath): number => (item.isDirectory ? isDirectory : 0);

/** Of two, the first is that of the name that goes, and the last that of the name that comes. */
function parentOf({ items }: AuditEvent, { kind }: AuditPath): AuditPath | undefined {
  const isParent = (item: AuditPath): boolean => item.kind === 'PARENT';
  return kind === 'DELETE' ? items.find(isParent) : items.findLast(isParent);
}

function openFlags(event: AuditEvent, rule: AuditRule | undefined): number {
  if (event.suffix === 'creat') return CREAT_FLAGS;
  if (rule?.flags !== undefined) return Number.parseInt(event.call.arguments[rule.flags]!, 16) | 0;
  // Of openat2 a record of its own tells them; without it anything may have been done.
  return event.openFlags ?? 0o2;
}
