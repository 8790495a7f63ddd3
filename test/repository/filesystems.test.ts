import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import {
  checkReadable,
  checkWritable,
  EXT4_FEATURES,
  type Ext4Feature,
} from '../../core/filesystem/ext4/features';
import { XFS_FEATURES } from '../../core/filesystem/xfs/features';

/** docs/filesystems.md says what the gates in the code do, and names a test that is there for each feature. */
const root = path.join(__dirname, '..', '..');
const document = readFileSync(path.join(root, 'docs/filesystems.md'), 'utf8');

interface Row {
  readonly name: string;
  readonly read: string;
  readonly write: string;
  readonly remark: string;
  readonly shownBy: string;
}

/** The rows of the table below a heading. */
function table(heading: string): Row[] {
  const [, section] = document.split(`\n## ${heading}\n`);
  if (section === undefined) throw new Error(`docs/filesystems.md has no heading ${heading}`);
  return section
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\| (feature|---)|^\|---/.test(line))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|')))
    .map(([, name, read, write, remark, shownBy]) => ({
      name: name!,
      read: read!,
      write: write!,
      remark: remark!,
      shownBy: shownBy!,
    }));
}

const ext4 = table('ext4, ext3, ext2');
const xfs = table('XFS');
const others = table('Others, and what filesystems stand on');

describe('docs/filesystems.md', () => {
  it.each([
    ['ext4', ext4, EXT4_FEATURES],
    ['XFS', xfs, XFS_FEATURES],
  ] as const)('tells of %s what the code does', (_kind, rows, features) => {
    expect(rows.map(({ shownBy: _, ...told }) => told)).toEqual(
      features.map(({ name, read, write, remark = '' }) => ({ name, read, write, remark })),
    );
  });

  it.each([...ext4, ...xfs, ...others])('names a test for $name that is there', ({ shownBy }) => {
    const named = [...shownBy.matchAll(/\]\(\.\.\/([^)]+)\) “([^”]+)”/g)];
    expect(named).not.toEqual([]);
    for (const [, file, text] of named) {
      expect([file, existsSync(path.join(root, file!))]).toEqual([file, true]);
      const isThere = readFileSync(path.join(root, file!), 'utf8').includes(text!);
      expect([file, text, isThere]).toEqual([file, text, true]);
    }
  });
});

const WORDS = { compat: 'featureCompat', incompat: 'featureIncompat', ro_compat: 'featureRoCompat' } as const;

/** What a superblock with this bit alone gets: `done`, or the error that says no. */
function outcome(check: typeof checkReadable, word: keyof typeof WORDS, bit: number): string {
  try {
    check({ featureCompat: 0, featureIncompat: 0, featureRoCompat: 0, [WORDS[word]]: bit });
    return 'done';
  } catch (error) {
    return (error as Error).name;
  }
}

describe('ext4 features', () => {
  const bits = EXT4_FEATURES.filter(
    (feature): feature is Ext4Feature & { word: keyof typeof WORDS; bit: number } =>
      feature.word !== undefined,
  );
  const refusal = { direct: 'done', kernel: 'UnsupportedFeatureError', refused: 'RefusedFilesystemError' };

  it.each(bits)('the gate of $word $name lets through what the table says', ({ word, bit, read, write }) => {
    expect(outcome(checkReadable, word, bit)).toBe(read === 'direct' ? 'done' : 'UnsupportedFeatureError');
    expect(outcome(checkWritable, word, bit)).toBe(refusal[write]);
  });

  it('that nobody knows are let through by the rule of the format', () => {
    const unknown = 0x40000000;
    expect(outcome(checkReadable, 'incompat', unknown)).toBe('UnsupportedFeatureError');
    expect(outcome(checkReadable, 'ro_compat', unknown)).toBe('done');
    expect(outcome(checkReadable, 'compat', unknown)).toBe('done');
    expect(outcome(checkWritable, 'ro_compat', unknown)).toBe('RefusedFilesystemError');
    expect(outcome(checkWritable, 'compat', unknown)).toBe('UnsupportedFeatureError');
  });
});
