import type { RecordChanges, RecordCodec, RecordFile } from './record-codec';
import { RecordConflictError, RecordFormatError } from './record-errors';
import { compareKeyBytes, keyText } from './text-record-file';

const CODEC = 'dpkg-alternatives';

/** Far more than any machine has. */
const MOST_LINES = 100_000;

type Mode = 'auto' | 'manual';

/** One alternative: the files that stand for the link and for its slaves, by the slave's name. */
interface Alternative {
  readonly priority: string;
  readonly files: ReadonlyMap<string, string>;
}

interface LinkGroup {
  readonly mode: Mode;
  readonly link: string;
  /** Where each slave link stands, by its name. */
  readonly slaves: ReadonlyMap<string, string>;
  readonly alternatives: ReadonlyMap<string, Alternative>;
}

/**
 * update-alternatives(1), section FILE FORMAT: mode, link, slaves as pairs of lines up to an empty one; then for each
 * alternative its file, its priority, and a line for each slave, empty where it has none; then an empty line.
 *
 * The record `choice` stands for what the tool decides by: the mode, and in auto mode the best alternative. An update
 * depends on it whenever it changes anything here, and a machine on which another one is best must not match.
 */
export const dpkgAlternativesCodec: RecordCodec = {
  name: CODEC,
  matches: (path) => /^\/var\/lib\/dpkg\/alternatives\/[^/]+$/.test(path),
  parse(bytes) {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    const group = text === '' ? undefined : parseGroup(text);
    if (group !== undefined && render(group) !== text)
      throw new RecordFormatError(CODEC, 'not as update-alternatives writes it');
    return new AlternativesFile(text, group);
  },
};

class AlternativesFile implements RecordFile {
  readonly records: ReadonlyMap<string, Uint8Array>;
  readonly remainder = new Uint8Array();
  private readonly texts: ReadonlyMap<string, string>;

  constructor(
    private readonly text: string,
    private readonly group: LinkGroup | undefined,
  ) {
    this.texts = new Map(group === undefined ? [] : recordTexts(group));
    this.records = new Map(
      [...this.texts].map(([key, record]) => [keyText(key), Buffer.from(record, 'latin1')]),
    );
  }

  /** Where the slave links of a changed alternative stand is in records of their own. */
  contextOf(changed: ReadonlySet<string>): string[] {
    const slaves = [...(this.group?.alternatives ?? [])]
      .filter(([file]) => changed.has(keyText(`alternative:${file}`)))
      .flatMap(([, { files }]) => [...files.keys()].map((name) => keyText(`slave:${name}`)));
    return ['choice', ...slaves];
  }

  merge(changes: RecordChanges): Uint8Array {
    const texts = new Map([...this.texts].map(([key, text]) => [keyText(key), text]));
    let changed = false;
    for (const [key, bytes] of changes) {
      const put = bytes && Buffer.from(bytes).toString('latin1');
      changed ||= texts.get(key) !== put;
      if (put === undefined) texts.delete(key);
      else texts.set(key, put);
    }
    if (!changed) return Buffer.from(this.text, 'latin1');
    const group = sorted(groupOf(texts, this.texts));
    const expected = changes.get('choice');
    const choice = choiceOf(group);
    if (expected !== undefined && Buffer.from(expected).toString('latin1') !== choice) {
      throw new RecordConflictError(CODEC, 'choice', choice.split('\n')[1] ?? choice, 'another one is best');
    }
    return Buffer.from(render(group), 'latin1');
  }
}

function* recordTexts(group: LinkGroup): Iterable<[string, string]> {
  yield ['choice', choiceOf(group)];
  yield ['link', group.link];
  for (const [name, link] of group.slaves) yield [`slave:${name}`, link];
  for (const [file, { priority, files }] of group.alternatives) {
    yield [`alternative:${file}`, [priority, ...[...files].map((pair) => pair.join('='))].join('\n')];
  }
}

function choiceOf({ mode, alternatives }: LinkGroup): string {
  if (mode === 'manual') return mode;
  let best: readonly [string, Alternative] | undefined;
  for (const entry of alternatives) {
    if (best === undefined || Number(entry[1].priority) > Number(best[1].priority)) best = entry;
  }
  return best === undefined ? mode : [mode, best[0], best[1].priority].join('\n');
}

/** @param before what stood there: a slave that one of its alternatives still uses stays (as the tool has it) */
function groupOf(texts: ReadonlyMap<string, string>, before: ReadonlyMap<string, string>): LinkGroup {
  const slaves = new Map<string, string>();
  const alternatives = new Map<string, Alternative>();
  for (const [key, text] of texts) {
    const [, kind, name] = /^(slave|alternative):(.+)$/s.exec(key) ?? [];
    if (name !== undefined && kind === 'slave') slaves.set(latin1Key(name), line(text, key));
    else if (name !== undefined) alternatives.set(latin1Key(name), alternativeOf(text, key));
    else if (key !== 'choice' && key !== 'link') throw invalid(key);
  }
  const used = new Map<string, string>();
  for (const { files } of alternatives.values()) {
    for (const name of files.keys()) {
      const link = slaves.get(name) ?? before.get(`slave:${name}`);
      if (link === undefined) throw new RecordFormatError(CODEC, `no slave is called ${name}`);
      used.set(name, link);
    }
  }
  const mode = texts.get('choice')?.split('\n')[0];
  const link = texts.get('link');
  if ((mode !== 'auto' && mode !== 'manual') || link === undefined || alternatives.size === 0)
    throw new RecordFormatError(CODEC, 'what is put is not the whole of a link group');
  return { mode, link: line(link, 'link'), slaves: used, alternatives };
}

function alternativeOf(text: string, key: string): Alternative {
  const [priority, ...pairs] = text.split('\n');
  if (priority === undefined || !/^-?\d{1,9}$/.test(priority)) throw invalid(key);
  const files = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at <= 0 || at === pair.length - 1) throw invalid(key);
    files.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return { priority, files };
}

function line(text: string, key: string): string {
  if (text === '' || text.includes('\n')) throw invalid(key);
  return text;
}

function invalid(key: string): RecordFormatError {
  return new RecordFormatError(CODEC, 'what is put is not a record with this key', { key });
}

/** Keys are text as people read it; names in the file are bytes. */
function latin1Key(name: string): string {
  return Buffer.from(name, 'utf8').toString('latin1');
}

function sorted(group: LinkGroup): LinkGroup {
  const inOrder = <V>(map: ReadonlyMap<string, V>): Map<string, V> =>
    new Map([...map].sort(([a], [b]) => compareKeyBytes(a, b)));
  return { ...group, slaves: inOrder(group.slaves), alternatives: inOrder(group.alternatives) };
}

function parseGroup(text: string): LinkGroup {
  const lines = text.split('\n');
  if (lines.length > MOST_LINES) throw new RecordFormatError(CODEC, `${lines.length} lines are too many`);
  let at = 0;
  const next = (): string => {
    const found = lines[at++];
    if (found === undefined) throw new RecordFormatError(CODEC, 'an end in the middle', { line: at });
    return found;
  };
  const mode = next();
  if (mode !== 'auto' && mode !== 'manual') throw new RecordFormatError(CODEC, 'no mode', { line: 1 });
  const link = next();
  const slaves = new Map<string, string>();
  for (let name = next(); name !== ''; name = next()) {
    if (slaves.has(name) || name.includes('=')) throw new RecordFormatError(CODEC, 'a slave', { line: at });
    slaves.set(name, next());
  }
  const alternatives = new Map<string, Alternative>();
  for (let file = next(); file !== ''; file = next()) {
    if (alternatives.has(file)) throw new RecordFormatError(CODEC, 'an alternative twice', { line: at });
    const priority = next();
    if (!/^-?\d{1,9}$/.test(priority)) throw new RecordFormatError(CODEC, 'no priority', { line: at });
    const files = new Map<string, string>();
    for (const name of slaves.keys()) {
      const slave = next();
      if (slave !== '') files.set(name, slave);
    }
    alternatives.set(file, { priority, files });
  }
  return { mode, link, slaves, alternatives };
}

function render({ mode, link, slaves, alternatives }: LinkGroup): string {
  const lines: string[] = [mode, link];
  for (const [name, slaveLink] of slaves) lines.push(name, slaveLink);
  lines.push('');
  for (const [file, { priority, files }] of alternatives) {
    lines.push(file, priority);
    for (const name of slaves.keys()) lines.push(files.get(name) ?? '');
  }
  return `${lines.join('\n')}\n\n`;
}
