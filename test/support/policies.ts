import type { Template } from 'aws-cdk-lib/assertions';

/** One allowed action on one resource, and to which roles. References are `<LogicalId.Attribute>`. */
export interface Permission {
  readonly role: string;
  readonly action: string;
  readonly resource: string;
  readonly condition: string;
}

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** Every permission that the policies of a template give to its roles. */
export function permissionsOf(template: Template): Permission[] {
  return Object.values(template.findResources('AWS::IAM::Policy')).flatMap(({ Properties }) =>
    (Properties.Roles as unknown[]).flatMap((role) =>
      (Properties.PolicyDocument.Statement as Statement[]).flatMap(
        ({ Effect, Action, Resource, Condition }) => {
          if (Effect !== 'Allow')
            throw new Error(`a statement that does not allow: ${JSON.stringify(Action)}`);
          return listOf(Action).flatMap((action) =>
            listOf(Resource).map((resource) => ({
              role: flat(role),
              action,
              resource: flat(resource),
              condition: Condition === undefined ? '' : JSON.stringify(Condition),
            })),
          );
        },
      ),
    ),
  );
}

/** The role of the function of each step, as in a permission. */
export function rolesOfSteps(
  template: Template,
  steps: readonly { name: string; description: string }[],
): Map<string, string> {
  const functions = Object.values(template.findResources('AWS::Lambda::Function'));
  return new Map(
    steps.map(({ name, description }) => {
      const found = functions.find(({ Properties }) => Properties.Description === description);
      return [`<${String(found?.Properties.Role['Fn::GetAtt'][0])}>`, name];
    }),
  );
}

const listOf = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

function flat(value: unknown): string {
  if (typeof value === 'string') return value;
  const { 'Fn::Join': join, 'Fn::GetAtt': attribute, 'Fn::Sub': text, Ref } = value as Record<string, never>;
  if (join !== undefined) return (join[1] as unknown[]).map(flat).join(join[0]);
  if (attribute !== undefined) return `<${(attribute as string[]).join('.')}>`;
  return text === undefined ? `<${String(Ref)}>` : String(text);
}
