import type { Instance } from '@aws-sdk/client-ec2';
import type { Machines } from './machine';

/** A line for each package: name, version, state. */
export const LIST_PACKAGES =
  "dpkg-query -W -f '${Package}:${Architecture} ${Version} ${db:Status-Abbrev}\\n' | sort";

/** Units that must be active on a machine with these packages. */
export const servicesOf = (packages: readonly string[]): string[] => [
  'ssh',
  ...(packages.some((line) => line.startsWith('nginx-light:')) ? ['nginx'] : []),
];

/** Boots a patched machine by StartInstances and asks it for its units and package versions; stops it again. */
export async function bootInstance(
  machines: Machines,
  instance: Instance,
  expectedPackages: readonly string[],
  tell: (line: string) => void,
): Promise<string[]> {
  const id = instance.InstanceId ?? '';
  tell(`booting ${id} from its patched volume`);
  await machines.start(id);
  const services = servicesOf(expectedPackages);
  const units = await machines.run(id, [
    `systemctl is-active --quiet ${services.join(' ')} || systemctl --no-pager status ${services.join(' ')}`,
    `systemctl is-active ${services.join(' ')}`,
  ]);
  const versions = await machines.run(id, [LIST_PACKAGES]);
  await machines.stop(id);
  const problems: string[] = [];
  if (units.exitCode !== 0) problems.push(`services are not active: ${units.output.trim()}`);
  if (versions.output.trim() !== expectedPackages.join('\n').trim())
    problems.push('package versions differ from the online updated twin');
  return problems;
}
