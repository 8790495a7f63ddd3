import { demoMachines } from '../../../local/fleet/fleet-machines';
import type { OracleCase } from './oracle-case';
import { security } from './security';

/**
 * The demo fleet with two stopped machines of each package set, every one of which has a twin. On `mixed` the six machines
 * stand on every layout that there is.
 */
export const layouts: OracleCase = {
  ...security,
  name: 'layouts',
  about: 'the same on six machines; with --filesystem mixed, one on each layout of disks',
  machines: (filesystem) =>
    demoMachines({ filesystem, stoppedPerSet: 2, twinsOf: ['web-2', 'web-3', 'app-2', 'app-3'] }),
};
