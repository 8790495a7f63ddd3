import fc from 'fast-check';
import { digestOf } from '../../../core/chunk-store/digest';
import { classify, type ClassifyOptions } from '../../../core/classify/classify';
import type { Profile } from '../../../core/profile/profile';
import { NO_IDENTITY } from '../../../core/image/identity-values';
import { DEBIAN_12 } from '../../support/memory-image';

const base = { base: '1', openssl: '3.0.1', python3: '3.11' };
const web = { ...base, nginx: '1.22', 'nginx-common': '1.22' };

function profile(
  instanceId: string,
  packages: Record<string, string>,
  change: Partial<Profile> = {},
): Profile {
  return {
    version: 1,
    instanceId,
    os: DEBIAN_12,
    packages,
    entries: { '/etc/apt/sources.list': digestOf(new Uint8Array([1])) },
    identity: { ...NO_IDENTITY, hostname: instanceId },
    filesystems: [{ mountPoint: '/', kind: 'ext4', sizeBytes: 8e9, freeBytes: instanceId.length }],
    ...change,
  };
}

function classes(profiles: Profile[], options: Partial<ClassifyOptions> = {}) {
  const { classes: found, unclassified } = classify(profiles, {
    live: new Set(),
    representative: 'auto',
    ...options,
  });
  const short = found.map(({ representative, members, liveMembers }) => ({
    representative: `${representative.kind} ${representative.instanceId}`,
    members: members.join(' '),
    ...(liveMembers.length > 0 ? { liveMembers: liveMembers.join(' ') } : {}),
  }));
  return { short, found, unclassified };
}

const fleet = [
  profile('i-web-1', web),
  profile('i-web-2', web),
  profile('i-web-3', { ...web, tree: '2.1' }),
  profile('i-base-1', base),
  profile('i-base-2', base),
  profile('i-base-3', base),
];

describe('classify', () => {
  it('finds one class for each package set; an extra package joins the most similar running machine', () => {
    const { short, found } = classes(fleet, { live: new Set(['i-web-1', 'i-base-1']) });
    expect(short).toEqual([
      { representative: 'live i-base-1', members: 'i-base-2 i-base-3' },
      { representative: 'live i-web-1', members: 'i-web-2 i-web-3' },
    ]);
    expect(found[1]!.reason).toBe(
      '2 instances agree on debian 12 amd64, 5 packages and what the update depends on; i-web-3 joined provisionally: it has tree besides; matching will decide; the update is run on i-web-1, which is running',
    );
    expect(found.map(({ classId }) => classId)).toEqual([
      expect.stringMatching(/^[0-9a-f]{12}$/),
      expect.stringMatching(/^[0-9a-f]{12}$/),
    ]);
  });

  it('takes clones where nothing runs: one for all that agree', () => {
    const { short } = classes(fleet);
    expect(short).toEqual([
      { representative: 'clone i-base-1', members: 'i-base-1 i-base-2 i-base-3 i-web-1 i-web-2 i-web-3' },
    ]);
  });

  it('takes clones only, when told so, and running machines only, when told so', () => {
    const live = new Set(['i-web-1']);
    expect(classes(fleet, { live, representative: 'clone' }).short).toEqual([
      {
        representative: 'clone i-web-2',
        members: 'i-web-2 i-web-3 i-base-1 i-base-2 i-base-3'.split(' ').sort().join(' '),
        liveMembers: 'i-web-1',
      },
    ]);
    const other = profile('i-old', base, { os: { ...DEBIAN_12, versionId: '11' } });
    const onlyLive = classes([...fleet, other], { live, representative: 'live' });
    expect(onlyLive.short).toHaveLength(1);
    expect(onlyLive.unclassified).toEqual([
      { instanceId: 'i-old', reason: expect.stringContaining('allows no clone') },
    ]);
  });

  it('makes no clone when there is nobody to patch with it', () => {
    const running = profile('i-other', { base: '9' });
    const { short, unclassified } = classes([running], {
      live: new Set(['i-other']),
      representative: 'clone',
    });
    expect(short).toEqual([]);
    expect(unclassified).toEqual([{ instanceId: 'i-other', reason: expect.stringContaining('it runs') }]);
  });

  it('two running machines that are alike are one class, two that are not are two', () => {
    const live = new Set(['i-base-1', 'i-base-2', 'i-web-3']);
    expect(classes(fleet, { live }).short).toEqual([
      { representative: 'live i-base-1', members: 'i-base-3', liveMembers: 'i-base-2' },
      { representative: 'live i-web-3', members: 'i-web-1 i-web-2' },
    ]);
  });

  it.each<[string, Profile]>([
    ['another version of a package', profile('i-x', { ...base, openssl: '3.0.0' })],
    ['another operating system', profile('i-x', base, { os: { ...DEBIAN_12, versionId: '11' } })],
    ['another architecture', profile('i-x', base, { os: { ...DEBIAN_12, architecture: 'arm64' } })],
    ['other settings of the package manager', profile('i-x', base, { entries: {} })],
  ])('joins no class with %s', (_what, different) => {
    const { short } = classes([...fleet, different], { live: new Set(['i-base-1', 'i-web-1']) });
    expect(short).toContainEqual({ representative: 'clone i-x', members: 'i-x' });
  });

  it('points of variation and free space do not split a class', () => {
    const twins = [profile('i-a', base), profile('i-bb', base), profile('i-ccc', base)];
    expect(classes(twins).found).toHaveLength(1);
  });

  it('in later rounds instances come together only when they differed alike, whatever packages they have besides', () => {
    const differences = new Map([
      ['i-base-2', ['/etc/app.conf sha256:1']],
      ['i-base-3', ['/etc/app.conf sha256:2']],
      ['i-web-2', ['/etc/app.conf sha256:1']],
      ['i-web-3', ['/etc/app.conf sha256:1']],
    ]);
    const left = fleet.filter(({ instanceId }) => differences.has(instanceId));
    expect(classes(left, { differences }).short).toEqual([
      { representative: 'clone i-base-2', members: 'i-base-2 i-web-2 i-web-3' },
      { representative: 'clone i-base-3', members: 'i-base-3' },
    ]);
  });

  it('every instance is in one place, and the order of profiles does not matter', () => {
    const packages = fc.constantFrom(base, web, { base: '2' }, { ...base, openssl: '3.0.0' });
    const machines = fc.array(fc.record({ packages, live: fc.boolean() }), { maxLength: 12 });
    fc.assert(
      fc.property(machines, fc.constantFrom('auto', 'live', 'clone'), (all, representative) => {
        const profiles = all.map((machine, index) => profile(`i-${index}`, machine.packages));
        const live = new Set(all.flatMap((machine, index) => (machine.live ? [`i-${index}`] : [])));
        const given = classify(profiles, { live, representative });
        expect(classify([...profiles].reverse(), { live, representative })).toEqual(given);
        const places = given.classes.flatMap(({ members, liveMembers, representative: chosen }) => [
          ...members,
          ...liveMembers,
          ...(chosen.kind === 'live' ? [chosen.instanceId] : []),
        ]);
        places.push(...given.unclassified.map(({ instanceId }) => instanceId));
        expect(places.sort()).toEqual(profiles.map(({ instanceId }) => instanceId).sort());
        for (const { members } of given.classes) expect(members.some((id) => live.has(id))).toBe(false);
        expect(new Set(given.classes.map(({ classId }) => classId)).size).toBe(given.classes.length);
      }),
    );
  });
});
