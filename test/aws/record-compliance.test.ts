import { recordCompliance } from '../../aws/steps/record-compliance';
import type { MachineComplianceDocument } from '../../core/workflow/documents';
import * as keys from '../../core/workflow/keys';
import { startTestServices, type TestServices } from '../support/aws-services';

let services: TestServices;
beforeEach(async () => {
  services = await startTestServices();
});
afterEach(() => services.close());

const INPUT = { run: 'r', classId: 'c' };
const rule = (name: string, status: 'pass' | 'fail') => ({
  rule: name,
  status,
  title: name,
  severity: 'HIGH',
  evidence: 'seen',
});
const FOUND = {
  checkedOn: 'i-live',
  checkedAt: '2026-11-20T06:00:00.000Z',
  complianceType: 'Custom:ImageElves',
  result: { rules: [rule('a', 'pass'), rule('b', 'fail')] },
};

async function prepared(document: object = {}, foundAt = keys.complianceKey('r', 'c')): Promise<void> {
  const { documents } = services;
  await documents.write(keys.planKey('r'), { settings: { update: { name: 'hardening' } } });
  await documents.write(keys.classKey('r', 'c'), {
    ...INPUT,
    membersKey: 'runs/r/members',
    representative: { instanceId: 'i-live', kind: 'live' },
    ...document,
  });
  await documents.writeLines(
    'runs/r/members',
    ['i-1', 'i-2', 'i-3'].map((instanceId) => ({ ...INPUT, instanceId })),
  );
  // i-3 differs, and i-2 is no managed node.
  for (const [instanceId, matched] of [
    ['i-1', true],
    ['i-2', true],
    ['i-3', false],
  ] as const) {
    await documents.write(keys.matchKey('r', instanceId, 'c'), { instanceId, classId: 'c', matched });
  }
  await documents.write(foundAt, FOUND);
  services.runCommand.unmanaged.add('i-2');
}

const ofMachine = (instanceId: string) =>
  services.documents.find<MachineComplianceDocument>(keys.machineComplianceKey('r', instanceId));

test('records the result for the representative and every member that matched, once', async () => {
  await prepared();
  for (let call = 0; call < 2; call += 1) {
    expect(await recordCompliance(services, INPUT, () => true)).toEqual({ done: true, recordedCount: 3 });
  }
  expect(services.runCommand.complianceOf.map(({ ResourceId }) => ResourceId).sort()).toEqual([
    'i-1',
    'i-live',
  ]);
  expect(await ofMachine('i-1')).toEqual({
    instanceId: 'i-1',
    classId: 'c',
    checkedOn: 'i-live',
    checkedAt: FOUND.checkedAt,
    status: 'recorded',
    passed: 1,
    failed: 1,
  });
  expect(await ofMachine('i-2')).toMatchObject({ status: 'not-managed' });
  expect(await ofMachine('i-3')).toBeUndefined();
});

test('goes on in another call when its time is up', async () => {
  await prepared();
  let left = 1;
  expect(await recordCompliance(services, INPUT, () => left-- > 0)).toEqual({
    done: false,
    recordedCount: 1,
  });
  expect(await recordCompliance(services, INPUT, () => true)).toEqual({ done: true, recordedCount: 3 });
});

test('takes the result from beside the manifest of an earlier run, and keeps it in this one', async () => {
  const recorded = { manifestKey: 'runs/old/classes/x/manifest.json' };
  const representative = { instanceId: 'i-gone', kind: 'recorded' };
  await prepared({ recorded, representative }, 'runs/old/classes/x/compliance.json');
  expect(await recordCompliance(services, INPUT, () => true)).toEqual({ done: true, recordedCount: 2 });
  expect(await services.documents.read(keys.complianceKey('r', 'c'))).toEqual(FOUND);
  expect(await ofMachine('i-gone')).toBeUndefined();
});
