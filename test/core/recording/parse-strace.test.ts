import fc from 'fast-check';
import { StraceReader } from '../../../core/recording/parse-strace';
import { ACTION_BITS } from '../../../core/recording/recording';

const { opened, read, written, removed, movedAway, movedHere, created, isDirectory, executed } = ACTION_BITS;

function pathsOf(...lines: readonly string[]): Record<string, number> {
  const reader = new StraceReader('/root');
  for (const line of lines) reader.take(line);
  return Object.fromEntries(reader.result().paths.map(({ path, own }) => [path, own]));
}

test.each<[string, string, Record<string, number>]>([
  [
    'a read',
    '7 openat(AT_FDCWD</root>, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3</etc/passwd>',
    { '/etc/passwd': opened | read },
  ],
  [
    'a write',
    '7 openat(AT_FDCWD</root>, "a", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3</root/a>',
    { '/root/a': opened | written },
  ],
  [
    'a call that failed',
    '7 openat(AT_FDCWD</root>, "/no", O_RDONLY) = -1 ENOENT (No such file or directory)',
    {},
  ],
  [
    'a program',
    '7 execve("/bin/cat", ["cat", "a, b)"], 0x7ffd /* 3 vars */) = 0',
    { '/bin/cat': opened | executed | read },
  ],
  ['a removal below a descriptor', '7 unlinkat(4</tmp/d>, "f", 0) = 0', { '/tmp/d/f': removed }],
  [
    'a directory removed',
    '7 unlinkat(AT_FDCWD</root>, "d", AT_REMOVEDIR) = 0',
    { '/root/d': removed | isDirectory },
  ],
  ['a rename', '7 rename("/a/../b", "c") = 0', { '/b': movedAway, '/root/c': movedHere }],
  [
    'a name with a quote, a newline and no UTF-8',
    '7 mkdir("/a\\"\\n\\377", 0777) = 0',
    { '/a"\n\udcff': created | isDirectory },
  ],
  ['the runtime filesystems', '7 openat(AT_FDCWD</root>, "/proc/self/maps", O_RDONLY) = 3</proc/7/maps>', {}],
  [
    'openat2',
    '7 openat2(AT_FDCWD</root>, "x", {flags=O_RDWR, resolve=0}, 24) = 3</root/x>',
    { '/root/x': opened | read | written },
  ],
  ['a signal', '7 --- SIGCHLD {si_signo=SIGCHLD} ---', {}],
])('reads %s', (_, line, expected) => {
  expect(pathsOf(line)).toEqual(expected);
});

test('a call that was interrupted is put together again', () => {
  expect(
    pathsOf('7 unlink("/a" <unfinished ...>', '8 unlink("/b") = 0', '7 <... unlink resumed>) = 0'),
  ).toEqual({ '/a': removed, '/b': removed });
});

test('a process works in the folder that it went to, and so do its children', () => {
  expect(
    pathsOf(
      '7 chdir("/srv") = 0',
      '7 clone(child_stack=NULL, flags=SIGCHLD) = 8',
      '8 unlink("x") = 0',
      '7 chdir("..") = 0',
      '7 unlink("y") = 0',
    ),
  ).toEqual({ '/srv/x': removed, '/y': removed });
});

test('nothing that strace could print breaks it', () => {
  const piece = fc.constantFrom(
    '7 ',
    'unlink(',
    '"',
    '\\',
    '\\377',
    '<',
    '>',
    ' = ',
    '3</a>',
    '<unfinished ...>',
    '<... unlink resumed>',
    ', ',
    '{',
    ')',
    'x',
    'constructor(',
    '/',
  );
  fc.assert(fc.property(fc.array(piece), (pieces) => void pathsOf(pieces.join(''))));
});
