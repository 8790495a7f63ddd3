import { EBS_CASES, EBS_NOT_HELD, EBS_NOT_SERVED } from './aws-behaviour/ebs-cases';
import { EC2_CASES, EC2_NOT_HELD, EC2_NOT_SERVED } from './aws-behaviour/ec2-cases';
import { expectAnswer, expectFields, ownInput, type Case, type Cases } from './aws-behaviour/expectations';
import { script, SSM_CASES, SSM_NOT_HELD, SSM_NOT_SERVED } from './aws-behaviour/ssm-cases';
import { TestCloud, type Answer } from './aws-behaviour/test-cloud';
import { vectorsOf, type Vector } from './aws-behaviour/vector';

type Service = 'ebs' | 'ec2' | 'ssm';
type Reasons = Readonly<Record<string, string>>;

/** Of the vectors of served operations, at least so many must hold. */
const SERVICES: [service: Service, cases: Cases, notHeld: Reasons, notServed: Reasons, least: number][] = [
  ['ebs', EBS_CASES, EBS_NOT_HELD, EBS_NOT_SERVED, 0.9],
  ['ec2', EC2_CASES, EC2_NOT_HELD, EC2_NOT_SERVED, 0.9],
  ['ssm', SSM_CASES, SSM_NOT_HELD, SSM_NOT_SERVED, 0.9],
];

describe.each(SERVICES)('recorded answers of %s', (service, cases, notHeld, notServed, least) => {
  const vectors = vectorsOf(service);

  test.each(
    vectors
      .filter(({ id }) => cases[id])
      .map((vector) => [vector.id, vector.when.operation, vector] as const),
  )('%s %s', async (id, _operation, vector) => {
    await hold(service, cases[id] ?? {}, vector);
  });

  test('every vector holds or is named with a reason', () => {
    const named = [...Object.keys(cases), ...Object.keys(notHeld), ...Object.keys(notServed)].sort();
    expect(named).toEqual(vectors.map(({ id }) => id).sort());
    const held = Object.keys(cases).length;
    const served = held + Object.keys(notHeld).length;
    const lines = [
      `${service}: ${held} of ${served} vectors of served operations hold (${((100 * held) / served).toFixed(0)} %), of ${vectors.length} in all`,
      ...Object.entries(notHeld).map(([id, why]) => `  not held  ${id}: ${why}`),
      ...Object.entries(notServed).map(([id, why]) => `  no service ${id}: ${why}`),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    expect(held / served).toBeGreaterThanOrEqual(least);
  });
});

async function hold(service: Service, given: Case, vector: Vector): Promise<void> {
  const cloud = await TestCloud.open({ script });
  if (given.whole) {
    await given.whole(cloud, vector);
    return;
  }
  const bindings = (await given.given?.(cloud)) ?? {};
  const input = given.input?.(bindings, vector) ?? ownInput(vector, bindings);
  const operation = given.operation ?? vector.when.operation;
  // Some EBS vectors are about what EC2 says of the same snapshot.
  const by = service === 'ebs' && /^(Describe|Delete|GetEbs)/.test(operation) ? 'ec2' : service;
  const answer: Answer = await cloud[by](operation, input);
  expectAnswer(answer, vector, bindings);
  if (given.fields) expectFields(subject(answer, service), vector, bindings);
  await given.check?.(answer, cloud, bindings);
}

/** What the fields of a vector are about: the one resource of a listing, or the answer itself. */
function subject({ output }: Answer, service: Service): unknown {
  if (service === 'ssm') return output['Command'] ? output : output;
  const list = output['Snapshots'] ?? output['Volumes'] ?? output['VolumeStatuses'];
  if (Array.isArray(list)) return list[0];
  const [reservation] = (output['Reservations'] ?? []) as { Instances: unknown[] }[];
  return reservation?.Instances[0] ?? output;
}
