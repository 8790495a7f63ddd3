import { ListComplianceItemsCommand } from '@aws-sdk/client-ssm';
import type { Instance } from '@aws-sdk/client-ec2';
import { parseCheckOutput } from '../../core/compliance/parse-check-output';
import type { ComplianceResult } from '../../core/compliance/compliance-result';
import type { Report, ReportedMachine } from '../../core/report/report';
import { TWIN_SUFFIX } from '../../local/fleet/fleet-machines';
import type { AwsClients } from '../run/aws-clients';
import type { OracleCase } from './cases/oracle-case';
import { Machines } from './machine';

/** `pass` or `fail` and the evidence, by rule. */
type Found = ReadonlyMap<string, string>;

export interface CheckSubject {
  readonly clients: AwsClients;
  readonly report: Report;
  readonly tell: (line: string) => void;
}

/**
 * Runs the check on the twin of every stopped machine, and holds what the run told of the machine against what it found
 * there: in the report, and in SSM Compliance, where the embedded cloud knows every machine.
 *
 * @returns what is wrong, a sentence each
 */
export async function runCheck(
  oracleCase: OracleCase,
  { clients, report, tell }: CheckSubject,
): Promise<string[]> {
  const machines = new Machines(clients);
  const fleet = await machines.byName();
  const problems: string[] = [];
  for (const machine of report.machines) {
    const { name, classId } = machine;
    const told = report.classes.find((one) => one.classId === classId)?.compliance?.result;
    const twin = fleet.get(name + TWIN_SUFFIX);
    const recorded = await itemsOf(clients, machine.instanceId);
    problems.push(...untold(machine, recorded.size));
    if (told === undefined || twin === undefined) continue;
    const expected = await checkTwin(machines, twin, oracleCase.online);
    problems.push(...differences(`the report of ${name}`, foundIn(told), expected));
    problems.push(...differences(`SSM Compliance of ${name}`, recorded, expected));
    const failed = [...expected].filter(([, answer]) => answer.startsWith('fail'));
    tell(`${name}: ${expected.size} rules, ${failed.length} fail, as on its twin`);
  }
  return problems;
}

/** A class has a result, whoever of it the result holds for: what is told of the machine itself is what counts. */
export function untold(
  { name, rules }: Pick<ReportedMachine, 'name' | 'rules'>,
  recordedItems: number,
): string[] {
  return [
    ...(rules === undefined ? [`${name}: the run found nothing about it`] : []),
    ...(recordedItems === 0 ? [`${name}: SSM Compliance has nothing about it`] : []),
  ];
}

async function checkTwin(machines: Machines, twin: Instance, commands: readonly string[]): Promise<Found> {
  const id = twin.InstanceId ?? '';
  await machines.start(id);
  const { exitCode, output } = await machines.run(id, commands);
  await machines.stop(id);
  if (exitCode !== 0) throw new Error(`the check on the twin ${id} ended with ${exitCode}: ${output}`);
  return foundIn(parseCheckOutput(output));
}

const foundIn = ({ rules }: ComplianceResult): Found =>
  new Map(rules.map(({ rule, status, evidence }) => [rule, `${status}: ${evidence}`]));

async function itemsOf({ ssm }: AwsClients, instanceId: string): Promise<Found> {
  const { ComplianceItems = [] } = await ssm.send(
    new ListComplianceItemsCommand({ ResourceIds: [instanceId], ResourceTypes: ['ManagedInstance'] }),
  );
  return new Map(
    ComplianceItems.map(({ Id = '', Status, Details }) => [
      Id,
      `${Status === 'COMPLIANT' ? 'pass' : 'fail'}: ${Details?.['Evidence'] ?? ''}`,
    ]),
  );
}

function differences(where: string, told: Found, expected: Found): string[] {
  const rules = [...new Set([...told.keys(), ...expected.keys()])];
  return rules
    .filter((rule) => told.get(rule) !== expected.get(rule))
    .map(
      (rule) => `${where} says of ${rule} "${told.get(rule)}", and the check there "${expected.get(rule)}"`,
    );
}
