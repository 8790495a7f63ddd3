import { demoMachines, type FleetFilesystem } from '../../../local/fleet/fleet-machines';
import { BANNER_PACKAGE } from '../../../local/fleet/package-repository';
import type { OracleCase } from './oracle-case';

/** One machine of each package set, and the one with the extra package; of the mixed fleet, one of every layout. */
const TWINS: Readonly<Record<FleetFilesystem, readonly string[]>> = {
  ext4: ['web-2', 'app-2', 'app-5'],
  xfs: ['web-2', 'app-2', 'app-5'],
  mixed: ['web-2', 'web-3', 'app-2', 'app-3', 'app-5'],
};

/** Pending security updates on the demo fleet. */
export const security: OracleCase = {
  name: 'security',
  about: 'the pending security updates of the distribution, on the demo fleet',
  machines: (filesystem) => demoMachines({ filesystem, twinsOf: TWINS[filesystem] }),
  online: [
    'export DEBIAN_FRONTEND=noninteractive',
    'apt-get -qq update',
    'apt-get -qq -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold upgrade',
  ],
  named: [],
  // What the update of any day brings to every machine of the demo fleet.
  installed: `${BANNER_PACKAGE}:all 1.1 `,
};
