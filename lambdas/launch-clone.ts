import type { CloneNetwork } from '../aws/ec2/clones';
import { launchClone } from '../aws/steps/launch-clone';
import { optionalEnv } from './runtime/env';
import { stepHandler } from './runtime/step';

/** Starts an isolated copy of a stopped member. */
export const handler = stepHandler(({ services, hasTime }, input: Parameters<typeof launchClone>[1]) =>
  launchClone(services, input, cloneNetwork(), hasTime),
);

/** Undefined where the deployment has no security group for clones: then none is launched. */
function cloneNetwork(): CloneNetwork | undefined {
  const groups = optionalEnv('CLONE_SECURITY_GROUP_IDS');
  if (groups === undefined) return undefined;
  return {
    securityGroupIds: groups.split(','),
    subnetId: optionalEnv('CLONE_SUBNET_ID'),
    instanceProfileName: optionalEnv('CLONE_INSTANCE_PROFILE'),
    instanceType: optionalEnv('CLONE_INSTANCE_TYPE'),
  };
}
