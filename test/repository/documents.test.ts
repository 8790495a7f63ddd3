import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** What the documents name is there: scripts, files and folders of this repository, and what they link to. */
const root = path.join(__dirname, '..', '..');
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const entries = readdirSync(root, { withFileTypes: true });
const sourceFolders = entries.filter(
  (entry) => entry.isDirectory() && !/^\.|^(node_modules|dist|cdk\.out)$/.test(entry.name),
);

const documents = [
  ...entries.filter((entry) => entry.isFile()).map(({ name }) => name),
  ...['docs', 'examples'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true }).map((name) => path.join(folder, String(name))),
  ),
].filter((name) => name.endsWith('.md'));

const found = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map((match) => match[1]!);

/** Whether a path is there as it stands, or is that of a TypeScript file named without its ending. */
const isThere = (name: string): boolean =>
  existsSync(path.join(root, name)) || existsSync(path.join(root, `${name}.ts`));

test('there are documents', () =>
  expect(documents).toEqual(expect.arrayContaining(['README.md', 'docs/architecture.md'])));

describe.each(documents)('%s', (document) => {
  const text = readFileSync(path.join(root, document), 'utf8');

  test('names npm scripts that exist', () => {
    expect(found(text, /npm run ([\w:-]+)/g).filter((script) => !(script in scripts))).toEqual([]);
  });

  test('names files and folders that exist', () => {
    const folders = sourceFolders.map(({ name }) => name).join('|');
    const named = found(text, new RegExp(`\`((?:${folders})/[\\w./-]*)\``, 'g'));
    expect(named.filter((name) => !isThere(name))).toEqual([]);
  });

  test('links to files that exist', () => {
    const links = found(text, /\]\((?!https?:|#)([^)#]+)[^)]*\)/g);
    expect(links.filter((link) => !existsSync(path.join(root, path.dirname(document), link)))).toEqual([]);
  });
});
