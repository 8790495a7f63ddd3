import { writeReport } from '../../aws/steps/write-report';
import type { Report } from '../../core/report/report';
import { reportKey } from '../../core/workflow/keys';
import type { UpdatesDocument } from '../../core/workflow/updates-document';
import { startTestServices, type TestServices } from '../support/aws-services';
import { addMachine } from '../support/test-machines';
import { planned } from '../support/whole-run';

const UPDATES: UpdatesDocument = {
  formatVersion: 1,
  updates: [
    { name: 'security', kind: 'packages', select: 'security' },
    { name: 'motd', kind: 'script', commands: ['date > /etc/motd'] },
  ],
  retainDays: 7,
  maxConcurrency: 10,
  toleratedFailurePercentage: 0,
  maxRounds: 3,
  representative: 'auto',
};

let services: TestServices;
beforeEach(async () => {
  services = await startTestServices();
});
afterEach(() => services.close());

const targets = { tags: { PatchGroup: 'web' } };

test.each([
  [
    'an update that is not deployed',
    { update: 'secruity', targets },
    { name: 'UnknownUpdateError', message: expect.stringMatching(/"secruity".*security, motd/) },
  ],
  [
    'no targets, and none by default',
    { update: 'security' },
    { name: 'InvalidRunInputError', message: expect.stringContaining('targets') },
  ],
  [
    'several mistakes',
    { update: 7, targets: { tags: 'web' }, dryRun: 'yes' },
    { name: 'InvalidRunInputError', message: expect.stringMatching(/update.*targets.*dryRun/) },
  ],
  ['text that was to be JSON', '{"update": "security"', { name: 'InvalidRunInputError' }],
  ['a list', [], { name: 'InvalidRunInputError' }],
  ['nothing', null, { name: 'InvalidRunInputError' }],
])('%s is refused before anything is looked at or written', async (_, input, error) => {
  await addMachine(services, { tags: { PatchGroup: 'web' } });
  services.calls.length = 0;
  await expect(planned(services, UPDATES, input)).rejects.toMatchObject(error);
  expect(services.calls.filter((call) => call.startsWith('Describe'))).toEqual([]);
  expect(await services.documents.list('runs/')).toEqual([]);
});

test('targets that are nobody: the report says so, and the run fails', async () => {
  await addMachine(services, { tags: { PatchGroup: 'db' } });
  const { run, targetCount } = await planned(services, UPDATES, { update: 'security', targets });
  expect(targetCount).toBe(0);
  expect(await writeReport(services, { run })).toMatchObject({ succeeded: false });
  expect(await services.documents.read<Report>(reportKey(run))).toMatchObject({
    summary: expect.stringContaining('No instance has the tags or ids of the targets.'),
    failure: { error: 'NoTargetsError' },
    machines: [],
  });
});
