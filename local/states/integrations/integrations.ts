import { awsSdkIntegration, type AwsCaller } from './aws-sdk';
import type { Integration, Integrations } from './integration';
import { lambdaByArn, lambdaInvoke, type LambdaTarget } from './lambda-invoke';
import { startExecution, type ExecutionTarget } from './start-execution';

/** What tasks can call, as this engine finds it. */
export interface TaskTargets {
  readonly lambda: LambdaTarget;
  /** Serves `aws-sdk:<service>:<action>`. */
  readonly aws: AwsCaller;
}

const LAMBDA_ARN = /^arn:aws[\w-]*:lambda:[\w-]*:\d*:function:[\w-]+/;
const AWS_SDK = /^arn:aws[\w-]*:states:::aws-sdk:(\w+):(\w+)$/;
const SERVICE = /^arn:aws[\w-]*:states:::([\w-]+:\w+(?:\.sync(?::2)?)?)$/;

/** Every integration that this interpreter serves. */
export function createIntegrations(targets: TaskTargets & { executions: ExecutionTarget }): Integrations {
  const optimised: Readonly<Record<string, Integration>> = {
    'lambda:invoke': lambdaInvoke(targets.lambda),
    'states:startExecution': startExecution(targets.executions, 'request'),
    'states:startExecution.sync': startExecution(targets.executions, 'sync'),
    'states:startExecution.sync:2': startExecution(targets.executions, 'sync:2'),
  };
  return {
    find(resource) {
      if (LAMBDA_ARN.test(resource)) return lambdaByArn(targets.lambda, resource);
      const sdk = AWS_SDK.exec(resource);
      if (sdk) return awsSdkIntegration(targets.aws, sdk[1] ?? '', sdk[2] ?? '');
      return optimised[SERVICE.exec(resource)?.[1] ?? ''];
    },
  };
}
