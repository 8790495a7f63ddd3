import * as ssmModule from '@aws-sdk/client-ssm';
import {
  ListComplianceItemsCommand,
  ListComplianceSummariesCommand,
  PutComplianceItemsCommand,
  type PutComplianceItemsCommandInput,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { putCompliance } from '../../../aws/ssm/compliance';
import { createCompliance } from '../../../local/ssm/compliance';
import { createService, inProcessHandler } from '../../../local/wire';

const KNOWN = 'i-0123456789abcdef0';
const OTHER = 'i-0123456789abcdef1';

async function client(folder?: string): Promise<{ ssm: SSMClient; flush(): Promise<void> }> {
  const compliance = await createCompliance({ isKnown: (id) => [KNOWN, OTHER].includes(id), folder });
  const service = createService(ssmModule, compliance.handlers);
  const ssm = new SSMClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
    requestHandler: inProcessHandler(service),
  });
  return { ssm, flush: () => compliance.flush() };
}

const input = (other: Partial<PutComplianceItemsCommandInput> = {}): PutComplianceItemsCommandInput => ({
  ResourceId: KNOWN,
  ResourceType: 'ManagedInstance',
  ComplianceType: 'Custom:Check',
  ExecutionSummary: { ExecutionTime: new Date(1000) },
  Items: [
    { Id: 'r1', Title: 'one', Severity: 'HIGH', Status: 'COMPLIANT' },
    { Id: 'r2', Severity: 'LOW', Status: 'NON_COMPLIANT', Details: { Evidence: 'seen' } },
  ],
  ...other,
});

test('lists what was put, by resource and by filter', async () => {
  const { ssm } = await client();
  await ssm.send(new PutComplianceItemsCommand(input()));
  await ssm.send(new PutComplianceItemsCommand(input({ ResourceId: OTHER })));
  const all = await ssm.send(new ListComplianceItemsCommand({ ResourceIds: [KNOWN] }));
  expect(all.ComplianceItems).toEqual([
    {
      ComplianceType: 'Custom:Check',
      ResourceType: 'ManagedInstance',
      ResourceId: KNOWN,
      Id: 'r1',
      Title: 'one',
      Severity: 'HIGH',
      Status: 'COMPLIANT',
      ExecutionSummary: { ExecutionTime: new Date(1000) },
      Details: {},
    },
    expect.objectContaining({ Id: 'r2', Title: '', Details: { Evidence: 'seen' } }),
  ]);
  const failing = await ssm.send(
    new ListComplianceItemsCommand({
      Filters: [{ Key: 'Status', Values: ['NON_COMPLIANT'], Type: 'EQUAL' }],
    }),
  );
  expect(failing.ComplianceItems?.map(({ ResourceId, Id }) => [ResourceId, Id])).toEqual([
    [KNOWN, 'r2'],
    [OTHER, 'r2'],
  ]);
});

test('a put replaces all of its type for the resource, and no other', async () => {
  const { ssm } = await client();
  await ssm.send(new PutComplianceItemsCommand(input()));
  await ssm.send(new PutComplianceItemsCommand(input({ ComplianceType: 'Custom:Kept' })));
  await ssm.send(new PutComplianceItemsCommand(input({ Items: [] })));
  const { ComplianceItems } = await ssm.send(new ListComplianceItemsCommand({ ResourceIds: [KNOWN] }));
  expect(ComplianceItems?.map(({ ComplianceType }) => ComplianceType)).toEqual([
    'Custom:Kept',
    'Custom:Kept',
  ]);
});

test('summaries count resources under their worst severity', async () => {
  const { ssm } = await client();
  await ssm.send(new PutComplianceItemsCommand(input()));
  const passing = [{ Id: 'r', Severity: 'HIGH', Status: 'COMPLIANT' }] as const;
  await ssm.send(new PutComplianceItemsCommand(input({ ResourceId: OTHER, Items: [...passing] })));
  const { ComplianceSummaryItems } = await ssm.send(new ListComplianceSummariesCommand({}));
  expect(ComplianceSummaryItems).toEqual([
    {
      ComplianceType: 'Custom:Check',
      CompliantSummary: {
        CompliantCount: 1,
        SeveritySummary: expect.objectContaining({ HighCount: 1, LowCount: 0 }),
      },
      NonCompliantSummary: {
        NonCompliantCount: 1,
        SeveritySummary: expect.objectContaining({ HighCount: 0, LowCount: 1 }),
      },
    },
  ]);
});

test('pages', async () => {
  const { ssm } = await client();
  const items = Array.from(
    { length: 60 },
    (_, n) => ({ Id: `r${n}`, Severity: 'LOW', Status: 'COMPLIANT' }) as const,
  );
  await ssm.send(new PutComplianceItemsCommand(input({ Items: items })));
  const first = await ssm.send(new ListComplianceItemsCommand({ ResourceIds: [KNOWN] }));
  const second = await ssm.send(
    new ListComplianceItemsCommand({ ResourceIds: [KNOWN], NextToken: first.NextToken }),
  );
  expect([first.ComplianceItems?.length, second.ComplianceItems?.length, second.NextToken]).toEqual([
    50,
    10,
    undefined,
  ]);
});

test.each([
  [{ ResourceId: 'i-0123456789abcdeff' }, 'InvalidResourceId'],
  [{ ResourceType: 'Bucket' }, 'InvalidResourceType'],
  [{ ComplianceType: 'Custom:' }, 'ValidationException'],
  [{ ComplianceType: 'Custom:a b' }, 'ValidationException'],
  [{ Items: [{ Severity: 'BAD' as 'HIGH', Status: 'COMPLIANT' as const }] }, 'ValidationException'],
  [
    { Items: [{ Severity: 'HIGH' as const, Status: 'COMPLIANT' as const, Title: 'x'.repeat(501) }] },
    'ValidationException',
  ],
  [
    {
      Items: [{ Severity: 'HIGH' as const, Status: 'COMPLIANT' as const, Details: { a: 'x'.repeat(4097) } }],
    },
    'ValidationException',
  ],
  [
    {
      Items: Array.from({ length: 300 }, () => ({
        Severity: 'HIGH' as const,
        Status: 'COMPLIANT' as const,
        Details: { a: 'x'.repeat(4000) },
      })),
    },
    'ItemSizeLimitExceededException',
  ],
])('refuses %#', async (other, name) => {
  const { ssm } = await client();
  await expect(ssm.send(new PutComplianceItemsCommand(input(other)))).rejects.toMatchObject({ name });
});

test('ten types of one’s own, not eleven', async () => {
  const { ssm } = await client();
  for (let n = 0; n < 10; n++)
    await ssm.send(new PutComplianceItemsCommand(input({ ComplianceType: `Custom:T${n}` })));
  await expect(
    ssm.send(new PutComplianceItemsCommand(input({ ComplianceType: 'Custom:T10' }))),
  ).rejects.toMatchObject({ name: 'ComplianceTypeCountLimitExceededException' });
});

test.each([
  [new ListComplianceItemsCommand({ Filters: [{ Key: 'Colour', Values: ['red'] }] }), 'InvalidFilter'],
  [new ListComplianceItemsCommand({ NextToken: 'x' }), 'InvalidNextToken'],
  [new ListComplianceItemsCommand({ MaxResults: 51 }), 'ValidationException'],
  [new ListComplianceItemsCommand({ ResourceIds: [KNOWN, OTHER] }), 'ValidationException'],
])('lists refuse %#', async (command, name) => {
  const { ssm } = await client();
  await expect(ssm.send(command)).rejects.toMatchObject({ name });
});

test('outlives a restart', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'compliance-'));
  try {
    const before = await client(folder);
    await before.ssm.send(new PutComplianceItemsCommand(input()));
    await before.flush();
    const after = await client(folder);
    const { ComplianceItems } = await after.ssm.send(new ListComplianceItemsCommand({}));
    expect(ComplianceItems?.[0]?.ExecutionSummary?.ExecutionTime).toEqual(new Date(1000));
    expect(ComplianceItems).toHaveLength(2);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the adapter records a result, and says when an instance was never a managed node', async () => {
  const { ssm } = await client();
  const record = {
    instanceId: KNOWN,
    complianceType: 'Custom:ImageElves',
    run: 'run-1',
    update: 'cis',
    checkedAt: new Date(5000),
    checkedOn: OTHER,
    result: {
      rules: [
        { rule: 'a', status: 'pass', title: 'A', severity: 'HIGH', evidence: 'seen' },
        { rule: 'b', status: 'fail', title: 'B', severity: 'UNSPECIFIED', evidence: '' },
      ],
    },
  } as const;
  const mutable = { ...record, result: { rules: [...record.result.rules] } };
  expect(await putCompliance(ssm, mutable)).toBe('recorded');
  const { ComplianceItems } = await ssm.send(new ListComplianceItemsCommand({ ResourceIds: [KNOWN] }));
  expect(ComplianceItems).toEqual([
    expect.objectContaining({
      Id: 'a',
      Status: 'COMPLIANT',
      Severity: 'HIGH',
      Details: { Check: 'cis', CheckedOn: OTHER, Evidence: 'seen' },
      ExecutionSummary: {
        ExecutionTime: new Date(5000),
        ExecutionId: 'run-1',
        ExecutionType: 'ImageElves',
      },
    }),
    expect.objectContaining({ Id: 'b', Status: 'NON_COMPLIANT' }),
  ]);
  expect(await putCompliance(ssm, { ...mutable, instanceId: 'i-0fffffffffffffff0' })).toBe('not-managed');
});
