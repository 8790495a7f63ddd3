import type { Update } from '../../../core/update/update';
import type { PackageSet } from '../../../local/fleet/base-tree';
import { smallFleet } from '../../../local/fleet/fleet-machines';
import type { OracleCase } from './oracle-case';

/** What every machine has, the tree of the demo's app machines: bootstrapping is the longest part of a first run. */
const SMALL: PackageSet = { name: 'app', packages: [] };

/** What apt asks and waits for, as unattended commands answer it. */
export const UNATTENDED = 'export DEBIAN_FRONTEND=noninteractive';
export const INSTALL = 'apt-get -qq -y --no-install-recommends install';

type SmallCase = Omit<OracleCase, 'machines' | 'update' | 'online'> & {
  readonly set?: PackageSet;
  readonly kind?: Extract<Update['kind'], 'script' | 'compliance'>;
  /** What the update runs; the twin runs the same unless `online` says how else. */
  readonly commands: readonly string[];
  readonly online?: readonly string[];
};

/** A case of shell commands on a small fleet of one class, where no upgrade is pending. */
export function smallCase({
  set = SMALL,
  kind = 'script',
  commands,
  online,
  ...rest
}: SmallCase): OracleCase {
  return {
    pending: 'nothing',
    machines: () => smallFleet(set),
    update: { name: rest.name, kind, commands: [...commands] },
    online: online ?? ['set -eu', ...commands],
    ...rest,
  };
}
