import { buildRpms, indexRpmRepository, type RpmPackage } from './rpm-repository';

/** A package with a program, a file that is the same in every version, and settings. */
function fleetPackage(name: string, version: string, more: Partial<RpmPackage> = {}): RpmPackage {
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

/** What machines start with. */
export const OLD_RPMS: readonly RpmPackage[] = [
  SYSTEM,
  fleetPackage('fleet-banner', '1.0'),
  fleetPackage('fleet-lib', '1'),
  fleetPackage('fleet-old', '1'),
  fleetPackage('fleet-extra', '1', { preamble: ['Requires: fleet-lib'] }),
];
/** Packages that have to do with fleet-lib: one needs its old version, one has a trigger on it. */
export const RELATED_RPMS: readonly RpmPackage[] = [
  fleetPackage('fleet-plugin', '1', { preamble: ['Requires: fleet-lib = 1'] }),
  fleetPackage('fleet-watch', '1', {
    sections: ['%triggerin -p <lua> -- fleet-lib', 'io.open("/etc/fleet.seen", "w"):close()'],
  }),
];

/** What is pending on them. */
const NEW_RPMS: readonly RpmPackage[] = [
  fleetPackage('fleet-banner', '1.1', { preamble: ['Requires: fleet-new'], sections: LISTED }),
  fleetPackage('fleet-lib', '2'),
  fleetPackage('fleet-new', '1'),
  fleetPackage('fleet-next', '1', { preamble: ['Obsoletes: fleet-old < 2'] }),
];

/** Adds the new versions to a repository; that of fleet-lib mends a security hole. */
export async function publishNewRpms(folder: string): Promise<void> {
  await buildRpms(NEW_RPMS, folder);
  const secure = NEW_RPMS.filter(({ name }) => name === 'fleet-lib');
  await indexRpmRepository(folder, [{ id: 'FLEET-2026-1', packages: secure }]);
}
