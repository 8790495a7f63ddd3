import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildRpms, indexRpmRepository, type RpmPackage } from '../../local/fleet/rpm-repository';

const run = promisify(execFile);

export const RPMDB = '/usr/lib/sysimage/rpm/rpmdb.sqlite';
export const DNF_HISTORY = '/var/lib/dnf/history.sqlite';

/** A package with a program, a file that is the same in every version, and settings. */
function package_(name: string, version: string, more: Partial<RpmPackage> = {}): RpmPackage {
  return {
    name,
    version,
    files: {
      [`/usr/bin/${name}`]: `#!/bin/sh\necho ${name} ${version}\n`,
      [`/usr/share/${name}/same`]: 'the same in every version\n',
    },
    configuration: { [`/etc/${name}.conf`]: `# ${version}\nsetting = yes\n` },
    ...more,
  };
}

/** Every machine has one; it makes the folders that the others' scriptlets need, and says which system it is. */
const SYSTEM: RpmPackage = {
  name: 'imageelves-release',
  version: '1',
  files: {
    '/etc/os-release': 'ID=imageelves-rpm\nVERSION_ID=1\nNAME="RPM test system"\nPLATFORM_ID="platform:f1"\n',
  },
  preamble: ['Provides: system-release = 1', 'Provides: system-release(releasever) = 1'],
};

const LISTED = ['%post -p <lua>', 'local f = io.open("/etc/fleet.list", "a") f:write("banner\\n") f:close()'];

const OLD: readonly RpmPackage[] = [
  SYSTEM,
  package_('fleet-banner', '1.0'),
  package_('fleet-lib', '1'),
  package_('fleet-old', '1'),
  package_('fleet-extra', '1', { preamble: ['Requires: fleet-lib'] }),
];
const NEW: readonly RpmPackage[] = [
  package_('fleet-banner', '1.1', { preamble: ['Requires: fleet-new'], sections: LISTED }),
  package_('fleet-lib', '2'),
  package_('fleet-new', '1'),
  package_('fleet-next', '1', { preamble: ['Obsoletes: fleet-old < 2'] }),
];

/**
 * Machines of nothing but RPM packages that are built here, as folders: rpm and dnf are the host's, with the folder as
 * their root. Scriptlets are in Lua, so that no shell is needed inside.
 */
export class RpmMachines {
  private constructor(
    private readonly folder: string,
    readonly repository: string,
  ) {}

  static async make(folder: string): Promise<RpmMachines> {
    const machines = new RpmMachines(folder, join(folder, 'repository'));
    await buildRpms(OLD, machines.repository);
    await indexRpmRepository(machines.repository);
    await mkdir(join(folder, 'home'), { recursive: true });
    // Where Fedora and its kin have it; Debian's rpm has it in the home of whoever runs it.
    await writeFile(join(folder, 'home/.rpmmacros'), '%_dbpath /usr/lib/sysimage/rpm\n');
    await mkdir(join(folder, 'bin'));
    // What a script calls on the machine; nothing else is on its path.
    await writeFile(
      join(folder, 'bin/dnf'),
      '#!/bin/sh\nexec /usr/bin/dnf --installroot="$ROOT" --releasever=1 "$@"\n',
    );
    await writeFile(join(folder, 'bin/rpm'), '#!/bin/sh\nexec /usr/bin/rpm --root="$ROOT" "$@"\n');
    for (const tool of ['dnf', 'rpm']) await chmod(join(folder, 'bin', tool), 0o755);
    for (const tool of ['sh', 'sync', 'true'])
      await run('ln', ['-s', `/bin/${tool}`, join(folder, 'bin', tool)]);
    return machines;
  }

  /** New versions, of which that of fleet-lib mends a security hole. */
  async publishUpdates(): Promise<void> {
    await buildRpms(NEW, this.repository);
    const lib = NEW.filter(({ name }) => name === 'fleet-lib');
    await indexRpmRepository(this.repository, [{ id: 'FLEET-2026-1', packages: lib }]);
  }

  /** A new machine with these packages, installed one dnf after the other. */
  async install(root: string, ...steps: readonly (readonly string[])[]): Promise<void> {
    await mkdir(join(root, 'etc/yum.repos.d'), { recursive: true });
    await mkdir(join(root, 'etc/dnf'));
    await writeFile(join(root, 'etc/dnf/dnf.conf'), '[main]\ngpgcheck=0\nmetadata_expire=0\n');
    await writeFile(
      join(root, 'etc/yum.repos.d/fleet.repo'),
      `[fleet]\nname=fleet\nbaseurl=file://${this.repository}\ncountme=1\n`,
    );
    for (const packages of steps) await this.run(root, `dnf -q -y install ${packages.join(' ')}`);
  }

  /** Runs shell lines with rpm and dnf working on the machine. */
  async run(root: string, commands: string): Promise<string> {
    const { stdout } = await run('/bin/sh', ['-c', commands], {
      env: { ...this.environment(), ROOT: root },
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  }

  /** Besides, ROOT: the machine's folder. */
  environment(): { readonly PATH: string; readonly HOME: string; readonly LC_ALL: string } {
    return { PATH: join(this.folder, 'bin'), HOME: join(this.folder, 'home'), LC_ALL: 'C.UTF-8' };
  }
}
