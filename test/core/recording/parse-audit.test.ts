import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { SERVICE_CLIENTS } from '../../../core/recording/audit-actors';
import { AuditReader, type AuditResult } from '../../../core/recording/parse-audit';
import { parseRecording, parseRecordingLines } from '../../../core/recording/parse-recording';
import { ACTION_BITS } from '../../../core/recording/recording';
import {
  type PathSummary,
  type RecordingSummary,
  summarizeRecording,
} from '../../../core/recording/summarize-recording';

const { opened, read, written, created, removed, movedAway, movedHere, executed, attributes, isDirectory } =
  ACTION_BITS;

/** Real recordings of one update; its README tells how they were made. */
const FIXTURES = join(__dirname, '../../fixtures/recordings');
const fixture = (name: string): Buffer => readFileSync(join(FIXTURES, `${name}.gz`));
const summaries = Object.fromEntries(
  ['audit', 'strace', 'fanotify'].map((name) => [name, summarizeRecording(parseRecording(fixture(name)))]),
) as Record<'audit' | 'strace' | 'fanotify', RecordingSummary>;

describe('records of a real update', () => {
  const lines = gunzipSync(fixture('audit')).toString('latin1').split('\n');
  const facts = (path: string): PathSummary | undefined => summaries.audit.paths.get(path);

  test('are whole', () => {
    const { method, lost, warnings } = summaries.audit;
    expect({ method, lost }).toEqual({ method: 'audit', lost: false });
    expect(warnings).toEqual([expect.stringMatching(/a service .* may be its doing or not/)]);
  });

  test('tell of each path that changed what strace and fanotify tell', () => {
    // Names that sed made by chance; the script's own files; what only one of the three can see.
    const unlike = /\/sed[A-Za-z0-9]{6}$|^\/var\/lib\/imageelves\/|^\/root\/out\/|^\/var\/log\//;
    const changes = (summary: RecordingSummary): unknown =>
      [...summary.paths]
        .filter(([path, { changedByUpdate }]) => changedByUpdate === 'yes' && !unlike.test(path))
        .map(([path, { removed, renamedFrom = '' }]) => [
          path,
          removed,
          !unlike.test(renamedFrom) && renamedFrom,
        ])
        .sort();
    expect(changes(summaries.audit)).toEqual(changes(summaries.strace));
    const byFanotify = changes(summaries.fanotify) as [string][];
    // Where a directory is gone by the time that fanotify's events are read, what was in it has no path.
    const unseen = ['/srv/work/gone/sub', '/srv/work/gone/sub/file'];
    const byAudit = (changes(summaries.audit) as [string][]).filter(([path]) => !unseen.includes(path));
    // A daemon that was restarted is the update's to fanotify, and perhaps to audit.
    expect(byAudit).toEqual(byFanotify.filter(([path]) => path !== '/var/lib/worker.state'));
  });

  test('tell of each path that was read what strace tells', () => {
    const reads = ({ paths }: RecordingSummary): string[] =>
      [...paths].filter(([, { read, byUpdate }]) => read && byUpdate === 'yes').map(([path]) => path);
    // strace tells where an opened path ends, audit the path as it was given, and the loader that the kernel reads.
    const given = (path: string): string =>
      path.replace(/^\/usr\/(lib\/x86_64-linux-gnu\/)/, '/$1').replace(/(\.so\.\d+).*$/, '$1');
    const asGiven = (all: string[]): string[] =>
      [...new Set(all.filter((path) => !/sed[A-Za-z0-9]{6}$|\/imageelves\/|zoneinfo|localtime/.test(path)))]
        .map(given)
        .sort();
    const ofKernel = ['/bin/sh', '/lib64/ld-linux-x86-64.so.2'];
    // Opened by O_PATH, which reads nothing.
    const aPath = ['/srv/work/out/sub', '/srv/work/out/sub/deep'];
    expect(asGiven(reads(summaries.audit)).filter((path) => !ofKernel.includes(path))).toEqual([
      ...new Set(asGiven(reads(summaries.strace).filter((path) => !aPath.includes(path)))),
    ]);
  });

  test.each<[string, string, Partial<PathSummary>]>([
    ['what a child wrote before it was killed', '/srv/work/child-wrote', { changedByUpdate: 'yes' }],
    ['what an orphan wrote', '/srv/work/orphan-wrote', { changedByUpdate: 'yes' }],
    ['a name with a space', '/srv/work/made/with space', { changedByUpdate: 'yes' }],
    ['a name with a line break', '/srv/work/made/line\nbreak', { changedByUpdate: 'yes' }],
    ['a name in UTF-8', '/srv/work/made/café', { changedByUpdate: 'yes' }],
    ['a name in a folder that tar opened', '/srv/work/out/sub/deep/three', { changedByUpdate: 'yes' }],
    ['a name in a folder that rm opened', '/srv/work/gone/sub/file', { removed: true }],
    ['what dpkg renames', '/usr/bin/small', { renamedFrom: '/usr/bin/small.dpkg-new' }],
    ['what the postinst writes', '/var/lib/small/state', { changedByUpdate: 'yes' }],
    ['a program', '/usr/bin/dpkg', { executed: true, byUpdate: 'yes' }],
    ['what a restarted daemon wrote', '/var/lib/worker.state', { changedByUpdate: 'maybe' }],
    ['what another service wrote', '/var/lib/noise.state', { changedByUpdate: 'no', byOthers: true }],
    ['what another service renamed', '/var/lib/noise.moved', { changedByUpdate: 'no', byOthers: true }],
  ])('tell %s', (_, path, expected) => {
    expect(facts(path)).toMatchObject(expected);
  });

  const withLines = (changed: readonly string[]): RecordingSummary =>
    summarizeRecording(parseRecordingLines(changed.join('\n')));

  test.each<[string, (line: string, index: number) => boolean, RegExp]>([
    ['an event', (line) => !/:1500\): /.test(line), /records of 1 events are missing/],
    [
      'a record of a path',
      (line) => !/^type=PATH .*:(1500|1501|1502|1503|1504)\): item=0/.test(line),
      /not all records/,
    ],
    [
      'the last of them',
      (_, index) => index < lines.length / 2 || /^\{|^$/.test(lines[index]!),
      /not read to its end/,
    ],
    [
      'the process of the update',
      (line) => !/^imageelves root/.test(line),
      /process of the update is not known/,
    ],
    ['where they begin', (line) => !/audit-probe/.test(line), /where they begin and end/],
  ])('are lost when they lack %s', (_, isKept, why) => {
    const { lost, warnings } = withLines(lines.filter(isKept));
    expect(lost).toBe(true);
    expect(warnings.join()).toMatch(why);
  });

  test('may come in another order, but for those of one event', () => {
    const swapped = [...lines];
    const serial = (line: string): string | undefined => /^type=.*?:(\d+)\): /.exec(line)?.[1];
    for (let at = 0; at + 1 < swapped.length; at += 2) {
      const [a, b] = [swapped[at]!, swapped[at + 1]!];
      if (serial(a) && serial(b) && serial(a) !== serial(b)) [swapped[at], swapped[at + 1]] = [b, a];
    }
    expect(withLines(swapped).paths).toEqual(summaries.audit.paths);
  });
});

/** Records of one call after the other, between the two marks of the script, by a process that is the update's. */
class Records {
  private serial = 10;
  private readonly lines: string[] = ['imageelves root 7', 'imageelves process 1', 'imageelves process 5'];

  constructor() {
    this.mark('probe');
  }

  call(
    suffix: string,
    {
      pid = 7,
      parent = 5,
      args = [],
      exit = 0,
      cwd = '"/root"',
      paths = [],
      ...rest
    }: Partial<{
      pid: number;
      parent: number;
      args: readonly string[];
      exit: number;
      cwd: string;
      paths: readonly string[];
      more: string;
    }> = {},
  ): this {
    const event = `msg=audit(1700000000.000:${this.serial++}):`;
    const values = [0, 1, 2, 3].map((index) => `a${index}=${args[index] ?? 0}`).join(' ');
    this.lines.push(
      `type=SYSCALL ${event} arch=c000003e syscall=1 success=yes exit=${exit} ${values} items=${paths.length} ppid=${parent} pid=${pid} key="imageelves-x-${suffix}"`,
      ...('more' in rest ? [`${rest.more?.replace('EVENT', event)}`] : []),
      ...(paths.length > 0 && cwd !== '' ? [`type=CWD ${event} cwd=${cwd}`] : []),
      ...paths.map((path, index) => `type=PATH ${event} item=${index} ${path}`),
    );
    return this;
  }

  line(line: string): this {
    this.lines.push(line);
    return this;
  }

  result(): AuditResult {
    this.mark('end').line('imageelves followed');
    const reader = new AuditReader();
    for (const line of this.lines) reader.take(line);
    return reader.result();
  }

  private mark(name: string): this {
    const path = item(`"/var/lib/imageelves/recording-x/audit-${name}-1"`, 'CREATE', { inode: 99 });
    return this.call('openat', { pid: 5, parent: 1, args: ['ffffff9c', '0', '241'], paths: [path] });
  }
}

function item(
  name: string,
  kind: string,
  { inode = 1, mode = '0100644' }: { inode?: number; mode?: string } = {},
): string {
  return `name=${name} inode=${inode} dev=fe:00 mode=${mode} nametype=${kind}`;
}

function own(records: Records): Record<string, number> {
  const { paths, end } = records.result();
  expect(end.failure).toBeUndefined();
  return Object.fromEntries(paths.filter((path) => path.own !== 0).map((path) => [path.path, path.own]));
}

const AT_CWD = 'ffffff9c';
const DIRECTORY = { mode: '040755' };

test.each<[string, Parameters<Records['call']>, Record<string, number>]>([
  [
    'a read, relative to the working directory',
    ['openat', { args: [AT_CWD, '0', '80000'], paths: [item('"x"', 'NORMAL')] }],
    { '/root/x': opened | read },
  ],
  [
    'a file that is made',
    ['openat', { args: [AT_CWD, '0', '241'], paths: [item('"/a/"', 'PARENT'), item('"/a/x"', 'CREATE')] }],
    { '/a/x': opened | written | created },
  ],
  [
    'a name that is no UTF-8',
    ['openat', { args: [AT_CWD, '0', '0'], paths: [item('2F61FF', 'NORMAL')] }],
    { '/a\udcff': opened | read },
  ],
  [
    'a working directory with a space',
    ['open', { args: ['0', '0'], cwd: '2F6120622F', paths: [item('"x"', 'NORMAL')] }],
    { '/a b/x': opened | read },
  ],
  ['a path alone', ['openat', { args: [AT_CWD, '0', '200000'], paths: [item('"/a"', 'NORMAL')] }], {}],
  [
    'an unnamed file',
    ['openat', { args: [AT_CWD, '0', '410002'], paths: [item('"/a"', 'NORMAL', DIRECTORY)] }],
    {},
  ],
  [
    'openat2 with its flags',
    [
      'openat2',
      {
        args: [AT_CWD],
        more: 'type=OPENAT2 EVENT oflag=0100002 mode=0 resolve=0x8',
        paths: [item('"/a"', 'NORMAL')],
      },
    ],
    { '/a': opened | read | written },
  ],
  ['truncate', ['truncate', { paths: [item('"/a"', 'NORMAL')] }], { '/a': written }],
  ['chmod', ['attributesat', { args: [AT_CWD], paths: [item('"/a"', 'NORMAL')] }], { '/a': attributes }],
  [
    'a directory removed',
    ['name', { paths: [item('"/"', 'PARENT', DIRECTORY), item('"/d"', 'DELETE', DIRECTORY)] }],
    { '/d': removed | isDirectory },
  ],
  [
    'a rename that overwrites, of an older kernel',
    [
      'twonames',
      {
        args: [AT_CWD, '0', AT_CWD],
        paths: [
          item('"/a/"', 'PARENT', DIRECTORY).replace('nametype', 'objtype'),
          item('"/b/"', 'PARENT', DIRECTORY),
          item('"/a/x"', 'DELETE'),
          item('"/b/y"', 'DELETE', { inode: 2 }),
          item('"/b/y"', 'CREATE'),
        ],
      },
    ],
    { '/a/x': movedAway, '/b/y': movedHere },
  ],
  [
    'a script, its shell and the loader',
    ['exec', { paths: [item('"./s"', 'NORMAL'), item('"/bin/sh"', 'NORMAL')] }],
    { '/root/s': opened | executed | read, '/bin/sh': opened | executed | read },
  ],
  ['the runtime filesystems', ['open', { paths: [item('"/proc/self/maps"', 'NORMAL')] }], {}],
])('reads %s', (_, [suffix, call], expected) => {
  expect(own(new Records().call(suffix, call))).toEqual(expected);
});

const openFolder = (records: Records, name: string, descriptor: number, at = AT_CWD): Records =>
  records.call('openat', {
    args: [at, '0', '90800'],
    exit: descriptor,
    paths: [item(`"${name}"`, 'NORMAL', { ...DIRECTORY, inode: 100 + descriptor })],
  });

test('names are relative to directories that were opened, copied, inherited and renamed', () => {
  const records = openFolder(openFolder(new Records(), '/a', 3), 'b', 4, '3');
  const unlink = (descriptor: string, name: string, pid = 7): Records =>
    records.call('nameat', {
      pid,
      args: [descriptor],
      // What audit calls the parent is wrong here.
      paths: [item('"/root"', 'PARENT', { inode: 1000 }), item(`"${name}"`, 'DELETE')],
    });
  unlink('4', 'one');
  records.call('dup', { args: ['4'], exit: 10 }).call('fork', { exit: 8 });
  unlink('a', 'two', 8);
  records.call('name', {
    paths: [item('"/"', 'PARENT'), item('"/a"', 'DELETE', DIRECTORY), item('"/c"', 'CREATE', DIRECTORY)],
  });
  unlink('4', 'three', 8);
  const { paths, end } = records.result();
  expect(end.failure).toBeUndefined();
  expect(paths.filter(({ own }) => own === removed).map(({ path }) => path)).toEqual([
    '/a/b/one',
    '/a/b/two',
    '/c/b/three',
  ]);
});

test('what has no name is known by its inode', () => {
  const records = new Records().call('open', {
    args: ['0', '2'],
    paths: [item('"/a"', 'NORMAL', { inode: 77 })],
  });
  records.call('attributes', { paths: [item('(null)', 'NORMAL', { inode: 77 })] });
  expect(own(records)['/a']).toBe(opened | read | written | attributes);
});

test.each<[string, (records: Records) => Records, RegExp]>([
  [
    'a directory that is not known',
    (records) => records.call('nameat', { args: ['9'], paths: [item('"x"', 'DELETE')] }),
    /of 1 calls of the update the directory is not known/,
  ],
  [
    'no working directory',
    (records) => records.call('name', { cwd: '', paths: [item('"x"', 'DELETE')] }),
    /directory is not known/,
  ],
  [
    'another root directory',
    (records) => records.call('root', { paths: [item('"/a"', 'NORMAL')] }),
    /its root directory/,
  ],
  [
    'auditing that was switched off',
    (records) =>
      records.line('type=CONFIG_CHANGE msg=audit(1700000000.000:11): op=set audit_enabled=0 old=1'),
    /switched off meanwhile/,
  ],
  ['what the script says', (records) => records.line('imageelves failure no disk'), /^no disk/],
])('the recording is lost by %s', (_, change, why) => {
  expect(change(new Records()).result().end.failure).toMatch(why);
});

test.each([
  ['5 8', 3],
  ['5 0', 1],
  ['x', 1],
])('records that the kernel says it lost are overflows: %s', (counters, overflows) => {
  expect(new Records().line(`imageelves lost ${counters}`).result().end).toMatchObject({ overflows });
});

describe('whose a process is', () => {
  const write = (records: Records, pid: number, parent: number, path: string): Records =>
    records.call('open', { pid, parent, args: ['0', '1'], paths: [item(`"${path}"`, 'NORMAL')] });
  const bits = (records: Records): Record<string, string> =>
    Object.fromEntries(
      records
        .result()
        .paths.filter(({ path }) => !path.startsWith('/var'))
        .map(({ path, own, unsure }) => [path, own ? 'own' : unsure ? 'unsure' : 'other']),
    );

  test('a child’s record may come before that of the fork, and it outlives its parent', () => {
    const records = write(new Records(), 9, 1, '/orphan').call('fork', { pid: 8, parent: 7, exit: 9 });
    records.call('fork', { exit: 8 });
    expect(bits(write(records, 8, 7, '/child'))).toEqual({ '/orphan': 'own', '/child': 'own' });
  });

  test('a number of a process that has ended may be given to another’s', () => {
    const records = new Records().call('fork', { exit: 8 });
    const later = (text: string): string => text.replace('1700000000', '1700000001');
    write(records, 8, 7, '/mine');
    const fork = 'arch=c000003e success=yes exit=8 a0=0 a1=0 a2=0 a3=0 items=0 ppid=1 pid=5';
    records.line(later(`type=SYSCALL msg=audit(1700000000.000:13): ${fork} key="imageelves-x-fork"`));
    expect(bits(records)).toEqual({ '/mine': 'own' });
  });

  test('services that are begun after the service manager was called are perhaps the update’s', () => {
    const records = write(write(new Records(), 20, 1, '/before'), 5, 1, '/old');
    records.call('exec', { paths: [item('"/usr/bin/systemctl"', 'NORMAL')] });
    write(write(write(records, 21, 1, '/after'), 22, 21, '/child'), 5, 1, '/old');
    expect(bits(records)).toEqual({
      ...{ '/usr/bin/systemctl': 'own', '/before': 'other', '/old': 'other' },
      ...{ '/after': 'unsure', '/child': 'unsure' },
    });
  });

  test('both recorders know the same programs that begin services', () => {
    const python = readFileSync(join(__dirname, '../../../recorder/actors.py'), 'utf8');
    const names = /SERVICE_CLIENTS = \{(.*?)\}/s.exec(python)![1]!.matchAll(/b"([^"]+)"/g);
    expect([...SERVICE_CLIENTS].sort()).toEqual([...names].map(([, name]) => name).sort());
  });
});

test('nothing that a log could hold breaks it', () => {
  const piece = fc.constantFrom(
    ...[
      'type=SYSCALL ',
      'type=PATH ',
      'type=CWD ',
      'msg=audit(1.000:1): ',
      'msg=audit(1.000:2): ',
      'items=1 ',
    ],
    ...[
      'pid=7 ',
      'ppid=5 ',
      'key="imageelves-x-twonames"',
      'key="imageelves-x-openat"',
      'exit=-1 ',
      'a0=ffffffffffffffff ',
    ],
    ...[
      'name="/a" ',
      'name=(null) ',
      'name=2F',
      'name=GG ',
      'nametype=DELETE',
      'mode=040755 ',
      'inode=1 dev=fe:00 ',
    ],
    ...[
      'imageelves root 7',
      'imageelves process x',
      'imageelves lost',
      '\n',
      '\n',
      ' ',
      'cwd="a"',
      'constructor',
    ],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const reader = new AuditReader();
      for (const line of pieces.join('').split('\n')) reader.take(line);
      expect(reader.result().end.failure).toBeDefined();
    }),
  );
});
