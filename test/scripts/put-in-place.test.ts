import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { putInPlace } from '../../scripts/put-in-place';
import { temporaryFolder } from '../support/temporary-folder';

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder('place');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

test('what is there afterwards is what was made, and nothing else', () => {
  const target = folderOf({
    'same/index.js': 'a',
    'other/index.js': 'old',
    'gone/index.js': 'x',
    'loose.js': 'x',
  });
  putInPlace(folderOf({ 'same/index.js': 'a', 'other/index.js': 'new', 'more/deep/index.js': 'b' }), target);
  const files = readdirSync(target, { recursive: true, encoding: 'utf8' }).sort();
  expect(files).toEqual(
    ['more', 'more/deep', 'more/deep/index.js', 'other', 'other/index.js', 'same', 'same/index.js'].sort(),
  );
  expect(readFileSync(path.join(target, 'other/index.js'), 'utf8')).toBe('new');
});

test('a file that is the same is not touched, one that is not is another file', () => {
  const target = folderOf({ 'same.js': 'a', 'other.js': 'old' });
  const inodes = (): number[] => ['same.js', 'other.js'].map((name) => statSync(path.join(target, name)).ino);
  const before = inodes();
  putInPlace(folderOf({ 'same.js': 'a', 'other.js': 'new' }), target);
  expect(inodes().map((inode, n) => inode === before[n])).toEqual([true, false]);
});

test('a folder that is not there yet is made', () => {
  const target = path.join(temporaryFolder('place'), 'dist/lambdas');
  putInPlace(folderOf({ 'one/index.js': 'a' }), target);
  expect(readFileSync(path.join(target, 'one/index.js'), 'utf8')).toBe('a');
});
