import type { Instance } from '@aws-sdk/client-ec2';
import type { Machines } from './machine';

/** A line for each package: name, version, state. */
export const LIST_PACKAGES =
  "if command -v dpkg-query >/dev/null; then dpkg-query -W -f '${Package}:${Architecture} ${Version} ${db:Status-Abbrev}\\n'; else rpm -qa; fi | sort";

/** What failed as the machine booted: some units always do where a container stands for the machine. */
export const FAILED_UNITS = 'systemctl --failed --no-legend --plain';

/** Units that must be active on a machine with these packages. */
export const servicesOf = (packages: readonly string[]): string[] => [
  ...(packages.some((line) => /^openssh-server:\S+ \S+ ii/.test(line)) ? ['ssh'] : []),
  ...(packages.some((line) => line.startsWith('nginx-light:')) ? ['nginx'] : []),
];

/** What a running machine answered to shell lines, and how they ended. */
export type Answers = ReadonlyMap<string, string>;

/** Asks a running machine; an answer begins with the exit code. */
export async function ask(
  machines: Machines,
  instanceId: string,
  questions: readonly string[],
): Promise<Answers> {
  const answers = new Map<string, string>();
  for (const question of questions) {
    const { exitCode, output } = await machines.run(instanceId, [question]);
    answers.set(question, `${exitCode}: ${output.trim()}`);
  }
  return answers;
}

/** What a machine must be like once it has booted, and what it is asked besides. */
export interface ExpectedBoot {
  readonly packages: readonly string[];
  readonly units: readonly string[];
  readonly questions: readonly string[];
}

/** Boots a patched machine by StartInstances and asks it for its units, package versions and more; stops it again. */
export async function bootInstance(
  machines: Machines,
  instance: Instance,
  { packages, units, questions }: ExpectedBoot,
  tell: (line: string) => void,
): Promise<{ problems: string[]; answers: Answers }> {
  const id = instance.InstanceId ?? '';
  tell(`booting ${id} from its patched volume`);
  await machines.start(id);
  const problems: string[] = [];
  const services = [...servicesOf(packages), ...units].join(' ');
  if (services !== '') {
    const active = await machines.run(id, [
      `systemctl is-active --quiet ${services} || systemctl --no-pager status ${services}`,
      `systemctl is-active ${services}`,
    ]);
    if (active.exitCode !== 0) problems.push(`services are not active: ${active.output.trim()}`);
  }
  const versions = await machines.run(id, [LIST_PACKAGES]);
  if (versions.output.trim() !== packages.join('\n').trim())
    problems.push('package versions differ from the online updated twin');
  const answers = await ask(machines, id, questions);
  await machines.stop(id);
  return { problems, answers };
}
