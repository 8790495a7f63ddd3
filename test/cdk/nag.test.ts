import { Stack } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { ImageElves, type ImageElvesProps, Update } from '../../cdk/index';
import { appUnderTest, cloneNetwork, minimalProps } from '../support/synthesized';

const findings = (
  props: (stack: Stack) => Partial<ImageElvesProps>,
  more: (stack: Stack) => void = () => {},
) => {
  const app = appUnderTest();
  const stack = new Stack(app, 'Test');
  new ImageElves(stack, 'ImageElves', { ...minimalProps(), ...props(stack) });
  more(stack);
  app.synth();
  return new AwsSolutionsChecks(app)
    .validateScope(app)
    .violations.map(
      ({ ruleName, violatingResources }) => `${ruleName} ${violatingResources[0]?.constructPath}`,
    );
};

test('cdk-nag finds nothing in the defaults', () => expect(findings(() => ({}))).toEqual([]));

test('nor with everything that can be added', () => {
  const schedules = { nightly: { expression: 'cron(0 3 * * ? *)', input: { update: 'security' } } };
  const updates = { security: Update.packages('security'), own: Update.document('harden-web') };
  expect(findings((stack) => ({ clones: cloneNetwork(stack), schedules, updates }))).toEqual([]);
});

test('and would find something', () => {
  const found = findings(
    () => ({}),
    (stack) => new s3.Bucket(stack, 'Careless'),
  );
  expect(found).toContain('AwsSolutions-S10 Test/Careless/Resource');
});
