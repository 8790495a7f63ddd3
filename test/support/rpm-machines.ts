import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OLD_RPMS, publishNewRpms, RELATED_RPMS } from '../../local/fleet/rpm-packages';
import { buildRpms, indexRpmRepository } from '../../local/fleet/rpm-repository';

const run = promisify(execFile);

export const RPMDB = '/usr/lib/sysimage/rpm/rpmdb.sqlite';
export const DNF_HISTORY = '/var/lib/dnf/history.sqlite';

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
    await buildRpms([...OLD_RPMS, ...RELATED_RPMS], machines.repository);
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

  publishUpdates(): Promise<void> {
    return publishNewRpms(this.repository);
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
