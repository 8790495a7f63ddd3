import { ManifestMismatchError } from '../../../core/apply/apply-errors';
import { listImage } from '../../support/image-listing';
import {
  captureOf,
  machineOf,
  type MemoryUpdate,
  offline,
  online,
  type OwnValues,
} from '../../support/value-machines';
import type { MemoryFilesystem } from '../../support/memory-filesystem';

const own: OwnValues = {
  host: 'web01',
  machineId: '0123456789abcdef0123456789abcdef',
  uuid: '6f2c1a4e-9c3b-4b8e-8b3e-2f1d0c9b8a76',
};
const other: OwnValues = {
  host: 'web02',
  machineId: 'fedcba9876543210fedcba9876543210',
  uuid: '11111111-2222-4333-8444-555555555555',
};

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n';
const GROUP = 'root:x:0:\nnogroup:x:65534:\n';

/** A machine with these accounts besides, each with a group of its number. */
function machine(
  values: OwnValues,
  accounts: Readonly<Record<string, number>> = {},
): Promise<MemoryFilesystem> {
  const lines = Object.entries(accounts);
  return machineOf(values, {
    '/etc/passwd': PASSWD + lines.map(([name, id]) => `${name}:x:${id}:${id}::/:/bin/false\n`).join(''),
    '/etc/group': GROUP + lines.map(([name, id]) => `${name}:x:${id}:\n`).join(''),
  });
}

async function ids(filesystem: MemoryFilesystem, path: string): Promise<Map<string, number>> {
  const text = Buffer.from(await filesystem.readFile(path)).toString();
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => [line.split(':')[0]!, Number(line.split(':')[2])]),
  );
}

async function append(filesystem: MemoryFilesystem, path: string, line: string): Promise<void> {
  await filesystem.put(path, `${Buffer.from(await filesystem.readFile(path)).toString()}${line}\n`);
}

type Choice = (users: ReadonlySet<number>, groups: ReadonlySet<number>) => [user: number, group: number];

const firstFree: Choice = (users, groups) => {
  const next = (taken: ReadonlySet<number>): number => {
    let id = 100;
    while (taken.has(id)) id++;
    return id;
  };
  return [next(users), next(groups)];
};

const belowLowest: Choice = (users, groups) => {
  const next = (taken: ReadonlySet<number>): number =>
    Math.min(1000, ...[...taken].filter((id) => id > 100 && id < 1000)) - 1;
  const user = next(users);
  return [user, groups.has(user) ? next(groups) : user];
};

/** Makes a user with a group, a folder and a file of its own, an ACL for it, as a package's script would. */
function makesUser(choose: Choice): MemoryUpdate {
  return async (filesystem) => {
    const users = await ids(filesystem, '/etc/passwd');
    const groups = await ids(filesystem, '/etc/group');
    const [user, group] = choose(new Set(users.values()), new Set(groups.values()));
    await append(filesystem, '/etc/passwd', `daemon-x:x:${user}:${group}::/var/lib/x:/usr/sbin/nologin`);
    await append(filesystem, '/etc/group', `daemon-x:x:${group}:`);
    await filesystem.put('/var/lib/x/data', 'data\n', { uid: user, gid: group });
    const acl = Buffer.alloc(4 + 8 * 5);
    acl.writeUInt32LE(2, 0);
    [
      [1, 7, -1],
      [2, 5, user],
      [4, 5, -1],
      [16, 5, -1],
      [32, 0, -1],
    ].forEach(([tag, permissions, id], index) => {
      acl.writeUInt16LE(tag!, 4 + index * 8);
      acl.writeUInt16LE(permissions!, 6 + index * 8);
      acl.writeInt32LE(id!, 8 + index * 8);
    });
    await filesystem.put('/srv/shared', 'shared\n', { xattrs: new Map([['system.posix_acl_access', acl]]) });
  };
}

describe('a user that an update makes', () => {
  it.each([
    [
      'adduser, which counts up',
      firstFree,
      { a: 100 },
      { a: 100, b: 101 },
      { a: 100, c: 102, d: 101, e: 103 },
    ],
    ['adduser, into a gap', firstFree, { a: 100 }, { a: 100 }, { a: 101 }],
    ['useradd, which counts down', belowLowest, { a: 999 }, { a: 997 }, { a: 999, b: 995 }],
  ])('gets the number that the tool would choose: %s', async (_, choose, here, there, third) => {
    const update = makesUser(choose);
    const [a, b, c] = [await machine(own, here), await machine(other, there), await machine(own, third)];
    const captured = await captureOf(await online(a, own, update), await online(b, other, update));
    expect(captured.manifest.onlyOnline).toBeUndefined();
    const made = await offline(c, captured);
    expect(await listImage(made)).toEqual(await listImage((await online(c, own, update)).after));
  });

  it('is not guessed where the rules that fit give different numbers', async () => {
    const update = makesUser(firstFree);
    const captured = await captureOf(await online(await machine(own), own, update), undefined);
    // Free for users is 100, and for both 101: which of the two adduser it was, one machine does not tell.
    const c = await machine(other);
    await append(c, '/etc/group', 'late:x:100:');
    await expect(offline(c, captured)).rejects.toThrow(ManifestMismatchError);
    const d = await machine(other, { a: 100 });
    expect(await listImage(await offline(d, captured))).toEqual(
      await listImage((await online(d, other, update)).after),
    );
  });

  it('keeps a number that was asked for, unless it is taken', async () => {
    const update = makesUser(() => [555, 555]);
    const [a, b] = [await machine(own, { a: 100 }), await machine(other, { a: 998 })];
    const captured = await captureOf(await online(a, own, update), await online(b, other, update));
    const c = await machine(own, { z: 444 });
    expect(await listImage(await offline(c, captured))).toEqual(
      await listImage((await online(c, own, update)).after),
    );
    await expect(offline(await machine(own, { z: 555 }), captured)).rejects.toThrow(ManifestMismatchError);
  });
});

describe('an ordinary user whose number was asked for and is the next one too', () => {
  const update = makesUser(() => [1001, 1001]);

  it('is made only where these are the same: which of the two it was, no machine tells', async () => {
    const [a, b] = [await machine(own, { ann: 1000 }), await machine(other, { bob: 1000 })];
    const captured = await captureOf(await online(a, own, update), await online(b, other, update));
    const c = await machine(other, { eve: 1000 });
    expect(await listImage(await offline(c, captured))).toEqual(
      await listImage((await online(c, other, update)).after),
    );
    for (const others of [
      { eve: 1000, mia: 1005 },
      { eve: 1000, mia: 1001 },
    ])
      await expect(offline(await machine(other, others), captured)).rejects.toThrow(ManifestMismatchError);
  });
});

describe('a range of subordinate ids that an update gives a user', () => {
  it('goes only to machines on which it is the first one that is free', async () => {
    const update: MemoryUpdate = (filesystem) => append(filesystem, '/etc/subuid', 'ada:165536:65536');
    const withRanges = async (values: OwnValues, text: string): Promise<MemoryFilesystem> => {
      const filesystem = await machine(values);
      await filesystem.put('/etc/subuid', text);
      return filesystem;
    };
    const a = await withRanges(own, 'bob:100000:65536\n');
    const captured = await captureOf(await online(a, own, update), undefined);
    const c = await withRanges(other, 'eve:100000:65536\n');
    expect(await listImage(await offline(c, captured))).toEqual(
      await listImage((await online(c, other, update)).after),
    );
    for (const text of ['', 'eve:100000:65536\nmia:165536:65536\n', 'eve:200000:65536\n'])
      await expect(offline(await withRanges(other, text), captured)).rejects.toThrow(ManifestMismatchError);
  });
});

describe('an account that was there before', () => {
  const update: MemoryUpdate = async (filesystem) => {
    const uid = (await ids(filesystem, '/etc/passwd')).get('app')!;
    const gid = (await ids(filesystem, '/etc/group')).get('app')!;
    await filesystem.put('/var/lib/x/more', 'more\n', { uid, gid });
    await filesystem.put('/etc/x.conf', 'new\n', { uid, gid, mode: 0o640 });
  };
  const withFile = async (values: OwnValues, id: number): Promise<MemoryFilesystem> => {
    const filesystem = await machine(values, { other: id - 1, app: id });
    await filesystem.put('/etc/x.conf', 'old\n', { uid: id, gid: id, mode: 0o640 });
    return filesystem;
  };

  it('owns what is its own under its number on each machine', async () => {
    const captured = await captureOf(
      await online(await withFile(own, 105), own, update),
      await online(await withFile(other, 105), other, update),
    );
    const c = await withFile(other, 120);
    expect(await listImage(await offline(c, captured))).toEqual(
      await listImage((await online(c, other, update)).after),
    );
  });

  it('must be there', async () => {
    const captured = await captureOf(await online(await withFile(own, 105), own, update), undefined);
    const c = await machine(other, { another: 105 });
    await c.put('/etc/x.conf', 'old\n', { uid: 105, gid: 105, mode: 0o640 });
    await expect(offline(c, captured)).rejects.toThrow(ManifestMismatchError);
  });

  it('may get a member on machines where its group has another number', async () => {
    const joins: MemoryUpdate = async (filesystem) => {
      const text = Buffer.from(await filesystem.readFile('/etc/group')).toString();
      await filesystem.put('/etc/group', text.replace(/^(app:x:\d+:)$/m, '$1nobody'));
    };
    const captured = await captureOf(await online(await machine(own, { app: 105 }), own, joins), undefined);
    const c = await machine(other, { app: 120 });
    expect(await listImage(await offline(c, captured))).toEqual(
      await listImage((await online(c, other, joins)).after),
    );
  });
});
