import { LeaseStore } from '../../aws/s3/lease-store';
import { recordFailure } from '../../aws/steps/record-failure';
import { releaseLease, takeLease } from '../../aws/steps/leases';
import { startTestServices, type TestServices } from '../support/aws-services';

let services: TestServices;
let time: number;
let leases: LeaseStore;
beforeEach(async () => {
  services = await startTestServices({ maxAttempts: 1 });
  time = Date.parse('2026-11-20T00:00:00Z');
  leases = new LeaseStore(services.documents, () => new Date(time));
});
afterEach(() => services.close());

const HOUR = 3_600_000;

test('of many who want a machine at once, one gets it', async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, (_, at) => leases.take('i-1', `run-${at}`)),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ name: 'LeaseHeldError' });
  }
});

test('the holder may take it again, others may not until it is released or has expired', async () => {
  await leases.take('i-1', 'run-1');
  await leases.take('i-1', 'run-1');
  await expect(leases.take('i-1', 'run-2')).rejects.toMatchObject({
    name: 'LeaseHeldError',
    facts: { instanceId: 'i-1', holder: 'run-1' },
  });
  expect(await leases.release('i-1', 'run-2')).toBe(false);
  expect(await leases.release('i-1', 'run-1')).toBe(true);
  await leases.take('i-1', 'run-2');
  time += 2 * HOUR;
  await leases.take('i-1', 'run-3');
});

test('who lost its lease to another cannot renew it', async () => {
  await leases.take('i-1', 'run-1');
  time += 2 * HOUR;
  await leases.take('i-1', 'run-2');
  await expect(leases.renew('i-1', 'run-1')).rejects.toMatchObject({ name: 'LeaseHeldError' });
});

test('of many who take an expired lease over, one gets it', async () => {
  await leases.take('i-1', 'dead run');
  time += 2 * HOUR;
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, (_, at) => leases.take('i-1', `run-${at}`)),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('is refused when more members of the class have failed than is tolerated', async () => {
  const member = (at: number) => ({ run: 'r', classId: 'c', instanceId: `i-${at}` });
  const tolerance = { percentage: 10, memberCount: 20 };
  for (const at of [1, 2]) {
    await recordFailure(services, { ...member(at), step: 'Apply manifest', error: { Error: 'X' } });
  }
  await takeLease(services, { ...member(3), tolerance });
  await recordFailure(services, { ...member(4), step: 'Apply manifest', error: { Error: 'X' } });
  await expect(takeLease(services, { ...member(5), tolerance })).rejects.toMatchObject({
    name: 'TooManyFailuresError',
    facts: { failed: 3, percentage: 10, memberCount: 20 },
  });
  // The canary comes before all others, and is not asked.
  await takeLease(services, member(6));
});

test('the outcome is written when the lease is released', async () => {
  const item = { run: 'r', classId: 'c', instanceId: 'i-1' };
  await takeLease(services, item);
  await releaseLease(services, { ...item, outcome: 'patched' });
  expect(await services.documents.read('runs/r/machines/i-1/outcome.json')).toMatchObject({
    outcome: 'patched',
  });
  await takeLease(services, { ...item, run: 'r2' });
});
