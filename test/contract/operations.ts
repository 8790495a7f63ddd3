import type { ResolvedOperation } from '../../core/apply/apply-engine';
import { metadata } from '../support/writable-image';

/** What OPERATIONS_OF_EACH_KIND work on, made by the kernel at `$MNT`. */
export const GROUND = `
  cd "$MNT"
  mkdir -p etc usr/lib old/empty crowd
  echo one > etc/app.conf; ln etc/app.conf etc/app.link; echo two > etc/removed
  ln -s app.conf etc/symlink; head -c 300000 /dev/zero | tr '\\0' z > usr/lib/library
  "$PYTHON" -c 'import os; os.setxattr("usr/lib/library", "user.large", b"v" * 600)'
  seq -f "crowd/name-%04g-$(printf %050d 0)" 300 | xargs touch
  sync; cd /`;

const directory = metadata({ mode: 0o755 });

/** Each kind of operation in its forms: new, replacing, on what many names share, on what is large. */
export const OPERATIONS_OF_EACH_KIND: readonly (readonly [what: string, operation: ResolvedOperation])[] = [
  [
    'put-file that is new and large',
    {
      kind: 'put-file',
      path: '/usr/lib/new',
      content: Buffer.alloc(1_300_000, 'new'),
      metadata: metadata({ mode: 0o755, uid: 7, xattrs: new Map([['user.a', Buffer.from('b')]]) }),
    },
  ],
  [
    'put-file in the place of a file that has another name',
    { kind: 'put-file', path: '/etc/app.conf', content: Buffer.from('three\n'), metadata: metadata() },
  ],
  [
    'put-file in the place of a large file with attributes',
    {
      kind: 'put-file',
      path: '/usr/lib/library',
      content: Buffer.alloc(200_000, 'y'),
      metadata: metadata({ xattrs: new Map([['user.large', Buffer.alloc(700, 'w')]]) }),
    },
  ],
  [
    'put-file in a directory of many',
    {
      kind: 'put-file',
      path: `/crowd/${'added'.repeat(40)}`,
      content: Buffer.from('x'),
      metadata: metadata(),
    },
  ],
  ['make-directory that is new', { kind: 'make-directory', path: '/usr/share', metadata: directory }],
  [
    'make-directory where there is one',
    {
      kind: 'make-directory',
      path: '/etc',
      metadata: metadata({ mode: 0o2750, gid: 50, xattrs: new Map([['user.d', Buffer.from('e')]]) }),
    },
  ],
  [
    'make-symlink with a long target in the place of another',
    {
      kind: 'make-symlink',
      path: '/etc/symlink',
      target: 'long/'.repeat(80),
      metadata: metadata({ mode: 0o777 }),
    },
  ],
  [
    'make-hard-link',
    { kind: 'make-hard-link', path: '/usr/lib/library.2', existingPath: '/usr/lib/library' },
  ],
  [
    'make-node',
    {
      kind: 'make-node',
      path: '/usr/null',
      type: 'character-device',
      device: { major: 1, minor: 3 },
      metadata: metadata({ mode: 0o666 }),
    },
  ],
  ['remove of a file', { kind: 'remove', path: '/etc/removed' }],
  ['remove of a directory', { kind: 'remove', path: '/old/empty' }],
  [
    'set-metadata',
    {
      kind: 'set-metadata',
      path: '/etc/app.link',
      metadata: metadata({ mode: 0o600, uid: 1000, xattrs: new Map([['user.x', Buffer.alloc(500, 'x')]]) }),
    },
  ],
  ['set-time', { kind: 'set-time', path: '/crowd', mtimeNs: 1_650_000_000_123_456_789n }],
];

export async function* sequence<T>(items: Iterable<T>): AsyncIterable<T> {
  yield* items;
}
