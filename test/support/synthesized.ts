import { App, Aws, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { ImageElves, type ImageElvesProps, Update } from '../../cdk/index';
import { fakeBundles, fakeImage } from './fake-bundles';
import { temporaryFolder } from './temporary-folder';

let bundlesFolder: string | undefined;
let imageFolder: string | undefined;

/** Props that a test need not repeat. */
export const minimalProps = (): ImageElvesProps => ({
  updates: { security: Update.packages('security') },
  targets: { tags: { 'Patch Group': 'web' } },
  bundlesFolder: (bundlesFolder ??= fakeBundles()),
  imageFolder: (imageFolder ??= fakeImage()),
});

/** Without the stack traces that CDK takes at every construct, which nobody reads here. */
export const appUnderTest = (): App =>
  new App({ outdir: temporaryFolder('cdk-out'), context: { 'aws:cdk:disable-stack-trace': true } });

export const stackUnderTest = (): Stack => new Stack(appUnderTest(), 'Test');

/** A network by id, as somebody gives it who has one. */
export const cloneNetwork = (stack: Stack) => ({
  vpc: ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: [Aws.NO_VALUE],
  }),
  subnet: ec2.Subnet.fromSubnetId(stack, 'Subnet', 'subnet-0123456789abcdef0'),
});

/** The template of the construct with these props over the minimal ones. */
export function synthesized(props: (stack: Stack) => Partial<ImageElvesProps> = () => ({})): Template {
  const stack = stackUnderTest();
  new ImageElves(stack, 'ImageElves', { ...minimalProps(), ...props(stack) });
  return Template.fromStack(stack);
}
