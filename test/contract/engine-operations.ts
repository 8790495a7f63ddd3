import type { ResolvedOperation } from '../../core/apply/apply-engine';
import { decodeName } from '../../core/bytes/names';
import type { Metadata } from '../../core/filesystem/filesystem';
import { metadata } from '../support/writable-image';

/** What the operations of the contract work on, made by the kernel at `$MNT`. */
export const CONTRACT_GROUND = `
  cd "$MNT"
  mkdir -p etc usr/lib old/empty old/full crowd setgid inherits fixed logs
  echo one > etc/app.conf; ln etc/app.conf etc/app.link; echo two > etc/removed; echo x > old/full/file
  ln -s app.conf etc/symlink; ln -s lib usr/to-lib; mkfifo etc/pipe; mknod etc/device c 5 1
  head -c 300000 /dev/zero | tr '\\0' z > usr/lib/library
  setfattr -n user.old -v old usr/lib/library; setfattr -n user.large -v "$(printf %0300d 0)" usr/lib/library
  setfattr -n user.dir -v old usr; chgrp 77 setgid; chmod 2775 setgid
  setfattr -n system.posix_acl_default -v \
    0x0200000001000700ffffffff020007002100000004000500ffffffff10000700ffffffff20000000ffffffff inherits
  seq -f "crowd/name-%04g-$(printf %050d 0)" 300 | xargs touch
  echo a > fixed/in; echo a > logs/in; echo a > etc/fixed; echo a > etc/log
  chattr +i fixed etc/fixed; chattr +a logs etc/log
  sync; cd /`;

const ACL = '0200000001000600ffffffff02000500e803000004000400ffffffff10000700ffffffff20000400ffffffff';

const directory = (changes: Partial<Metadata> = {}): Metadata => metadata({ mode: 0o755, ...changes });
const link = (changes: Partial<Metadata> = {}): Metadata => metadata({ mode: 0o777, ...changes });
const xattrs = (values: Record<string, string | Uint8Array>): Pick<Metadata, 'xattrs'> => ({
  xattrs: new Map(Object.entries(values).map(([name, value]) => [name, Buffer.from(value)])),
});
const file = (path: string, content: string | Uint8Array, changes: Partial<Metadata> = {}) =>
  ({ kind: 'put-file', path, content: Buffer.from(content), metadata: metadata(changes) }) as const;
const make = (path: string, changes: Partial<Metadata> = {}) =>
  ({ kind: 'make-directory', path, metadata: directory(changes) }) as const;
const symlink = (path: string, target: string, changes: Partial<Metadata> = {}) =>
  ({ kind: 'make-symlink', path, target, metadata: link(changes) }) as const;
const hardLink = (existingPath: string, path: string) =>
  ({ kind: 'make-hard-link', existingPath, path }) as const;
const remove = (path: string) => ({ kind: 'remove', path }) as const;
const time = (path: string, mtimeNs: bigint) => ({ kind: 'set-time', path, mtimeNs }) as const;
const owner = (path: string, changes: Partial<Metadata> = {}) =>
  ({ kind: 'set-metadata', path, metadata: metadata(changes) }) as const;
const node = (
  path: string,
  type: 'character-device' | 'block-device' | 'fifo' | 'socket',
  major = 0,
  minor = 0,
  changes: Partial<Metadata> = {},
) => ({ kind: 'make-node', path, type, device: { major, minor }, metadata: metadata(changes) }) as const;

const NAME_OF_BYTES = decodeName(Uint8Array.of(0x6c, 0xe9, 0xff));

/** Every kind of operation with what is special about it. All of them can be done, in this order, on CONTRACT_GROUND. */
export const CONTRACT_OPERATIONS: readonly ResolvedOperation[] = [
  // Files: new, empty, large, in the place of each type of entry; names of other paths keep the old inode.
  file('/etc/new', 'new'),
  file('/etc/empty', ''),
  file('/usr/lib/large', Buffer.alloc(5_000_001, 'large')),
  file('/etc/app.conf', 'replaced'),
  file('/etc/symlink', 'no longer a link'),
  file('/etc/pipe', 'no longer a pipe'),
  file('/usr/lib/library', 'its attributes go', xattrs({ 'user.new': 'new' })),
  file(`/crowd/${'n'.repeat(255)}`, 'the longest name'),
  file(`/etc/${NAME_OF_BYTES}`, 'a name that is not UTF-8'),
  file('/etc/new\nline "quoted" \\ é', 'a name to be quoted'),
  // Owners and modes: a set-id bit survives the change of owner, and what directories would pass on is not taken.
  file('/etc/suid', 'suid', { mode: 0o4755, uid: 1000, gid: 50 }),
  file('/etc/secret', 'secret', { mode: 0, uid: 3_000_000_000, gid: 4_000_000_000 }),
  file('/setgid/file', 'its own group', { gid: 5 }),
  make('/setgid/directory', { gid: 5 }),
  file('/inherits/file', 'no ACL', { mode: 0o664 }),
  make('/inherits/directory', { mode: 0o775 }),
  // Times to the nanosecond, before 1970 and after 2038.
  file('/etc/early', '', { mtimeNs: -1_000_000_001n }),
  file('/etc/late', '', { mtimeNs: 4_294_967_296_123_456_789n }),
  // Attributes.
  file('/etc/attributes', 'x', {
    mode: 0o674,
    ...xattrs({
      'security.capability': Buffer.from('0100000200040000000000000000000000000000', 'hex'),
      'security.selinux': 'system_u:object_r:etc_t:s0\0',
      'system.posix_acl_access': Buffer.from(ACL, 'hex'),
      'trusted.t': Buffer.from([0, 1, 255]),
      'user.empty': '',
      'user.large': 'v'.repeat(400),
    }),
  }),
  // Directories: new, nested, and the metadata of those that are there.
  make('/usr/share', { mode: 0o1777, uid: 7, gid: 8 }),
  make('/usr/share/deeper', xattrs({ 'security.selinux': 'label\0' })),
  make('/usr', { mode: 0o750, gid: 50, ...xattrs({ 'user.other': 'x' }) }),
  make('/'),
  // Symbolic links: kept in the inode and not, over other entries, with attributes, never followed.
  symlink('/etc/short', 't'),
  symlink('/etc/59', 't'.repeat(59)),
  symlink('/etc/60', 't'.repeat(60)),
  symlink('/etc/long', 'long/'.repeat(190)),
  symlink('/etc/bytes', NAME_OF_BYTES),
  symlink('/etc/new', '/absolute', { uid: 12, gid: 13 }),
  symlink('/etc/labelled', 'x', xattrs({ 'security.selinux': 'link_t\0', 'trusted.on-link': 'yes' })),
  // Hard links: of files, links and nodes, over other entries, of an inode over itself.
  hardLink('/usr/lib/large', '/etc/large'),
  hardLink('/etc/60', '/etc/60-again'),
  hardLink('/etc/device', '/etc/device-again'),
  hardLink('/etc/suid', '/etc/long'),
  hardLink('/etc/suid', '/etc/long'),
  hardLink('/etc/suid', '/etc/suid'),
  // Nodes.
  node('/etc/null', 'character-device', 1, 3, { mode: 0o666 }),
  node('/etc/wide', 'block-device', 300, 70_000, { mode: 0o660, gid: 6 }),
  node('/etc/fifo', 'fifo', 0, 0, { mode: 0o600, uid: 9 }),
  node('/etc/socket', 'socket'),
  node('/etc/empty', 'fifo'),
  // Removal: of one of several names, of what a link points to not, of directories that are empty.
  remove('/etc/app.link'),
  remove('/usr/to-lib'),
  remove('/etc/removed'),
  remove('/old/empty'),
  remove('/etc/fifo'),
  remove('/old/full/file'),
  remove('/old/full'),
  remove('/old'),
  // Metadata of each type of entry.
  owner('/etc/attributes', { mode: 0o600, ...xattrs({ 'user.only': 'this' }) }),
  owner('/usr/lib', { mode: 0o2755, ...xattrs({ 'trusted.d': 'd' }) }),
  owner('/etc/short', { uid: 1, gid: 2, mode: 0o777, ...xattrs({ 'trusted.l': 'l' }) }),
  owner('/etc/null', { mode: 0o600, uid: 4 }),
  file('/logs/added', 'names may be added to a directory that only grows'),
  // Times: nothing where nothing stands or may be changed.
  time('/etc/suid', 1_234_567_890_123_456_789n),
  time('/etc/60', 1_111_111_111_000_000_001n),
  time('/no/such/path', 1n),
  time('/etc/fixed', 1n),
  time('/etc/log', 1n),
  ...['/', '/etc', '/usr', '/usr/lib', '/usr/share', '/crowd', '/setgid', '/inherits'].map((path) =>
    time(path, 1_600_000_000_000_000_001n),
  ),
];

/** What cannot be done on CONTRACT_GROUND, and the error that says so. */
export const CONTRACT_REFUSALS: readonly (readonly [cause: string, operation: ResolvedOperation])[] = [
  ['NotFoundError', file('/no/such/file', '')],
  ['NotADirectoryError', file('/etc/app.conf/file', '')],
  ['NotADirectoryError', file('/usr/to-lib/file', '')],
  ['NotReplaceableError', file('/etc', '')],
  ['ImmutableFileError', file('/etc/fixed', '')],
  ['ImmutableFileError', file('/etc/log', '')],
  ['ImmutableFileError', file('/fixed/new', '')],
  ['NoSpaceError', file('/etc/too-large', Buffer.alloc(60_000_000, 1))],
  ['XattrError', file('/etc/attributes', '', xattrs({ 'unknown.namespace': 'x' }))],
  ['XattrError', file('/etc/attributes', '', xattrs({ 'system.posix_acl_access': 'nonsense' }))],
  ['NotReplaceableError', make('/etc/app.conf')],
  ['NotFoundError', make('/no/such')],
  ['ImmutableFileError', make('/fixed')],
  ['NotReplaceableError', symlink('/usr', 'x')],
  ['NotFoundError', symlink('/no/link', 'x')],
  ['NotReplaceableError', hardLink('/etc', '/usr/etc')],
  ['NotFoundError', hardLink('/etc/nothing', '/etc/name')],
  ['NotReplaceableError', hardLink('/etc/app.conf', '/usr')],
  ['ImmutableFileError', hardLink('/etc/fixed', '/etc/name')],
  ['NotReplaceableError', node('/usr', 'fifo')],
  ['NotFoundError', remove('/etc/nothing')],
  ['DirectoryNotEmptyError', remove('/usr')],
  ['ImmutableFileError', remove('/etc/fixed')],
  ['ImmutableFileError', remove('/logs/in')],
  ['NotFoundError', owner('/etc/nothing')],
  ['ImmutableFileError', owner('/etc/fixed')],
  ['InvalidPathError', file(`/etc/${'n'.repeat(256)}`, '')],
];
