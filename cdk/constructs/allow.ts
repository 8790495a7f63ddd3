import { Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

/** One statement of a policy. Whoever writes a `*` says why there is no narrower form. */
export interface Allowed {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Record<string, Record<string, string | string[]>>;
  /** Why a resource here holds a `*`: the acknowledgement of what cdk-nag finds. */
  readonly wildcard?: string;
}

/** Adds the statement to the grantee's policy, and its justification beside it. */
export function allow(grantee: iam.IGrantable, { actions, resources, conditions, wildcard }: Allowed): void {
  const principal = grantee.grantPrincipal;
  principal.addToPrincipalPolicy(
    new iam.PolicyStatement({
      actions: [...actions],
      resources: [...resources],
      ...(conditions === undefined ? {} : { conditions }),
    }),
  );
  if (wildcard !== undefined && Construct.isConstruct(principal)) {
    acknowledgeWildcards(principal, resources, wildcard);
  }
}

/** One acknowledgement for each resource, as cdk-nag makes one finding of each; on the role, which holds its policy. */
export function acknowledgeWildcards(role: Construct, resources: readonly string[], reason: string): void {
  const stack = Stack.of(role);
  for (const resource of resources) {
    const id = `AwsSolutions-IAM5[Resource::${flatten(stack.resolve(resource))}]`;
    Validations.of(role).acknowledge({ id, reason });
  }
}

/** A resolved ARN in the form in which cdk-nag names it in a finding: references as `<LogicalId.Attribute>`. */
function flatten(resolved: unknown): string {
  if (typeof resolved === 'string') return resolved;
  const reference = resolved as { 'Fn::Join'?: [string, unknown[]]; 'Fn::GetAtt'?: string[]; Ref?: string };
  if (reference['Fn::Join'] !== undefined) {
    const [delimiter, parts] = reference['Fn::Join'];
    return parts.map(flatten).join(delimiter);
  }
  if (reference['Fn::GetAtt'] !== undefined) return `<${reference['Fn::GetAtt'].join('.')}>`;
  return `<${reference.Ref}>`;
}
