import { decodeName } from '../../../core/bytes/names';
import { ManifestMismatchError } from '../../../core/apply/apply-errors';
import { PackedContents } from '../../../core/chunk-store/packed-contents';
import { renderManifest } from '../../../core/render/render-manifest';
import { ORIGINAL_VALUES_PATH, originalValuesText } from '../../../core/variation/original-values';
import { pointsOfVariation } from '../../../core/variation/points-of-variation';
import { listImage } from '../../support/image-listing';
import {
  captureOf,
  imageOf,
  machineOf,
  type MemoryUpdate,
  offline,
  online,
  type OwnValues,
} from '../../support/value-machines';

const web: OwnValues = {
  host: 'web01',
  domain: 'example.org',
  machineId: '0123456789abcdef0123456789abcdef',
  uuid: '6f2c1a4e-9c3b-4b8e-8b3e-2f1d0c9b8a76',
  address: '10.0.0.11',
};
const mail: OwnValues = {
  host: 'mail-b',
  domain: 'example.org',
  machineId: 'fedcba9876543210fedcba9876543210',
  uuid: '11111111-2222-4333-8444-555555555555',
  address: '10.0.0.122',
};
const db: OwnValues = {
  host: 'database7',
  domain: 'example.org',
  machineId: '00112233445566778899aabbccddeeff',
  uuid: 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee',
  address: '10.0.0.3',
};

const put =
  (path: string, content: (own: OwnValues) => string): MemoryUpdate =>
  (filesystem, own) =>
    filesystem.put(path, content(own));

/** Runs the update on two machines, and gives what it comes to on a third, offline and online. */
async function onThird(
  update: MemoryUpdate,
  third: OwnValues = db,
  files: (own: OwnValues) => Record<string, string> = () => ({}),
) {
  const [a, b, c] = [
    await machineOf(web, files(web)),
    await machineOf(mail, files(mail)),
    await machineOf(third, files(third)),
  ];
  const captured = await captureOf(await online(a, web, update), await online(b, mail, update));
  const made = await offline(c, captured);
  const expected = (await online(c, third, update)).after;
  return {
    captured,
    made: await listImage(made),
    expected: await listImage(expected),
    manifest: captured.manifest,
  };
}

describe('what an update wrote on two machines', () => {
  it.each<[string, (own: OwnValues) => string]>([
    ['host name', ({ host }) => `name = ${host}\n`],
    ['full name', ({ host, domain }) => `myhostname = ${host}.${domain}\nmydestination = ${host}\n`],
    [
      'machine-id, also with dashes and in capitals',
      ({ machineId }) =>
        `${machineId}\n${machineId.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}\n${machineId.toUpperCase()}\n`,
    ],
    ['UUID of the root', ({ uuid }) => `linux /vmlinuz root=UUID=${uuid} ro\n`],
    ['address', ({ address }) => `listen ${address}:80;\n`],
    ['nothing of its own', () => 'colour = blue\n'],
  ])('becomes each machine’s own: %s', async (_, content) => {
    const { made, expected } = await onThird(put('/etc/app.conf', content));
    expect(made).toEqual(expected);
  });

  it('stands as it is where a name is only a word: the second machine has it too', async () => {
    const { made, expected, manifest } = await onThird(
      put('/etc/app.conf', ({ host }) => `web01 database7 ${host}\n`),
    );
    expect(made).toEqual(expected);
    expect(manifest.operations).toMatchObject([{ substitutions: [{ value: 'host-name', offsetBytes: 16 }] }]);
  });

  it('goes by what the file held before, each machine’s own values taken out', async () => {
    const update: MemoryUpdate = async (filesystem, { host }) =>
      filesystem.put('/etc/app.conf', `name = ${host}\ncolour = blue\n`);
    const files = ({ host }: OwnValues) => ({ '/etc/app.conf': `name = ${host}\n` });
    const { made, expected } = await onThird(update, db, files);
    expect(made).toEqual(expected);
    // Where another machine's name stands in the file, the update would do something else.
    const strange = () => ({ '/etc/app.conf': 'name = web01\n' });
    await expect(onThird(update, db, (own) => (own === db ? strange() : files(own)))).rejects.toThrow(
      ManifestMismatchError,
    );
  });

  it('may be a name that many machines have, where the second machine proves it', async () => {
    const update = put('/etc/app.conf', ({ host }) => `name = ${host}\n`);
    const { made, expected } = await onThird(update, { ...db, host: 'server' });
    expect(made).toEqual(expected);
  });

  it('is not the same where a link leads to names that are no UTF-8, and are two', async () => {
    const update: MemoryUpdate = async (filesystem, { host }) => {
      const target = decodeName(Uint8Array.of(0x2f, host === 'web01' ? 0xfe : 0xff));
      await filesystem.symlink('/etc/app.link', target, {
        ...{ mode: 0o777, uid: 0, gid: 0, mtimeNs: 1n, xattrs: new Map<string, Uint8Array>() },
      });
    };
    const captured = await captureOf(
      await online(await machineOf(web), web, update),
      await online(await machineOf(mail), mail, update),
    );
    expect(captured.manifest.onlyOnline).toEqual([expect.stringContaining('/etc/app.link')]);
  });

  it('keeps the time at which it ran', async () => {
    const capturedAt = new Date('2026-11-20T12:00:00Z');
    const update = put(
      '/etc/app.conf',
      ({ host }) => `# made ${host === 'web01' ? '2026-11-20 11:02:03' : '2026-11-20 11:05:59'}\n`,
    );
    const [a, b] = [await machineOf(web), await machineOf(mail)];
    const captured = await captureOf(await online(a, web, update), await online(b, mail, update), {
      capturedAt,
    });
    expect(captured.manifest.decisions?.paths).toMatchObject([{ path: '/etc/app.conf', decision: 'kept' }]);
    expect(captured.manifest.onlyOnline).toBeUndefined();
  });

  it('is left out where it is random and a machine’s state, and refused where the file must be', async () => {
    const random: MemoryUpdate = async (filesystem, { machineId }) =>
      filesystem.put('/var/lib/app/seed', Buffer.from(machineId.split('').reverse().join(''), 'hex'));
    const { captured } = await onThird(random);
    expect(captured.manifest.operations).toEqual([]);
    expect(captured.manifest.warnings).toEqual([expect.stringContaining('/var/lib/app/seed is left out')]);
    const secret = put('/etc/app/secret', ({ machineId }) => machineId.split('').reverse().join(''));
    await expect(onThird(secret)).rejects.toThrow(ManifestMismatchError);
  });

  it('is told apart where values may be meant in two ways', async () => {
    const update = put('/etc/app.conf', ({ host, domain }) => `name = ${host}.${domain}\n`);
    const { made, expected } = await onThird(update, { ...db, domain: 'example.org' });
    expect(made).toEqual(expected);
    // Nobody knows whether the domain is each machine's own or is written so: that machine gets its own run.
    await expect(onThird(update, { ...db, domain: 'other.net' })).rejects.toThrow(ManifestMismatchError);
  });

  it('does not go to a machine whose value is of another length where the format counts it', async () => {
    const [a, b] = [web, { ...mail, host: 'web02' }];
    const update = put('/etc/app.conf', ({ host }) => `s:${host.length}:"${host}"\n`);
    const machines = [
      await machineOf(a),
      await machineOf(b),
      await machineOf(db),
      await machineOf({ ...db, host: 'web77' }),
    ];
    const captured = await captureOf(
      await online(machines[0]!, a, update),
      await online(machines[1]!, b, update),
    );
    await expect(offline(machines[2]!, captured)).rejects.toThrow(ManifestMismatchError);
    const fits = await offline(machines[3]!, captured);
    expect(Buffer.from(await fits.readFile('/etc/app.conf')).toString()).toBe('s:5:"web77"\n');
  });

  it('may stand in paths', async () => {
    const update: MemoryUpdate = async (filesystem, { host, machineId }) => {
      await filesystem.put(`/boot/${machineId}/entry/conf`, `${machineId}\n`);
      await filesystem.link(`/boot/${machineId}/entry/conf`, `/boot/${machineId}/link`);
      await filesystem.put(`/etc/app/${host}.conf`, 'here\n');
      await filesystem.remove(`/var/lib/old/${machineId}/x`);
      await filesystem.remove(`/var/lib/old/${machineId}`);
    };
    const files = ({ machineId }: OwnValues) => ({ [`/var/lib/old/${machineId}/x`]: 'x\n' });
    const { made, expected, manifest } = await onThird(update, db, files);
    expect(made).toEqual(expected);
    expect(
      manifest.operations.filter(({ pathSubstitutions }) => pathSubstitutions === undefined),
    ).toHaveLength(2);
  });

  it('never leads out of its folder', async () => {
    const update = put('/etc/app/placeholder', () => 'x\n');
    const named: MemoryUpdate = async (filesystem, own) => {
      await update(filesystem, own);
      await filesystem.put(`/etc/app/${own.host.replaceAll('/', '-')}`, 'here\n');
    };
    await expect(onThird(named, { ...db, host: '../../etc/shadow' })).rejects.toThrow(ManifestMismatchError);
    await expect(onThird(named, { ...db, host: '..' })).rejects.toThrow(ManifestMismatchError);
  });

  it('is no second data point from a machine of another class', async () => {
    const update = put('/etc/app.conf', ({ host }) => `name = ${host}\n`);
    const [a, b] = [
      await machineOf(web, { '/etc/app.conf': 'old\n' }),
      await machineOf(mail, { '/etc/app.conf': 'older\n' }),
    ];
    const { manifest } = await captureOf(await online(a, web, update), await online(b, mail, update));
    expect(manifest.operations).toMatchObject([{ path: '/etc/app.conf', holdsIdentity: ['host name'] }]);
  });

  it('rendered for the representative is the manifest itself', async () => {
    const update: MemoryUpdate = async (filesystem, { host, machineId, uuid }) => {
      await filesystem.put('/etc/app.conf', `${host} ${machineId} ${uuid}\n`);
      await filesystem.symlink('/etc/app.link', `/srv/${host}`, {
        mode: 0o777,
        uid: 0,
        gid: 0,
        mtimeNs: 1n,
        xattrs: new Map(),
      });
    };
    const { captured } = await onThird(update);
    const { manifest, packs } = captured;
    const image = await imageOf(await machineOf(web));
    const rendered = await renderManifest(manifest, image, new PackedContents(packs, manifest.packs));
    expect(rendered.differences).toEqual([]);
    expect(rendered.manifest).toEqual(manifest);
  });
});

/** Clones were written to before: their clock is another. */
const withoutTimes = (entries: Record<string, string>): string[] =>
  Object.entries(entries).map(([path, facts]) => `${path} ${facts.replace(/\d{19}/, '')}`);

describe('a clone', () => {
  /** A copy under another name and machine-id, in whose files the original's still stand. */
  async function cloneOf(own: OwnValues, files: Readonly<Record<string, string>>) {
    const values: OwnValues = {
      ...own,
      host: `imageelves-clone-0123456789ab-${own.uuid.slice(-6)}`,
      machineId: own.machineId.split('').reverse().join(''),
    };
    const original = await imageOf(await machineOf(own, files));
    const filesystem = await machineOf(values, files);
    await filesystem.put(ORIGINAL_VALUES_PATH, originalValuesText(await pointsOfVariation(original)));
    return { values, filesystem };
  }
  const update: MemoryUpdate = async (filesystem, { host }) => {
    const text = Buffer.from(await filesystem.readFile('/etc/app.conf')).toString();
    await filesystem.put('/etc/app.conf', `${text}peer = ${host}\n`);
  };
  const files = ({ host }: OwnValues) => ({ '/etc/app.conf': `name = ${host}\n` });

  it.each([
    ['beside a live machine', false],
    ['beside another clone', true],
  ])('tells of its original as well: %s', async (_, both) => {
    const a = both
      ? await cloneOf(web, files(web))
      : { values: web, filesystem: await machineOf(web, files(web)) };
    const b = await cloneOf(mail, files(mail));
    const captured = await captureOf(
      await online(a.filesystem, a.values, update),
      await online(b.filesystem, b.values, update),
    );
    for (const own of [db, mail]) {
      const machine = await machineOf(own, files(own));
      const made = await offline(machine, captured);
      const expected = (await online(machine, own, update)).after;
      expect(withoutTimes(await listImage(made))).toEqual(withoutTimes(await listImage(expected)));
    }
  });

  it('alone tells what is its own name, which is no word, and not what may be its original’s', async () => {
    const a = await cloneOf(web, files(web));
    const named = put('/etc/new.conf', ({ host }) => `peer = ${host}\n`);
    const captured = await captureOf(await online(a.filesystem, a.values, named), undefined);
    const machine = await machineOf(web, files(web));
    const made = await offline(machine, captured);
    expect(Buffer.from(await made.readFile('/etc/new.conf')).toString()).toBe('peer = web01\n');
    const { manifest } = await captureOf(await online(a.filesystem, a.values, update), undefined);
    expect(manifest.operations).toMatchObject([{ path: '/etc/app.conf', holdsIdentity: ['host name'] }]);
  });
});

describe('the representative alone', () => {
  it('gives places only to values that are surely its own', async () => {
    const update: MemoryUpdate = async (filesystem, { host, machineId, uuid }) => {
      await filesystem.put('/etc/sure.conf', `${machineId} ${uuid}\n`);
      await filesystem.put('/etc/word.conf', `name = ${host}\n`);
    };
    const { manifest } = await captureOf(await online(await machineOf(web), web, update), undefined);
    expect(manifest.operations).toMatchObject([
      { path: '/etc/sure.conf', substitutions: [{ value: 'machine-id' }, { value: 'filesystem-uuid:/' }] },
      { path: '/etc/word.conf', holdsIdentity: ['host name'] },
    ]);
  });
});
