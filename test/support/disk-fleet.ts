import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { UpdatesDocument } from '../../core/workflow/updates-document';
import type { TestServices } from './aws-services';
import { onMountedImage } from './mounted-image';
import { addMachine, type TestMachine } from './test-machines';

const run = promisify(execFile);
const BLOCK = 524_288;
/** mkfs.xfs makes nothing smaller than 300 MiB. */
const DISK_BYTES = { ext4: 64 * 2 ** 20, xfs: 320 * 2 ** 20 };

/** What the update of this fleet does on a running machine, by its mounted root. */
const UPDATE = `
  printf 'new library\\n' > $MNT/usr/lib/libx.so.2; rm $MNT/usr/lib/libx.so.1
  ln -sfn libx.so.2 $MNT/usr/lib/libx.so
  printf 'setting = new\\n' > $MNT/etc/app.conf
  mkdir -p $MNT/usr/share/doc/x; seq 1 440000 > $MNT/usr/share/doc/x/big
  sed -i 's/^Version: 1.0$/Version: 1.1/' $MNT/var/lib/dpkg/status
  if [ -e $MNT/etc/app.hook ]; then . $MNT/etc/app.hook; fi`;

/** All of it, as a recorder would see it. */
export const CHANGED_BY_UPDATE = [
  '/usr/lib/libx.so',
  '/usr/lib/libx.so.1',
  '/usr/lib/libx.so.2',
  '/etc/app.conf',
  '/usr/share',
  '/usr/share/doc',
  '/usr/share/doc/x',
  '/usr/share/doc/x/big',
  '/var/lib/dpkg/status',
];

/** What makes an image: an identity of the system, packages, something to update, and systemd's folder. */
const FILES: Readonly<Record<string, string>> = {
  'etc/os-release': 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
  'etc/fstab': '/dev/xvda / ext4 defaults 0 1\n',
  'etc/hostname': 'base\n',
  'etc/machine-id': `${'a'.repeat(32)}\n`,
  'etc/app.conf': 'setting = old\n',
  'etc/systemd/system/multi-user.target.wants/app.service': '',
  'usr/lib/libx.so.1': 'old library\n',
  'usr/sbin/empty': '',
  'var/lib/dpkg/arch': 'amd64\n',
  'var/lib/dpkg/status':
    'Package: x\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n\nPackage: y\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0-3\n\n',
};

/** The deployed updates of this fleet: one, called `app`. */
export const FLEET_UPDATES: UpdatesDocument = {
  formatVersion: 1,
  updates: [{ name: 'app', kind: 'script', commands: ['install the update'] }],
  retainDays: 7,
  maxConcurrency: 10,
  toleratedFailurePercentage: 0,
  maxRounds: 3,
  representative: 'auto',
};

/** Without a witness, whose clone takes a test some seconds. */
export const FLEET_INPUT = { update: 'app', targets: { tags: { PatchGroup: 'all' } }, dataPoints: 1 };

export interface FleetMachine {
  readonly running?: boolean;
  /** Shell commands on the mounted root volume, `$MNT`. */
  readonly script?: string;
  /** Shell commands on the disk itself after that, `$DISK`. */
  readonly onDisk?: string;
  readonly instanceId?: string;
  /** Of the root volume, which is a bare filesystem; ext4 unless it is said. */
  readonly filesystem?: 'ext4' | 'xfs';
}

/** Small machines with real roots in the embedded EC2, and an update that changes files of them. Needs root. */
export class DiskFleet {
  private services!: TestServices;

  private constructor(
    private readonly folder: string,
    private readonly tree: string,
    private readonly base: string,
  ) {}

  static async make(): Promise<DiskFleet> {
    const folder = await mkdtemp(path.join(tmpdir(), 'imageelves-fleet-'));
    const tree = path.join(folder, 'tree');
    for (const [name, text] of Object.entries(FILES)) {
      await mkdir(path.join(tree, path.dirname(name)), { recursive: true });
      await writeFile(path.join(tree, name), text);
    }
    await run('ln', ['-s', 'libx.so.1', path.join(tree, 'usr/lib/libx.so')]);
    const base = path.join(folder, 'base.raw');
    await run('truncate', ['-s', String(DISK_BYTES.ext4), base]);
    await run('mkfs.ext4', ['-q', '-d', tree, base]);
    return new DiskFleet(folder, tree, base);
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true });
  }

  /** Puts the fleet into a cloud: agents come online by themselves, and Run Command runs the update. */
  use(services: TestServices): void {
    this.services = services;
    services.runCommand.onSend = async ({ instanceId, commands }) => {
      if (commands.includes('install the update')) await this.changeVolume(instanceId, UPDATE);
    };
    const { instances } = services.state;
    const set = instances.set.bind(instances);
    instances.set = (id, record) => {
      services.runCommand.online.add(id);
      return set(id, record);
    };
  }

  async machine(name: string, { running = false, ...options }: FleetMachine = {}): Promise<TestMachine> {
    const rawFile = path.join(this.folder, `${name}.raw`);
    if (options.filesystem === 'xfs') await this.makeXfs(rawFile);
    else await run('cp', ['--sparse=always', this.base, rawFile]);
    await onMountedImage(rawFile, `echo ${name} > $MNT/etc/hostname; ${options.script ?? ''}`);
    if (options.onDisk !== undefined) {
      await run('sh', ['-euc', options.onDisk], { env: { ...process.env, DISK: rawFile } });
    }
    const overrides = options.instanceId === undefined ? {} : { instanceId: options.instanceId };
    return addMachine(this.services, { name, rawFile, tags: { PatchGroup: 'all' }, running, overrides });
  }

  private async makeXfs(rawFile: string): Promise<void> {
    await run('truncate', ['-s', String(DISK_BYTES.xfs), rawFile]);
    await run('mkfs.xfs', ['-q', '-f', rawFile]);
    const environment = { TREE: this.tree };
    await onMountedImage(rawFile, 'cp -a "$TREE/." $MNT; sed -i s/ext4/xfs/ $MNT/etc/fstab', { environment });
  }

  /** What a script prints on the mounted root volume that the machine has now, after its own fsck has judged it. */
  async read(instanceId: string, script: string): Promise<string> {
    const file = await this.volumeFile(this.rootVolumeId(instanceId));
    const { stdout } = await run('blkid', ['-p', '-o', 'value', '-s', 'TYPE', file]);
    await (stdout.trim() === 'xfs' ? run('xfs_repair', ['-n', file]) : run('e2fsck', ['-fn', file]));
    return onMountedImage(file, script);
  }

  rootVolumeId(instanceId: string): string {
    const volume = [...this.services.state.volumes.values()].find(
      ({ attachment }) => attachment?.instanceId === instanceId && attachment.detachedAt === undefined,
    );
    if (volume === undefined) throw new Error(`${instanceId} has no volume`);
    return volume.volumeId;
  }

  private async changeVolume(instanceId: string, script: string): Promise<void> {
    const volumeId = this.rootVolumeId(instanceId);
    const file = await this.volumeFile(volumeId);
    const before = `${file}.before`;
    await copyFile(file, before);
    await onMountedImage(file, script);
    const [old, now] = await Promise.all([readFile(before), readFile(file)]);
    for (let index = 0; index * BLOCK < now.length; index += 1) {
      const bytes = now.subarray(index * BLOCK, (index + 1) * BLOCK);
      if (!bytes.equals(old.subarray(index * BLOCK, (index + 1) * BLOCK))) {
        await this.services.state.storage.writeBlock(volumeId, index, bytes);
      }
    }
  }

  private async volumeFile(volumeId: string): Promise<string> {
    const { storage } = this.services.state;
    const name = path.join(this.folder, `${volumeId}.now.raw`);
    const indexes = await storage.writtenSince(volumeId, undefined);
    const ext4 = Math.max(...indexes) * BLOCK < DISK_BYTES.ext4;
    await rm(name, { force: true });
    await writeFile(name, '');
    await run('truncate', ['-s', String(ext4 ? DISK_BYTES.ext4 : DISK_BYTES.xfs), name]);
    const file = await open(name, 'r+');
    for (const index of indexes) {
      await file.write(await storage.readBlock(volumeId, index), 0, BLOCK, index * BLOCK);
    }
    await file.close();
    return name;
  }
}
