import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { parseListing, type TreeEntry } from './compare-trees';

/** What tools that are not ours say of one volume. */
export interface VolumeJudgement {
  readonly volumeId: string;
  readonly e2fsckClean: boolean;
  readonly e2fsck: string;
  readonly dpkgAudit: string;
  readonly debsums: string;
  readonly packages: readonly string[];
  readonly tree: ReadonlyMap<string, TreeEntry>;
  /** Text of a record file in a form where the order of records does not matter; undefined when it is not one. */
  recordsOf(path: string): Promise<string | undefined>;
}

/** Record files whose records are separated by an empty line. */
const STANZAS =
  /^\/var\/lib\/dpkg\/status(-old)?$|^\/var\/lib\/apt\/extended_states$|^\/var\/cache\/debconf\/.*\.dat(-old)?$/;
/** Record files with a record a line. */
const LINES = /^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-?$/;

/** Judges a volume file of the embedded cloud; the process must see the mount that holds it. */
export async function judgeVolume(
  volumeId: string,
  volumeFile: string,
  outFolder: string,
): Promise<VolumeJudgement> {
  const script = path.join(__dirname, 'judge_volume.sh');
  const lister = path.join(__dirname, 'list_tree.py');
  await promisify(execFile)('unshare', ['--mount', 'bash', script, volumeFile, outFolder, lister], {
    maxBuffer: 64 * 1024 * 1024,
  });
  const text = (name: string): Promise<string> => readFile(path.join(outFolder, name), 'utf8');
  return {
    volumeId,
    e2fsckClean: (await text('e2fsck.status')).trim() === '0',
    e2fsck: await text('e2fsck.txt'),
    dpkgAudit: await text('dpkg-audit.txt'),
    debsums: await text('debsums.txt'),
    packages: (await text('packages.txt')).trim().split('\n'),
    tree: parseListing(await text('tree.jsonl')),
    async recordsOf(file) {
      if (file === '/etc/ld.so.cache') return text('ldconfig.txt');
      const separator = STANZAS.test(file) ? /\n\n+/ : LINES.test(file) ? /\n/ : undefined;
      if (separator === undefined) return undefined;
      return (await text(path.join('records', file))).trim().split(separator).sort().join('\n\n');
    },
  };
}
