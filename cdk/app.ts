import { App, Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { propsFromContext } from './app-context';
import { ImageElves } from './image-elves';

/** The deployable app: one stack around the construct; docs/operations.md lists the context it reads. */
const app = new App();
const stack = new Stack(app, 'ImageElves', {
  description: 'Patches a fleet of EC2 instances, the stopped ones included, without starting them',
});
new ImageElves(stack, 'ImageElves', propsFromContext(stack));
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
