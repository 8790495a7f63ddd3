import { readFileSync } from 'node:fs';
import type { FileAsset } from './cloud-assembly';
import { DeployError } from './deploy-error';

/** `AWS::StepFunctions::StateMachine` with its values resolved. */
interface StateMachineProperties {
  DefinitionString?: string;
  DefinitionS3Location?: { Bucket?: string; Key?: string };
  Definition?: object;
  DefinitionSubstitutions?: Record<string, unknown>;
  StateMachineType?: string;
}

/** The definition as it would run, its `${...}` filled in. @throws DeployError */
export function definitionOf(
  logicalId: string,
  properties: StateMachineProperties,
  assetOf: (bucket: string, key: string) => FileAsset | undefined,
): string {
  const {
    DefinitionString,
    DefinitionS3Location,
    Definition,
    DefinitionSubstitutions = {},
    StateMachineType,
  } = properties;
  if (StateMachineType !== undefined && StateMachineType !== 'STANDARD')
    throw new DeployError(`${logicalId}: state machines of type ${StateMachineType} are not supported.`);
  const asset = assetOf(DefinitionS3Location?.Bucket ?? '', DefinitionS3Location?.Key ?? '');
  const text =
    DefinitionString ?? (Definition ? JSON.stringify(Definition) : asset && readFileSync(asset.path, 'utf8'));
  if (text === undefined) throw new DeployError(`${logicalId}: its definition is not in the assembly.`);
  return text.replace(/\$\{(\w+)\}/g, (_whole, name: string) => {
    const value = DefinitionSubstitutions[name];
    if (value === undefined)
      throw new DeployError(`${logicalId}: nothing stands for \${${name}} in its definition.`);
    // Inside of a JSON string.
    return JSON.stringify(String(value)).slice(1, -1);
  });
}
