import { decodeName } from '../bytes/names';
import { ACTION_BITS, type RecordedPath, type RecordedRename } from './recording';
import { isRuntimePath, tracedPath } from './traced-path';

const { opened, read, executed, written, created, removed, movedAway, movedHere, attributes, isDirectory } =
  ACTION_BITS;

/** Of one recording; a log with more of them is none of ours. */
const MAX_PROCESSES = 1_000_000;

/** What strace(1) prints of calls that failed, and of those it cannot tell. */
const FAILED = /^(-1 |\?)/;
const LINE = /^(\d+) +(.*)$/s;
const RESUMED = /^<\.\.\. \w+ resumed>(.*)$/s;
const UNFINISHED = / ?<unfinished \.\.\.>$/;
const CALL = /^(\w+)\((.*)\) += (.*)$/s;

/** Calls by the position of their path, of the descriptor that it is relative to, and what they do. */
const SINGLE_PATH: Readonly<
  Record<string, readonly [path: number, folder: number | undefined, bits: number]>
> = {
  execve: [0, undefined, opened | executed | read],
  execveat: [1, 0, opened | executed | read],
  unlink: [0, undefined, removed],
  rmdir: [0, undefined, removed | isDirectory],
  mkdir: [0, undefined, created | isDirectory],
  mkdirat: [1, 0, created | isDirectory],
  mknod: [0, undefined, created],
  mknodat: [1, 0, created],
  symlink: [1, undefined, created],
  symlinkat: [2, 1, created],
  link: [1, undefined, created],
  linkat: [3, 2, created],
  truncate: [0, undefined, written],
  chmod: [0, undefined, attributes],
  fchmodat: [1, 0, attributes],
  fchmodat2: [1, 0, attributes],
  chown: [0, undefined, attributes],
  lchown: [0, undefined, attributes],
  fchownat: [1, 0, attributes],
  utimensat: [1, 0, attributes],
  setxattr: [0, undefined, attributes],
  lsetxattr: [0, undefined, attributes],
  removexattr: [0, undefined, attributes],
  lremovexattr: [0, undefined, attributes],
};
const RENAMES: Readonly<
  Record<
    string,
    readonly [from: number, fromFolder: number | undefined, to: number, toFolder: number | undefined]
  >
> = {
  rename: [0, undefined, 1, undefined],
  renameat: [1, 0, 3, 2],
  renameat2: [1, 0, 3, 2],
};
const OPENS = new Set(['open', 'openat', 'openat2', 'creat']);
const FORKS = new Set(['clone', 'clone3', 'fork', 'vfork']);

/** The calls to ask strace for. */
export const TRACED_CALLS: readonly string[] = [
  ...OPENS,
  ...FORKS,
  ...Object.keys(RENAMES),
  ...Object.keys(SINGLE_PATH),
  'unlinkat',
  'chdir',
  'fchdir',
];

/**
 * Reads what `strace -f -y -o` prints, one line at a time. All of it is the update's: strace follows its process tree,
 * and nobody else. What a daemon does that the update has restarted is not seen.
 */
export class StraceReader {
  private readonly paths = new Map<string, number>();
  private readonly renames = new Map<string, RecordedRename>();
  private readonly folders = new Map<string, string>();
  private readonly unfinished = new Map<string, string>();

  constructor(private readonly startFolder: string) {}

  /** Lines that do not read as a call are passed over: signals, exits, and the last line of a trace that was cut off. */
  take(line: string): void {
    const [, pid, rest] = LINE.exec(line) ?? [];
    if (pid === undefined || rest === undefined || this.folders.size + this.unfinished.size > MAX_PROCESSES)
      return;
    if (UNFINISHED.test(rest)) {
      this.unfinished.set(pid, rest.replace(UNFINISHED, ''));
      return;
    }
    const resumed = RESUMED.exec(rest);
    const [, name, text, result] = CALL.exec(resumed ? this.begun(pid) + resumed[1]! : rest) ?? [];
    if (name === undefined || text === undefined || result === undefined || FAILED.test(result)) return;
    this.call(pid, name, splitArguments(text), result);
  }

  result(): { paths: RecordedPath[]; renames: RecordedRename[] } {
    const paths = [...this.paths].map(([path, own]) => ({ path, own, unsure: 0, other: 0 }));
    return { paths, renames: [...this.renames.values()] };
  }

  private begun(pid: string): string {
    const text = this.unfinished.get(pid) ?? '';
    this.unfinished.delete(pid);
    return text;
  }

  private call(pid: string, name: string, parts: readonly string[], result: string): void {
    if (OPENS.has(name)) return this.add(descriptorPath(result), openBits(name, parts));
    if (FORKS.has(name)) {
      const child = /^\d+/.exec(result)?.[0];
      if (child !== undefined) this.folders.set(child, this.folderOf(pid));
      return;
    }
    if (name === 'chdir' || name === 'fchdir') {
      const folder = name === 'chdir' ? this.path(pid, parts[0], undefined) : descriptorPath(parts[0]);
      if (folder !== undefined) this.folders.set(pid, folder);
      return;
    }
    if (name === 'unlinkat') {
      const bits = parts[2]?.includes('AT_REMOVEDIR') ? removed | isDirectory : removed;
      return this.add(this.path(pid, parts[1], parts[0]), bits);
    }
    const single = Object.hasOwn(SINGLE_PATH, name) ? SINGLE_PATH[name] : undefined;
    if (single !== undefined) {
      const [path, folder, bits] = single;
      return this.add(this.path(pid, parts[path], folder === undefined ? undefined : parts[folder]), bits);
    }
    const rename = Object.hasOwn(RENAMES, name) ? RENAMES[name] : undefined;
    if (rename !== undefined) {
      const at = (index: number | undefined) => (index === undefined ? undefined : parts[index]);
      this.rename(this.path(pid, at(rename[0]), at(rename[1])), this.path(pid, at(rename[2]), at(rename[3])));
    }
  }

  private rename(from: string | undefined, to: string | undefined): void {
    this.add(from, movedAway);
    this.add(to, movedHere);
    if (from !== undefined && to !== undefined) this.renames.set(`${from}\0${to}`, { from, to, by: 'own' });
  }

  private add(path: string | undefined, bits: number): void {
    if (path === undefined || isRuntimePath(path)) return;
    this.paths.set(path, (this.paths.get(path) ?? 0) | bits);
  }

  private folderOf(pid: string): string {
    return this.folders.get(pid) ?? this.startFolder;
  }

  /** A quoted path, relative to a descriptor that `-y` shows the path of, or to the process' own folder. */
  private path(pid: string, quotedPath: string | undefined, folder: string | undefined): string | undefined {
    const text = quotedPath === undefined ? undefined : unquoted(quotedPath);
    if (text === undefined || text === '') return undefined;
    if (text.startsWith('/')) return tracedPath(text);
    const base = (folder === undefined ? undefined : descriptorPath(folder)) ?? this.folderOf(pid);
    return tracedPath(`${base}/${text}`);
  }
}

function openBits(name: string, parts: readonly string[]): number {
  // openat2 tells its flags as {flags=O_..., ...}.
  const flags = name === 'creat' ? 'O_WRONLY|O_TRUNC' : parts.slice(1).join(',');
  let bits: number = opened;
  if (!/O_WRONLY/.test(flags)) bits |= read;
  if (/O_WRONLY|O_RDWR|O_TRUNC/.test(flags)) bits |= written;
  if (/O_DIRECTORY/.test(flags)) bits |= isDirectory;
  return bits;
}

/** What -y shows in angle brackets: `3</etc/passwd>`, `AT_FDCWD</root>`. Pipes and sockets have no path. */
function descriptorPath(text: string | undefined): string | undefined {
  const shown =
    text === undefined ? undefined : /^(?:\d+|AT_FDCWD)<(\/.*)>(?:\(deleted\))?$/s.exec(text.trim())?.[1];
  return shown === undefined ? undefined : tracedPath(unescaped(shown));
}

/** Splits at commas that are in neither quotes nor brackets. */
function splitArguments(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let isQuoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (isQuoted) {
      if (character === '\\') at++;
      else if (character === '"') isQuoted = false;
    } else if (character === '"') isQuoted = true;
    else if ('{[(<'.includes(character)) depth++;
    else if ('}])>'.includes(character)) depth--;
    else if (character === ',' && depth <= 0) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return parts;
}

/** Undefined for what is not a whole string: an address, NULL, or one that strace cut short ("..."). */
function unquoted(text: string): string | undefined {
  const inside = /^"(.*)"$/s.exec(text)?.[1];
  return inside === undefined ? undefined : unescaped(inside);
}

const LETTERS: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12, a: 7, b: 8 };

/** C escapes. Bytes from 0x80 on become lone surrogates or, where they are UTF-8, characters. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  const bytes: number[] = [];
  for (const [token] of text.matchAll(/\\x[0-9a-f]{2}|\\[0-7]{1,3}|\\.|[^\\]/gsu)) {
    if (token[0] !== '\\') bytes.push(...new TextEncoder().encode(token));
    else if (/^\\x./.test(token)) bytes.push(Number.parseInt(token.slice(2), 16));
    else if (/^\\[0-7]/.test(token)) bytes.push(Number.parseInt(token.slice(1), 8) & 0xff);
    else bytes.push(LETTERS[token[1]!] ?? token.charCodeAt(1));
  }
  return decodeName(Uint8Array.from(bytes));
}
