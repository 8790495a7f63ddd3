import fc from 'fast-check';
import type { FilesystemOperation, OperationMetadata } from './filesystem-operations';

/** Few directories and names, so that operations meet each other's results. */
const DIRECTORIES = ['', '/a', '/b', '/a/c', '/a/c/long-name-of-a-directory', '/crowd'];
const NAMES = [
  ...Array.from({ length: 12 }, (_, n) => `f${n}`),
  ...['a', 'b', 'c', 'crowd', 'long-name-of-a-directory', 'é', 'with space', 'n'.repeat(255)],
];

const anyPath = fc
  .oneof(
    { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...DIRECTORIES), fc.constantFrom(...NAMES)) },
    // One directory with many names: it gets an index, and its blocks are split.
    {
      weight: 4,
      arbitrary: fc.tuple(
        fc.constant('/crowd'),
        fc.integer({ min: 0, max: 600 }).map((n) => `member-${n}-${'x'.repeat((n * 7) % 190)}`),
      ),
    },
  )
  .map(([directory, name]) => `${directory}/${name}`);

const hex = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('hex'));

const anyXattrs = (namespace: 'user' | 'trusted'): fc.Arbitrary<Record<string, string>> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant({}) },
    {
      weight: 2,
      arbitrary: fc.record({
        [`${namespace}.a`]: hex(20),
        'security.selinux': fc.constantFrom('73797374656d5f75', '757365725f75'),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ [`${namespace}.large`]: hex(350), 'trusted.other': hex(300) }),
    },
  );

const anyTime = fc.integer({ min: 1, max: 2_000_000_000 }).map((seconds) => `${seconds}123456789`);

const anyMetadata = (namespace: 'user' | 'trusted', modes: number[]): fc.Arbitrary<OperationMetadata> =>
  fc.record({
    mode: fc.constantFrom(...modes),
    uid: fc.constantFrom(0, 1000, 100_000),
    gid: fc.constantFrom(0, 33, 3_000_000_000),
    mtimeNs: anyTime,
    xattrs: anyXattrs(namespace),
  });

const fileMetadata = anyMetadata('user', [0o644, 0o600, 0o755, 0o4755, 0o2711]);
const directoryMetadata = anyMetadata('user', [0o755, 0o700, 0o1777, 0o2775]);
const symlinkMetadata = anyMetadata('trusted', [0o777]);
const nodeMetadata = anyMetadata('trusted', [0o600, 0o660]);

const anyLength = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 9000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 80_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 1_500_000 }) },
);

export const anyOperation: fc.Arbitrary<FilesystemOperation> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      operation: fc.constant('writeFile' as const),
      path: anyPath,
      seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      lengthBytes: anyLength,
      metadata: fileMetadata,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      operation: fc.constant('mkdir' as const),
      path: anyPath,
      metadata: directoryMetadata,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      operation: fc.constant('symlink' as const),
      path: anyPath,
      target: fc.integer({ min: 1, max: 900 }).map((length) => 'nowhere/'.repeat(120).slice(0, length)),
      metadata: symlinkMetadata,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ operation: fc.constant('link' as const), existingPath: anyPath, path: anyPath }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      operation: fc.constant('mknod' as const),
      path: anyPath,
      type: fc.constantFrom(
        'character-device' as const,
        'block-device' as const,
        'fifo' as const,
        'socket' as const,
      ),
      major: fc.constantFrom(1, 259),
      minor: fc.constantFrom(3, 300),
      metadata: nodeMetadata,
    }),
  },
  { weight: 7, arbitrary: fc.record({ operation: fc.constant('remove' as const), path: anyPath }) },
  {
    weight: 2,
    arbitrary: fc.record({
      operation: fc.constant('setMetadata' as const),
      path: fc.oneof(fc.constantFrom(...DIRECTORIES.slice(1)), anyPath),
      // The kernel refuses attributes of users on anything but files and directories.
      metadata: anyMetadata('trusted', [0o755, 0o640]),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ operation: fc.constant('setTime' as const), path: anyPath, mtimeNs: anyTime }),
  },
);

/** Times by which attributes that are long already become longer than a block. */
const LONGER = 700;

/**
 * A sequence of operations that a seed always makes the same. It starts with some directories to work in.
 * @param longAttributes whether the volume takes values longer than a block (ea_inode)
 */
export function randomOperations(
  seed: number,
  count: number,
  { longAttributes = false } = {},
): FilesystemOperation[] {
  const metadata = { mode: 0o755, uid: 0, gid: 0, mtimeNs: '1700000000000000000', xattrs: {} };
  const start = DIRECTORIES.slice(1).map((path): FilesystemOperation => ({
    operation: 'mkdir',
    path,
    metadata,
  }));
  const operations = [...start, ...fc.sample(anyOperation, { seed, numRuns: count })];
  return longAttributes ? operations.map(lengthened) : operations;
}

/** Only of files and directories: e2fsck does not understand what the kernel makes of long values of short links. */
function lengthened(operation: FilesystemOperation): FilesystemOperation {
  if (!('metadata' in operation)) return operation;
  const xattrs = Object.entries(operation.metadata.xattrs).map(([name, value]) => [
    name,
    name === 'user.large' ? value.slice(0, 4).repeat((value.length * LONGER) / 4) : value,
  ]);
  return { ...operation, metadata: { ...operation.metadata, xattrs: Object.fromEntries(xattrs) } };
}
