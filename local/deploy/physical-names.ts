import { createHash } from 'node:crypto';

/** What the resources of a stack are called, and what `Ref` and `Fn::GetAtt` give for them. */
export interface NamingPlace {
  readonly stackName: string;
  readonly region: string;
  readonly accountId: string;
}

/** A number of `digits` hexadecimal digits that is the same at every deployment of this resource. */
export const stableId = ({ stackName }: NamingPlace, logicalId: string, digits: number): string =>
  createHash('sha256').update(`${stackName}/${logicalId}`).digest('hex').slice(0, digits);

/** A generated name: stack and logical id, cut to length with a digest where it is too long. */
export function generatedName(place: NamingPlace, logicalId: string, longest: number): string {
  const name = `${place.stackName}-${logicalId}`;
  if (name.length <= longest) return name;
  return `${name.slice(0, longest - 9)}-${stableId(place, logicalId, 8)}`;
}
