import fc from 'fast-check';
import type { Metadata } from '../../core/filesystem/filesystem';
import type { MemoryFilesystem } from './memory-filesystem';

/** One thing that may happen to a filesystem. Applied where it can be; what cannot be done is passed over. */
export type Happening =
  | { readonly do: 'file'; readonly path: string; readonly content: string; readonly metadata: Metadata }
  | { readonly do: 'directory'; readonly path: string; readonly metadata: Metadata }
  | { readonly do: 'symlink'; readonly path: string; readonly target: string; readonly metadata: Metadata }
  | { readonly do: 'device'; readonly path: string; readonly minor: number; readonly metadata: Metadata }
  | { readonly do: 'link'; readonly from: string; readonly path: string }
  | { readonly do: 'metadata'; readonly path: string; readonly metadata: Metadata }
  | { readonly do: 'remove'; readonly path: string };

// Few names, so that happenings meet: type changes, replaced links, removed parents.
const names = fc.constantFrom('a', 'b', 'c');
const path = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
// Whole trees go too, but not most of the time.
const deepPath = fc.array(names, { minLength: 2, maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
const content = fc.constantFrom('', 'one', 'two', 'three');

const metadata: fc.Arbitrary<Metadata> = fc.record({
  mode: fc.constantFrom(0o644, 0o755, 0o4711),
  uid: fc.constantFrom(0, 1000),
  gid: fc.constantFrom(0, 50),
  mtimeNs: fc.bigInt({ min: 0n, max: 2_000_000_000_123_456_789n }),
  xattrs: fc
    .constantFrom<[string, string][]>(
      [],
      [['user.note', 'x']],
      [
        ['user.note', 'y'],
        ['security.capability', 'c'],
      ],
    )
    .map((pairs) => new Map(pairs.map(([name, value]) => [name, new TextEncoder().encode(value)]))),
});

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('file' as const), path: deepPath, content, metadata }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('directory' as const), path, metadata }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('link' as const), from: path, path: deepPath }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('symlink' as const), path: deepPath, target: names, metadata }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('device' as const), path, minor: fc.nat(3), metadata }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('metadata' as const), path, metadata }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), path }) },
);

export const happenings: fc.Arbitrary<Happening[]> = fc.array(happening, { maxLength: 40, size: 'max' });

/** Something for everything to happen to: directories, files, hard links. */
export async function plant(filesystem: MemoryFilesystem): Promise<void> {
  for (const path of ['/a/a/a', '/a/b', '/a/c/a', '/b/a', '/b/b/c', '/c/a/b'])
    await filesystem.put(path, path);
  await filesystem.link('/a/b', '/b/c');
  await filesystem.link('/a/b', '/c/c');
  await filesystem.link('/b/a', '/c/b');
}

export async function happen(filesystem: MemoryFilesystem, all: readonly Happening[]): Promise<void> {
  for (const happening of all) {
    const parent = happening.path.slice(0, happening.path.lastIndexOf('/')) || '/';
    if ((await filesystem.lstat(parent))?.type !== 'directory') continue;
    await one(filesystem, happening);
  }
}

async function one(filesystem: MemoryFilesystem, happening: Happening): Promise<void> {
  const { path } = happening;
  const there = await filesystem.lstat(path);
  if (happening.do === 'remove') return there && removeTree(filesystem, path);
  if (happening.do === 'metadata') return there && filesystem.setMetadata(path, happening.metadata);
  if (happening.do === 'link') {
    const source = await filesystem.lstat(happening.from);
    if (source === undefined || source.type === 'directory' || there?.type === 'directory') return;
    return filesystem.link(happening.from, path);
  }
  if ((there?.type === 'directory') !== (happening.do === 'directory') && there !== undefined) {
    await removeTree(filesystem, path);
  }
  const { metadata: given } = happening;
  switch (happening.do) {
    case 'file':
      return filesystem.writeFile(path, new TextEncoder().encode(happening.content), given);
    case 'directory':
      return filesystem.mkdir(path, given);
    case 'symlink':
      return filesystem.symlink(path, happening.target, given);
    case 'device':
      return filesystem.mknod(path, 'character-device', { major: 1, minor: happening.minor }, given);
  }
}

async function removeTree(filesystem: MemoryFilesystem, path: string): Promise<void> {
  if ((await filesystem.lstat(path))?.type === 'directory') {
    for (const { name } of await filesystem.readdir(path)) await removeTree(filesystem, `${path}/${name}`);
  }
  await filesystem.remove(path);
}
