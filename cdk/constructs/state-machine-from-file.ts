import * as fs from 'node:fs';
import * as path from 'node:path';
import { ArnFormat, Names, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { InvalidPropsError } from '../invalid-props-error';
import { acknowledgeWildcards, allow } from './allow';

/** What a `${Name}` of the file stands for, and the right that goes with it. */
export interface Substitution {
  readonly value: string;
  grant(stateMachine: StateMachineFromFile): void;
}

export interface StateMachineFromFileProps {
  /** An *.asl.json file. */
  readonly file: string;
  /**
   * All that the files may name. Each machine gets those that stand in its own file, and the rights to exactly them, so
   * that text and permissions cannot drift apart.
   */
  readonly substitutions: ReadonlyMap<string, Substitution>;
  readonly logRetention: logs.RetentionDays;
}

/** A state machine whose definition is a file: the very file that people read and that runs locally. */
export class StateMachineFromFile extends Construct {
  readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, props: StateMachineFromFileProps) {
    super(scope, id);
    const { file, substitutions, logRetention } = props;
    const definition = fs.readFileSync(file, 'utf8');
    const used = namedIn(definition).map((name) => {
      const substitution = substitutions.get(name);
      if (substitution === undefined) {
        throw new InvalidPropsError([`${path.basename(file)} names \${${name}}, which nothing stands for`]);
      }
      return [name, substitution] as const;
    });
    const logGroup = new logs.LogGroup(this, 'Logs', {
      // The prefix keeps the account's one resource policy for log delivery from growing with every state machine.
      logGroupName: `/aws/vendedlogs/states/${Names.uniqueResourceName(this, { maxLength: 60 })}`,
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.stateMachine = new sfn.StateMachine(this, 'StateMachine', {
      definitionBody: sfn.DefinitionBody.fromFile(file),
      definitionSubstitutions: Object.fromEntries(used.map(([name, { value }]) => [name, value])),
      logs: { destination: logGroup, level: sfn.LogLevel.ALL, includeExecutionData: true },
      tracingEnabled: true,
    });
    Validations.of(this.stateMachine).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'Log delivery and X-Ray know no resources: their actions can be allowed on * only.',
    });
    for (const [, substitution] of used) substitution.grant(this);
    if (definition.includes('"DISTRIBUTED"')) this.grantMapRuns();
  }

  get role(): iam.IRole {
    return this.stateMachine.role;
  }

  /** Start executions of this machine, wait for them and stop them, as `startExecution.sync:2` does. */
  grantNestedExecution(parent: StateMachineFromFile): void {
    allow(parent.role, {
      actions: ['states:StartExecution'],
      resources: [this.stateMachine.stateMachineArn],
    });
    allow(parent.role, {
      actions: ['states:DescribeExecution', 'states:RedriveExecution', 'states:StopExecution'],
      resources: [this.executionArn(':*')],
      wildcard: 'Executions of this one machine: each has a name of its own.',
    });
    allow(parent.role, {
      actions: ['events:DescribeRule', 'events:PutRule', 'events:PutTargets'],
      resources: [
        Stack.of(this).formatArn({
          service: 'events',
          resource: 'rule',
          resourceName: 'StepFunctionsGetEventsForStepFunctionsExecutionRule',
        }),
      ],
    });
  }

  /** Ask what became of executions of this machine. */
  grantExecutionsRead(grantee: iam.IGrantable): void {
    allow(grantee, {
      actions: ['states:DescribeExecution'],
      resources: [this.executionArn(':*')],
      wildcard: 'Executions of this one machine: each has a name of its own.',
    });
  }

  /**
   * A distributed map starts its children as executions of the machine itself. CDK grants that for maps it builds, not
   * for definitions from a file. A policy of its own, since the machine depends on its role's default policy, which
   * therefore cannot name the machine.
   */
  private grantMapRuns(): void {
    const children = this.executionArn(':*');
    const childrenOfMaps = this.executionArn('/*:*');
    const policy = new iam.Policy(this, 'MapRuns', {
      roles: [this.role],
      statements: [
        new iam.PolicyStatement({
          actions: ['states:StartExecution'],
          resources: [this.stateMachine.stateMachineArn],
        }),
        new iam.PolicyStatement({
          actions: ['states:DescribeExecution', 'states:StopExecution'],
          resources: [children],
        }),
        new iam.PolicyStatement({ actions: ['states:RedriveExecution'], resources: [childrenOfMaps] }),
      ],
    });
    acknowledgeWildcards(
      policy,
      [children, childrenOfMaps],
      'Children of a distributed map: executions of this one machine, each with a name of its own.',
    );
  }

  private executionArn(suffix: string): string {
    return Stack.of(this).formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${this.stateMachine.stateMachineName}${suffix}`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }
}

/** The `${Name}`s of a definition, each once. */
function namedIn(definition: string): string[] {
  return [...new Set([...definition.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1] as string))].sort();
}
