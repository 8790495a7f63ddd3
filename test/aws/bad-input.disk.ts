import type { Report } from '../../core/report/report';
import { reportKey } from '../../core/workflow/keys';
import type { PatchItem } from '../../core/workflow/payloads';
import { writeReport } from '../../aws/steps/write-report';
import { diskCloud } from '../support/disk-cloud';
import { FLEET_INPUT, FLEET_UPDATES, type FleetMachine } from '../support/disk-fleet';
import type { TestMachine } from '../support/test-machines';
import { matchedMember, patchInstance, untilCaptured, wholeRun } from '../support/whole-run';

/** One bad machine, or one bad document: it is told by name, the others are patched, and it keeps its volume. */
const cloud = diskCloud();

async function outcomeOf({ instanceId }: TestMachine): Promise<Report['machines'][number] | undefined> {
  const report = await cloud.services.documents.read<Report>(reportKey('test-run'));
  return report.machines.find((machine) => machine.instanceId === instanceId);
}

async function expectPatched(machine: TestMachine): Promise<void> {
  expect(await outcomeOf(machine)).toMatchObject({ outcome: 'patched' });
  expect(cloud.fleet.rootVolumeId(machine.instanceId)).not.toBe(machine.volumeId);
  expect(await cloud.fleet.read(machine.instanceId, 'cat $MNT/etc/app.conf')).toBe('setting = new\n');
}

async function expectLeftAlone(
  machine: TestMachine,
  outcome: string,
  error: string,
  text: RegExp,
): Promise<void> {
  const told = await outcomeOf(machine);
  expect(told).toMatchObject({ outcome, sentence: expect.stringMatching(text) });
  expect(told?.sentence).toContain(`[${error}]`);
  expect(cloud.fleet.rootVolumeId(machine.instanceId)).toBe(machine.volumeId);
}

/** Overwrites bytes of the disk. */
const put = (offset: number, bytes: string): string =>
  `printf '${bytes}' | dd of="$DISK" bs=1 seek=${offset} conv=notrunc status=none`;
const ERASED = 'truncate -s 0 "$DISK"; truncate -s 64M "$DISK"';
const GPT = `${ERASED}; printf 'label: gpt\\nsize=8M\\n' | sfdisk --quiet "$DISK"`;
/** Leaves a megabyte to ordinary users; the update needs three. */
const FILL = 'fallocate -l $(($(stat -f -c "%a * %S" $MNT) - 1000000)) $MNT/filler';

const BAD_MACHINES: [name: string, FleetMachine, outcome: string, error: string, text: RegExp][] = [
  [
    'a disk without a partition table or a filesystem',
    { onDisk: ERASED },
    'failed',
    'NoRootFilesystemError',
    /neither a partition table nor a filesystem/,
  ],
  [
    'a damaged partition table',
    { onDisk: `${GPT}; ${put(512 + 40, 'damage')}; ${put(64 * 2 ** 20 - 512 + 40, 'damage')}` },
    'failed',
    'PartitionTableError',
    /partition table/,
  ],
  [
    'a partition with nothing in it',
    { onDisk: GPT },
    'failed',
    'NoRootFilesystemError',
    /partition 1: unknown/,
  ],
  [
    'a corrupt superblock',
    { onDisk: put(1024 + 4, '\\377') },
    'failed',
    'CorruptFilesystemError',
    /superblock/,
  ],
  [
    'the magic of ext4 with nothing behind it',
    { onDisk: `${ERASED}; ${put(1024 + 56, '\\123\\357')}` },
    'failed',
    'CorruptFilesystemError',
    /superblock/,
  ],
  [
    'an ext4 feature that only the kernel engine writes, where there is none',
    { onDisk: 'debugfs -w -R "feature encrypt" "$DISK" 2>/dev/null' },
    'not-patched',
    'UnsupportedFeatureError',
    /cannot be written: encrypt/,
  ],
  [
    'btrfs',
    { onDisk: `${ERASED}; ${put(0x10040, '_BHRfS_M')}` },
    'not-patched',
    'UnsupportedFilesystemError',
    /btrfs/,
  ],
  [
    'LVM',
    { onDisk: `${ERASED}; ${put(512, 'LABELONE')}; ${put(512 + 24, 'LVM2 001')}` },
    'not-patched',
    'UnsupportedFilesystemError',
    /lvm2/,
  ],
  [
    'LUKS',
    { onDisk: `${ERASED}; ${put(0, 'LUKS\\272\\276')}` },
    'not-patched',
    'UnsupportedFilesystemError',
    /luks/,
  ],
  [
    'a full disk',
    // The last by its id, so that another machine is the canary.
    { script: FILL, instanceId: 'i-0ffffffffffffffff' },
    'failed',
    'NotEnoughSpaceError',
    /bytes free, the update needs/,
  ],
];

test('bad machines: each is told with its own error and keeps its volume, the others are patched', async () => {
  const live = await cloud.fleet.machine('live', { running: true });
  const twin = await cloud.fleet.machine('twin');
  const bad: TestMachine[] = [];
  for (const [at, [, machine]] of BAD_MACHINES.entries())
    bad.push(await cloud.fleet.machine(`bad-${at}`, machine));

  const output = await wholeRun(cloud.services, FLEET_UPDATES, {
    ...FLEET_INPUT,
    toleratedFailurePercentage: 90,
  });
  expect(output).toMatchObject({ patched: 1, updatedOnline: 1 });
  expect(await outcomeOf(live)).toMatchObject({ outcome: 'updated-online' });
  await expectPatched(twin);
  for (const [at, [, , outcome, error, text]] of BAD_MACHINES.entries()) {
    await expectLeftAlone(bad[at]!, outcome, error, text);
  }
}, 120_000);

describe('bad documents', () => {
  let twin: TestMachine;
  let other: TestMachine;
  let item: PatchItem;
  beforeEach(async () => {
    await cloud.fleet.machine('live', { running: true });
    twin = await cloud.fleet.machine('twin');
    other = await cloud.fleet.machine('other');
    await untilCaptured(cloud.services, FLEET_UPDATES, FLEET_INPUT);
    await patchInstance(cloud.services, await matchedMember(cloud.services, twin.instanceId));
    item = await matchedMember(cloud.services, other.instanceId);
  }, 60_000);

  async function damage(key: string): Promise<void> {
    const bytes = Buffer.from((await cloud.services.documents.findBytes(key))!);
    bytes[bytes.length >> 1]! ^= 1;
    await cloud.services.documents.writeText(key, bytes, 'application/octet-stream');
  }

  async function expectRefused(bad: PatchItem, error: string, text: RegExp): Promise<void> {
    await expect(patchInstance(cloud.services, bad)).rejects.toMatchObject({ name: error });
    await writeReport(cloud.services, { run: item.run });
    await expectPatched(twin);
    await expectLeftAlone(other, 'failed', error, text);
    // Nobody is kept out of the next run.
    await cloud.services.leases.take(other.instanceId, 'the next run');
  }

  test('a pack whose digest is wrong', async () => {
    const [pack] = await cloud.services.documents.list('packs/');
    await damage(pack!);
    await expectRefused(item, 'PackInvalidError', /Pack \w+.* is damaged/);
  }, 60_000);

  test('a manifest that is not the one that was matched', async () => {
    await damage(item.manifestKey);
    await expectRefused(item, 'ManifestDigestError', /digest/);
  }, 60_000);
});

test('a manifest of another class, on a machine that differs from its representative', async () => {
  await cloud.fleet.machine('live', { running: true });
  const twin = await cloud.fleet.machine('twin');
  const changed = await cloud.fleet.machine('changed', {
    script: "printf 'setting = mine\\n' > $MNT/etc/app.conf",
  });
  await untilCaptured(cloud.services, FLEET_UPDATES, FLEET_INPUT);
  const item = await matchedMember(cloud.services, twin.instanceId);
  await patchInstance(cloud.services, item);
  await expect(
    patchInstance(cloud.services, { ...item, instanceId: changed.instanceId }),
  ).rejects.toMatchObject({
    name: 'ManifestMismatchError',
  });
  await writeReport(cloud.services, { run: item.run });
  await expectPatched(twin);
  await expectLeftAlone(changed, 'failed', 'ManifestMismatchError', /app\.conf/);
}, 60_000);
