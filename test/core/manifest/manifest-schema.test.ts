import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import { manifestJsonSchema } from '../../../core/manifest/json-schema';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';
import { captureUpdate } from '../../support/pipeline';
import { plant } from '../../support/random-tree';

const published: object = JSON.parse(
  readFileSync(path.join(__dirname, '../../../docs/manifest.schema.json'), 'utf8'),
);
const judge = new Ajv2020({ allErrors: true }).compile(published);

async function manifest() {
  const before = new MemoryFilesystem();
  await plant(before);
  await before.put('/etc/pkg.table', 'a=1\n');
  const after = before.clone();
  await after.put('/etc/pkg.table', 'a=2\nb=1\n');
  await after.put('/new/file', 'x');
  await after.link('/new/file', '/new/link');
  await after.remove('/a/a/a');
  await after.remove('/a/a');
  const metadata = {
    mode: 0o600,
    uid: 1,
    gid: 2,
    mtimeNs: -5n,
    xattrs: new Map([['user.a', new Uint8Array(3)]]),
  };
  await after.setMetadata('/a/b', metadata);
  await after.mknod('/new/pipe', 'fifo', { major: 0, minor: 0 }, metadata);
  await after.symlink('/new/symlink', 'file', metadata);
  return (await captureUpdate(new MemoryImage(before), new MemoryImage(after))).manifest;
}

describe('docs/manifest.schema.json', () => {
  it('is what the schema in core says (npx tsx scripts/write-manifest-schema.ts)', () => {
    expect(published).toEqual(manifestJsonSchema());
  });

  it('accepts a captured manifest with every kind of operation', async () => {
    const captured = await manifest();
    expect(new Set(captured.operations.map(({ kind }) => kind)).size).toBe(8);
    judge(captured);
    expect(judge.errors ?? []).toEqual([]);
  });

  it('refuses what is no manifest', async () => {
    const captured = await manifest();
    expect(judge({ ...captured, version: 1 })).toBe(false);
    expect(judge({ ...captured, extra: true })).toBe(false);
    const [operation] = captured.operations;
    expect(judge({ ...captured, operations: [{ ...operation, path: '/a/../b' }] })).toBe(false);
    expect(judge({ ...captured, operations: [{ ...operation, kind: 'run-command' }] })).toBe(false);
  });
});
