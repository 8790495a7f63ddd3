import { parseRollBackInput, parseRunInput } from '../../../core/workflow/run-input';
import type { UpdatesDocument } from '../../../core/workflow/updates-document';

const DEPLOYED: UpdatesDocument = {
  formatVersion: 1,
  updates: [{ name: 'security', kind: 'packages', select: 'security' }],
  retainDays: 7,
  maxConcurrency: 40,
  toleratedFailurePercentage: 10,
  maxRounds: 3,
  representative: 'auto',
};
const TARGETS = { tags: { PatchGroup: ['web', 'db'], Stage: 'prod' }, instanceIds: ['i-0123456789abcdef0'] };

/** What a person is told about an input. */
function mistakes(input: unknown, deployed = DEPLOYED): readonly string[] {
  try {
    parseRunInput(input, deployed);
  } catch (error) {
    const { name, facts } = error as { name: string; facts: { mistakes: string[] } };
    expect(name).toBe('InvalidRunInputError');
    return facts.mistakes;
  }
  return [];
}

test('takes what is not given from the deployment', () => {
  expect(parseRunInput({ update: 'security', targets: TARGETS }, DEPLOYED)).toEqual({
    update: DEPLOYED.updates[0],
    targets: TARGETS,
    dryRun: false,
    verify: 'digests',
    dataPoints: 2,
    fresh: false,
    maxConcurrency: 40,
    toleratedFailurePercentage: 10,
    representative: 'auto',
    maxRounds: 3,
    retainDays: 7,
  });
  expect(parseRunInput({ update: 'security' }, { ...DEPLOYED, defaultTargets: TARGETS }).targets).toEqual(
    TARGETS,
  );
});

test('takes what is given before what is deployed', () => {
  const input = {
    update: 'security',
    targets: TARGETS,
    dryRun: true,
    maxConcurrency: 1,
    toleratedFailurePercentage: 0,
    representative: 'clone',
    maxRounds: 1,
    dataPoints: 1,
    fresh: true,
    memoryHours: 48,
  };
  expect(parseRunInput(input, { ...DEPLOYED, defaultTargets: { tags: { a: 'b' } } })).toMatchObject({
    ...input,
    update: DEPLOYED.updates[0],
  });
});

test.each<[string, unknown, readonly (string | RegExp)[]]>([
  ['nothing', undefined, [/^input: .*object/, /^targets: nothing is named/]],
  ['no object', '{"update"', [/^input: .*object/, /^targets: nothing is named/]],
  ['no update', { targets: TARGETS }, ['update: is missing']],
  [
    'a name with spaces',
    { update: 'all of it', targets: TARGETS },
    [/^update: "all of it" does not have the form/],
  ],
  [
    'a misspelt setting',
    { update: 'security', targets: TARGETS, dryrun: true },
    [/^dryrun: there is no such setting; known ones are .*dryRun/],
  ],
  [
    'a string for a flag',
    { update: 'security', targets: TARGETS, dryRun: 'yes' },
    [/^dryRun: .*boolean, got "yes"/],
  ],
  [
    'out of range',
    { update: 'security', targets: TARGETS, maxConcurrency: 0 },
    [/^maxConcurrency: .*1, got 0/],
  ],
  [
    'a kind that is none',
    { update: 'security', targets: TARGETS, representative: 'any' },
    [/^representative: "any" is none of "auto", "live", "clone"/],
  ],
  [
    'an id that is none',
    { update: 'security', targets: { instanceIds: ['web-1'] } },
    [/^targets\.instanceIds\[0\]: "web-1"/],
  ],
  [
    'a tag without a value',
    { update: 'security', targets: { tags: { 'Patch Group': null } } },
    [/^targets\.tags\["Patch Group"\]: null is none of a string, a list of strings/],
  ],
  ['empty targets', { update: 'security', targets: {} }, [/^targets: nothing is named/]],
])('names the mistake: %s', (_what, input, expected) => {
  const found = mistakes(input);
  expect(found).toHaveLength(expected.length);
  for (const [at, pattern] of expected.entries()) expect(found[at]).toMatch(pattern);
});

test('names every mistake at once, and shows what a right input looks like', () => {
  const input = { updat: 'security', targets: { tag: {} }, maxRounds: 1.5, representative: 1 };
  const places = mistakes(input).map((mistake) => mistake.split(':')[0]);
  expect(places.sort()).toEqual(['maxRounds', 'representative', 'targets.tag', 'updat', 'update']);
  expect(() => parseRunInput(input, DEPLOYED)).toThrow('For example: {"update": "security"');
});

test('a name of no update is one mistake of several', () => {
  const found = mistakes({ update: 'securty', targets: TARGETS, dryRun: 1 });
  expect(found).toEqual([
    expect.stringMatching(/^dryRun/),
    'update: there is no such update; known ones are security',
  ]);
});

test('says which updates there are when the name is of none', () => {
  expect(() => parseRunInput({ update: 'securty', targets: TARGETS }, DEPLOYED)).toThrow(
    expect.objectContaining({ name: 'UnknownUpdateError', message: expect.stringContaining('security') }),
  );
});

test('a roll back names a run, and machines if not all of them', () => {
  expect(parseRollBackInput({ run: 'patch-1' })).toEqual({ run: 'patch-1' });
  expect(() => parseRollBackInput({ run: '../other', instanceIds: [] })).toThrow(/2 mistake/);
});
