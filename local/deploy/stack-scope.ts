import type { Template, TemplateResource } from './cloud-assembly';
import { DeployError } from './deploy-error';
import { NO_VALUE, resolve, type ResolutionScope } from './intrinsics';
import type { NamingPlace } from './physical-names';
import { ACCEPTED, DEPLOYED, unknownResource, type PhysicalResource } from './resource-attributes';

/** Resolves the references of one stack. A resource's name may itself hold references, so names are found when asked for. */
export class StackScope implements ResolutionScope {
  private readonly physical = new Map<string, PhysicalResource>();
  private readonly underWay = new Set<string>();

  constructor(
    private readonly template: Template,
    private readonly place: NamingPlace,
  ) {}

  /** The resources whose condition holds. */
  resources(): [string, TemplateResource][] {
    return Object.entries(this.template.Resources ?? {}).filter(
      ([, { Condition }]) => Condition === undefined || this.condition(Condition),
    );
  }

  outputs(): Record<string, string> {
    const written = Object.entries(this.template.Outputs ?? {}).filter(
      ([, { Condition }]) => Condition === undefined || this.condition(Condition),
    );
    return Object.fromEntries(written.map(([name, { Value }]) => [name, String(resolve(Value, this))]));
  }

  properties(resource: TemplateResource): Record<string, unknown> {
    return resolve(resource.Properties ?? {}, this) as Record<string, unknown>;
  }

  /** Text of an asset manifest: only `${AWS::...}`. */
  pseudo(text: string): string {
    return String(resolve({ 'Fn::Sub': text }, this));
  }

  ref(name: string): unknown {
    const pseudo = this.pseudoParameter(name);
    if (pseudo !== undefined) return pseudo;
    const parameter = this.template.Parameters?.[name];
    if (!parameter) return this.find(name).ref;
    if (parameter.Default === undefined) throw new DeployError(`The parameter ${name} has no default.`);
    return parameter.Default;
  }

  attribute(logicalId: string, name: string): unknown {
    const value = this.find(logicalId).attributes[name];
    if (value !== undefined) return value;
    const { Type = '' } = this.template.Resources?.[logicalId] ?? {};
    throw new DeployError(`${logicalId} (${Type}) has no attribute ${name} here.`);
  }

  condition(name: string): boolean {
    if (this.template.Conditions?.[name] === undefined)
      throw new DeployError(`There is no condition ${name}.`);
    return Boolean(resolve(this.template.Conditions[name], this));
  }

  mapping(map: string, first: string, second: string): unknown {
    const value = this.template.Mappings?.[map]?.[first]?.[second];
    if (value === undefined) throw new DeployError(`The mapping ${map} has nothing at ${first}, ${second}.`);
    return value;
  }

  private find(logicalId: string): PhysicalResource {
    const known = this.physical.get(logicalId);
    if (known) return known;
    const resource = this.template.Resources?.[logicalId];
    if (!resource) throw new DeployError(`The template refers to ${logicalId}, which it does not define.`);
    if (this.underWay.has(logicalId)) throw new DeployError(`The name of ${logicalId} depends on itself.`);
    this.underWay.add(logicalId);
    const physical = DEPLOYED[resource.Type] ?? ACCEPTED[resource.Type] ?? unknownResource;
    const made = physical(logicalId, this.nameProperties(resource), this.place);
    this.underWay.delete(logicalId);
    this.physical.set(logicalId, made);
    return made;
  }

  /** Only names: other properties may refer back. */
  private nameProperties({ Properties = {} }: TemplateResource): Record<string, unknown> {
    const names = Object.entries(Properties).filter(([property]) => property.endsWith('Name'));
    return resolve(Object.fromEntries(names), this) as Record<string, unknown>;
  }

  private pseudoParameter(name: string): unknown {
    const { region, accountId, stackName } = this.place;
    const values: Record<string, unknown> = {
      'AWS::AccountId': accountId,
      'AWS::NoValue': NO_VALUE,
      'AWS::NotificationARNs': [],
      'AWS::Partition': 'aws',
      'AWS::Region': region,
      'AWS::StackId': `arn:aws:cloudformation:${region}:${accountId}:stack/${stackName}/local`,
      'AWS::StackName': stackName,
      'AWS::URLSuffix': 'amazonaws.com',
    };
    return values[name];
  }
}
