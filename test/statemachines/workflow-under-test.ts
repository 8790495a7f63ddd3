import * as keys from '../../core/workflow/keys';
import type * as payloads from '../../core/workflow/payloads';
import { type StepName, STEPS } from '../../core/workflow/steps';
import { engineUnderTest } from '../local/states/engine-under-test';
import { definitionFiles, definitionText } from '../support/definitions';

export interface Call {
  readonly step: StepName;
  readonly input: Record<string, unknown>;
}
type StepFunctions = Partial<Record<StepName, (input: never) => unknown>>;

const BUCKET = 'runs-bucket';
const MANIFEST = { manifestKey: 'manifest', manifestDigest: 'sha256:m' };
const machineArn = (name: string): string => `arn:aws:states:eu-west-1:123456789012:stateMachine:${name}`;
const pascalCase = (name: string): string =>
  name.replace(/(^|-)(\w)/g, (_match, _dash, letter: string) => letter.toUpperCase());

/** The fleet of a test: which classes each round finds, and who is in them. */
export interface TestFleet {
  readonly targets: readonly string[];
  /** By round, from the first. */
  readonly rounds: readonly (readonly TestClass[])[];
}
export interface TestClass {
  readonly classId: string;
  readonly representative: payloads.ClassItem['representative'];
  readonly recorded?: payloads.RecordedManifest;
  readonly check?: true;
  readonly witness?: Omit<payloads.WitnessItem, 'timeoutSeconds'> & { readonly timeoutSeconds?: number };
  readonly members: readonly string[];
  /** @default all members */
  readonly matched?: readonly string[];
}

/**
 * The state machines as they are deployed, run by the local engine, over steps that answer as the real ones do
 * when all goes well. A test gives its own function for the step that is to do something else.
 */
export function workflowUnderTest(fleet: TestFleet, own: StepFunctions = {}) {
  const calls: Call[] = [];
  const steps: StepFunctions = { ...wellBehaved(fleet, (key, items) => put(key, items)), ...own };
  const cloud = engineUnderTest({
    functions: Object.fromEntries(
      STEPS.map(({ name }) => [
        name,
        async (input: never) => {
          calls.push({ step: name, input });
          return steps[name]?.(input);
        },
      ]),
    ),
  });
  const put = (key: string, items: readonly object[]): void => {
    cloud.objects.set(`${BUCKET}/${key}`, Buffer.from(items.map((item) => JSON.stringify(item)).join('\n')));
  };
  const substitutions = new Map([
    ['BucketName', BUCKET],
    ['PatchInstanceStateMachineArn', machineArn('patch-instance')],
    ['RunUpdateStateMachineArn', machineArn('run-update')],
    ['UpdateClassStateMachineArn', machineArn('update-class')],
    ...STEPS.map(({ name }): [string, string] => [
      `${pascalCase(name)}FunctionArn`,
      `arn:aws:lambda:eu-west-1:123456789012:function:${name}`,
    ]),
  ]);
  for (const file of definitionFiles()) {
    const text = definitionText(file).replace(/\$\{(\w+)\}/g, (_match, name: string) => {
      const value = substitutions.get(name);
      if (value === undefined) throw new Error(`${file} names \${${name}}`);
      return value;
    });
    cloud.engine.putStateMachine(file.replace('.asl.json', ''), text);
  }
  return {
    calls,
    /** Inputs of the calls of one step, in order. */
    inputs: (step: StepName) => calls.filter((call) => call.step === step).map(({ input }) => input),
    /** What was called for one machine, in order. */
    stepsOf: (instanceId: string) =>
      calls.filter(({ input }) => input['instanceId'] === instanceId).map(({ step }) => step),
    async run(machine: string, input: object) {
      const stateMachine = cloud.engine.stateMachines.get(machineArn(machine));
      if (stateMachine === undefined) throw new Error(`no state machine ${machine}`);
      const { executionArn } = cloud.engine.start(stateMachine, 'run-1', input as never);
      const ended = await cloud.engine.ended(executionArn);
      if (ended === undefined) throw new Error('the execution is lost');
      const { status, error, cause, output } = ended;
      return { status, error, cause, output: output === undefined ? undefined : JSON.parse(output) };
    },
  };
}

function wellBehaved(fleet: TestFleet, put: (key: string, items: readonly object[]) => void): StepFunctions {
  const classes = fleet.rounds.flat();
  const classOf = (classId: string): TestClass => classes.find((one) => one.classId === classId) as TestClass;
  const itemOf = (classId: string) => (instanceId: string) => ({
    run: 'run-1',
    classId,
    instanceId,
    ...MANIFEST,
  });
  const failures: unknown[] = [];
  return {
    'plan-run': ({ input }: payloads.PlanRunInput): payloads.PlanRunOutput => {
      put(
        keys.targetsKey('run-1'),
        fleet.targets.map((instanceId) => ({ run: 'run-1', instanceId })),
      );
      return {
        run: 'run-1',
        update: 'security',
        dryRun: (input as { dryRun?: boolean }).dryRun ?? false,
        maxConcurrency: 2,
        toleratedFailurePercentage: 10,
        maxRounds: 2,
        targetCount: fleet.targets.length,
        targetsKey: keys.targetsKey('run-1'),
      };
    },
    'snapshot-instance': () => ({ done: true, snapshotsKey: 'snapshots' }),
    'profile-instance': () => ({ profileKey: 'profile' }),
    'record-failure': (input: unknown) => {
      failures.push(input);
      return { failureKey: 'failure' };
    },
    'classify-targets': ({ round }: payloads.ClassifyTargetsInput): payloads.ClassifyTargetsOutput => {
      const found = fleet.rounds[round - 1] ?? [];
      for (const { classId, members } of found) {
        put(keys.membersKey('run-1', round, classId), members.map(itemOf(classId)));
      }
      put(
        keys.classesKey('run-1', round),
        found.map(({ classId, representative, recorded, check, witness, members }) => ({
          run: 'run-1',
          round,
          classId,
          representative,
          ...(recorded === undefined ? {} : { recorded }),
          ...(check === undefined ? {} : { check }),
          ...(witness === undefined ? {} : { witness: { timeoutSeconds: 10_800, ...witness } }),
          memberCount: members.length,
          membersKey: keys.membersKey('run-1', round, classId),
          maxConcurrency: 2,
          toleratedFailurePercentage: 10,
        })),
      );
      return { round, classCount: found.length, classesKey: keys.classesKey('run-1', round) };
    },
    'launch-clone': ({ instanceId }: payloads.LaunchCloneInput) => ({
      done: true,
      cloneInstanceId: `${instanceId}-clone`,
    }),
    'start-update': () => ({ commandId: 'command' }),
    'check-update': () => ({ done: true, status: 'Success' }),
    'capture-update': () => ({ ...MANIFEST, operationCount: 7, witnessNeeded: false }),
    'terminate-clone': () => ({ done: true }),
    'match-instance': () => ({ matched: true }),
    'select-matched': ({ classId }: payloads.SelectMatchedInput): payloads.SelectMatchedOutput => {
      const { members, matched = members } = classOf(classId);
      const [canary, ...rest] = matched.map(itemOf(classId));
      put(keys.restKey('run-1', classId), rest);
      return {
        matchedCount: matched.length,
        ...(canary === undefined ? {} : { canary }),
        restKey: keys.restKey('run-1', classId),
        restCount: rest.length,
      };
    },
    'record-compliance': () => ({ done: true, recordedCount: 2 }),
    'remember-manifest': () => ({ remembered: true }),
    'take-lease': () => ({ leaseKey: 'lease' }),
    'apply-manifest': () => ({ done: true, snapshotId: 'snap-1', putBlocks: 3, getBlocks: 9 }),
    'create-volume': () => ({ done: true, volumeIds: ['vol-1'] }),
    'swap-volume': () => ({ done: true, state: 'swapped' }),
    'verify-instance': () => ({ verified: true }),
    'release-lease': () => ({ released: true }),
    'clean-up-run': () => ({ done: true, deletedSnapshots: 0, terminatedClones: 0 }),
    'write-report': ({ error }: payloads.WriteReportInput) => ({
      reportKey: 'runs/run-1/report.json',
      succeeded: failures.length === 0 && error === undefined,
      summary: `${failures.length} failed.`,
    }),
    'plan-roll-back': (): payloads.PlanRollBackOutput => {
      put(
        keys.rollBackItemsKey('run-1'),
        fleet.targets.map((instanceId) => ({ run: 'run-1', instanceId })),
      );
      return { run: 'run-1', itemCount: fleet.targets.length, itemsKey: keys.rollBackItemsKey('run-1') };
    },
  };
}
