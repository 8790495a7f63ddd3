import { Duration } from 'aws-cdk-lib';
import { ImageElves, type ImageElvesProps, InvalidPropsError, Update } from '../../cdk/index';
import { mistakeInExpression } from '../../cdk/constructs/run-schedule';
import { minimalProps, stackUnderTest } from '../support/synthesized';

function mistakesOf(props: Partial<ImageElvesProps>): readonly string[] {
  try {
    new ImageElves(stackUnderTest(), 'ImageElves', { ...minimalProps(), ...props });
  } catch (error) {
    if (error instanceof InvalidPropsError) return error.mistakes;
    throw error;
  }
  return [];
}
const scheduled = (expression: string, input: object = { update: 'security' }) => ({
  schedules: { weekly: { expression, input: input as never } },
});

test('no updates', () => {
  expect(mistakesOf({ updates: {} })).toEqual([
    'updates: name at least one, for example { security: Update.packages("security") }',
  ]);
});

test('an update whose name nobody could type, and one without commands', () => {
  expect(mistakesOf({ updates: { 'all of it': Update.packages('all') } }).join()).toContain('"all of it"');
  expect(mistakesOf({ updates: { empty: Update.script([]) } })).not.toEqual([]);
});

test('a schedule for an update that is not there names those that are', () => {
  expect(mistakesOf(scheduled('rate(7 days)', { update: 'securty' }))).toEqual([
    'schedules.weekly.input: There is no update "securty"; this deployment has: security.',
  ]);
});

test('a schedule with a wrong input names every mistake in it', () => {
  const [mistake] = mistakesOf(scheduled('rate(7 days)', { dryRun: 'yes' }));
  expect(mistake).toMatch(/schedules\.weekly\.input.*update.*dryRun/);
});

test('a schedule without targets where the construct has none', () => {
  expect(mistakesOf({ targets: undefined, ...scheduled('rate(7 days)') }).join()).toMatch(
    /no default targets/,
  );
});

test('packages that there are not', () => {
  expect(mistakesOf({ kernelEnginePackages: 'old' as 'newest' })).toEqual([
    'kernelEnginePackages: "old" is neither "pinned" nor "newest"',
  ]);
});

test('a housekeeping that nobody could schedule', () => {
  expect(mistakesOf({ housekeeping: { schedule: 'daily' } }).join()).toMatch(
    /housekeeping\.schedule: "daily"/,
  );
});

test('documents that end before the volumes whose story they are', () => {
  const days = (documents: number, volumes: number) => ({
    documentRetention: Duration.days(documents),
    volumeRetention: Duration.days(volumes),
  });
  expect(mistakesOf(days(14, 14)).join()).toMatch(/documentRetention: 14 days are not longer/);
  expect(mistakesOf(days(15, 14))).toEqual([]);
});

test('all mistakes come at once', () => {
  const mistakes = mistakesOf({
    maxConcurrency: 0,
    volumeRetention: Duration.days(9999),
    ...scheduled('weekly'),
  });
  expect(mistakes).toHaveLength(3);
});

test('a bundle that is not there says how to make it', () => {
  expect(mistakesOf({ bundlesFolder: '/nowhere' }).join()).toMatch(
    /plan-run\/index\.js; run "npm run bundle"/,
  );
});

test('an image that is not there says how to make it, unless it is not wanted', () => {
  const imageFolder = '/nowhere';
  expect(mistakesOf({ imageFolder }).join()).toMatch(/nowhere\/Dockerfile; run "npm run bundle"/);
  expect(mistakesOf({ imageFolder, kernelEngine: false })).toEqual([]);
});

describe('schedule expressions', () => {
  test.each([
    'cron(0 3 ? * SUN *)',
    'cron(0/15 8-18 ? * MON-FRI *)',
    'cron(0 10 L * ? 2027)',
    'cron(0 10 ? * 6#3 *)',
    'rate(1 day)',
    'rate(12 hours)',
    'at(2027-01-31T03:00:00)',
  ])('%s is well formed', (expression) => expect(mistakeInExpression(expression)).toBeUndefined());

  test.each([
    ['cron(0 3 * * SUN)', /six fields/],
    ['cron(0 3 * * SUN *)', /exactly one of day-of-month and day-of-week/],
    ['cron(0 3 ? * ? *)', /exactly one of day-of-month and day-of-week/],
    ['rate(1 days)', /none of/],
    ['rate(0 days)', /none of/],
    ['every sunday', /none of/],
    ['0 3 * * 0', /none of/],
  ])('%s is not', (expression, message) => {
    expect(mistakeInExpression(expression)).toMatch(message);
    expect(mistakesOf(scheduled(expression)).join()).toMatch(message);
  });
});
