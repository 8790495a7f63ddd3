import {
  MOST_TRIED,
  remembered,
  rememberedManifest,
  type RememberedManifest,
  updateDigest,
} from '../../../core/memory/remembered-manifest';
import { rememberedClasses } from '../../../core/memory/remembered-classes';
import type { Manifest } from '../../../core/manifest/manifest-schema';
import type { Update } from '../../../core/update/update';

const os = { id: 'debian', versionId: '12', architecture: 'amd64' };
const security: Update = { kind: 'packages', name: 'november', select: 'security' };
const script: Update = { kind: 'script', name: 'motd', commands: ['echo hi > /etc/motd'] };
const now = new Date('2026-11-20T12:00:00Z');

const entry = (capturedAt: string, change: Partial<RememberedManifest> = {}): RememberedManifest => ({
  manifestKey: `runs/r/${capturedAt}`,
  manifestDigest: `sha256:${capturedAt}`,
  capturedAt,
  run: 'r',
  classId: 'c',
  os,
  ...change,
});

describe('updateDigest', () => {
  it('is of what is done, not of what it is called', () => {
    expect(updateDigest({ ...security, name: 'x', description: 'y', timeoutSeconds: 60 })).toBe(
      updateDigest(security),
    );
    expect(updateDigest({ ...security, select: 'all' })).not.toBe(updateDigest(security));
    expect(updateDigest({ ...security, select: ['b', 'a', 'b'] })).toBe(
      updateDigest({ ...security, select: ['a', 'b'] }),
    );
    expect(updateDigest(script)).not.toBe(updateDigest({ ...script, commands: ['true'] }));
    expect(updateDigest(script)).not.toBe(updateDigest({ ...script, kind: 'compliance' }));
    expect(updateDigest(script)).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('remembered', () => {
  it('gives the newest of the system that are young enough, and few', () => {
    const known = [
      entry('2026-11-20T01:00:00Z'),
      entry('2026-11-20T09:00:00Z'),
      entry('2026-11-18T09:00:00Z'),
      entry('2026-11-20T10:00:00Z', { os: { ...os, versionId: '11' } }),
      entry('2026-11-20T10:00:00Z', { os: { ...os, architecture: 'arm64' } }),
      entry('no time'),
    ];
    const tried = (update: Update) =>
      remembered(known, { update, os, now }).map(({ capturedAt }) => capturedAt);
    expect(tried(security)).toEqual(['2026-11-20T09:00:00Z', '2026-11-20T01:00:00Z']);
    expect(tried(script)).toHaveLength(3);
    expect(
      remembered(known, { update: security, os, now, limits: { packagesHours: 4, scriptHours: 1 } }),
    ).toHaveLength(1);
    const many = Array.from({ length: 9 }, (_, index) => entry(`2026-11-20T0${index}:00:00Z`));
    expect(remembered(many, { update: security, os, now })).toHaveLength(MOST_TRIED);
  });

  it.each([
    ['apt-get install -y nginx', false],
    ['/usr/bin/dnf -y install nginx', false],
    ['cd /opt && curl -fsSO https://example.org/agent.tar.gz', false],
    ['python3 -m pip install requests', false],
    ['echo hi > /etc/motd', true],
    ['sed -i s/a/b/ /etc/apt/sources.list', true],
  ])(
    'gives a script that fetches what changes from day to day only for as long as packages: %s',
    (command, old) => {
      const update: Update = { ...script, commands: ['set -x', command] };
      const found = remembered([entry('2026-11-18T09:00:00Z')], { update, os, now });
      expect(found).toHaveLength(old ? 1 : 0);
      expect(remembered([entry('2026-11-20T09:00:00Z')], { update, os, now })).toHaveLength(1);
    },
  );

  it('trusts no manifest that is said to be of a time to come', () => {
    expect(remembered([entry('2027-01-01T00:00:00Z')], { update: script, os, now })).toEqual([]);
    expect(remembered([entry('2026-11-20T12:01:00Z')], { update: script, os, now })).toHaveLength(1);
  });
});

describe('rememberedManifest', () => {
  const manifest = {
    capturedAt: '2026-11-20T09:00:00Z',
    run: 'r',
    classId: 'c',
    os,
    update: { name: 'u', kind: 'script' },
  } as Manifest;
  const where = { manifestKey: 'k', manifestDigest: 'd' };

  it('takes what one machine told only where no second one was wanted: it may hold what is random', () => {
    const recording = { method: 'fanotify' as const, whole: true, warnings: [] };
    const one = { instanceId: 'i-1', kind: 'live' as const, role: 'representative' as const, used: true };
    const two = { ...one, instanceId: 'i-2', role: 'witness' as const };
    const captured = (...dataPoints: NonNullable<Manifest['dataPoints']>): Manifest => ({
      ...manifest,
      reads: [],
      recording,
      dataPoints,
    });
    expect(rememberedManifest(captured(one), where, 2)).toBeUndefined();
    expect(rememberedManifest(captured(one, { ...two, used: false }), where, 2)).toBeUndefined();
    expect(rememberedManifest(captured(one, two), where, 2)).toBeDefined();
    expect(rememberedManifest(captured(one, { ...two, role: 'earlier' }), where, 2)).toBeDefined();
    expect(rememberedManifest(captured(one), where, 1)).toBeDefined();
    const check = { ...captured(one), update: { name: 'c', kind: 'compliance' } };
    expect(rememberedManifest(check, where, 2)).toBeDefined();
  });

  it('takes only what is known to fit: not what may have read anything, nor what fits nobody', () => {
    expect(rememberedManifest(manifest, where, 1)).toBeUndefined();
    const onlyOnline = rememberedManifest({ ...manifest, onlyOnline: ['a reason'] }, where, 1)!;
    expect(onlyOnline).toMatchObject({ onlyOnline: ['a reason'] });
    const now = new Date('2026-11-20T10:00:00Z');
    const update = { name: 'u', kind: 'script', commands: ['x'] } as const;
    expect(remembered([onlyOnline], { update: { ...update, commands: ['x'] }, os, now })).toEqual([]);
    expect(rememberedManifest({ ...manifest, reads: [] }, where, 1)).toBeUndefined();
    const recording = { method: 'fanotify', whole: true, warnings: [] } as const;
    expect(
      rememberedManifest({ ...manifest, reads: [], recording: { ...recording, warnings: [] } }, where, 1),
    ).toEqual(entry('2026-11-20T09:00:00Z', where));
  });
});

describe('rememberedClasses', () => {
  const fit = (digest: string) => ({
    manifestKey: 'k',
    manifestDigest: digest,
    capturedAt: 'then',
    run: 'r',
    representative: 'i-9',
  });

  it('groups by manifest, the largest first, and leaves alone what only runs', () => {
    const fits = new Map([
      ['i-4', fit('b')],
      ['i-3', fit('a')],
      ['i-2', fit('b')],
      ['i-1', fit('b')],
      ['i-5', fit('c')],
    ]);
    const classes = rememberedClasses(fits, new Set(['i-4', 'i-5']));
    expect(classes.map(({ members, liveMembers }) => ({ members, liveMembers }))).toEqual([
      { members: ['i-1', 'i-2'], liveMembers: ['i-4'] },
      { members: ['i-3'], liveMembers: [] },
    ]);
    expect(classes[0]!.reason).toBe(
      '3 instances match what run r captured on i-9 at then: the update is not run again',
    );
    expect(classes[0]!.classId).toMatch(/^[0-9a-f]{12}$/);
  });
});
