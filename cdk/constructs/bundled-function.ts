import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Step } from '../../core/workflow/steps';
import { allow } from './allow';
import type { FunctionCode } from './function-code';

export interface BundledFunctionProps {
  readonly step: Step;
  readonly code: FunctionCode;
  readonly logRetention: logs.RetentionDays;
}

/** The Lambda of one workflow step: its bundle, a role and a log group of its own. */
export class BundledFunction extends Construct {
  readonly function: lambda.Function;
  readonly role: iam.Role;

  constructor(scope: Construct, id: string, { step, code, logRetention }: BundledFunctionProps) {
    super(scope, id);
    const logGroup = new logs.LogGroup(this, 'Logs', {
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new iam.Role(this, 'Role', {
      description: `What the step ${step.name} may do`,
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    // Instead of the managed policy, which allows writing to every log group of the account.
    allow(this.role, {
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
      wildcard: 'The log streams of this one log group: the ARN of a log group ends in :*.',
    });
    Validations.of(this.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'X-Ray knows no resources: PutTraceSegments and PutTelemetryRecords can be allowed on * only.',
    });
    this.function = new lambda.Function(this, 'Function', {
      description: step.description,
      ...code,
      memorySize: step.memoryMb,
      timeout: Duration.seconds(step.timeoutSeconds),
      role: this.role,
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      tracing: lambda.Tracing.ACTIVE,
    });
  }

  /** Without the versions and aliases that the function's own grantInvoke adds as a wildcard. */
  grantInvoke(grantee: iam.IGrantable): void {
    allow(grantee, { actions: ['lambda:InvokeFunction'], resources: [this.function.functionArn] });
  }

  setVariable(name: string, value: string): void {
    this.function.addEnvironment(name, value);
  }
}
