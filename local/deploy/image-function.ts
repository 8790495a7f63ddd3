import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ImageAsset } from './cloud-assembly';
import { DeployError } from './deploy-error';

/** What a function runs. */
export interface FunctionCode {
  readonly codeFolder: string;
  readonly handler: string;
  readonly runtime: string;
}

/** AWS's base image, whose runtime takes its command for the handler (Lambda developer guide, "Deploy Node.js with images"). */
const BASE_IMAGE = /^FROM\s+(?:--\S+\s+)*public\.ecr\.aws\/lambda\/nodejs:(\d+)\S*\s*$/i;

/**
 * Nothing is built here: the function is run from the image's own folder, which must be laid out as the image's
 * LAMBDA_TASK_ROOT is. What the image holds besides, its functions find by their environment.
 * @throws DeployError when the last stage is not AWS's image for Node.js, or the handler is not in the folder
 */
export function imageFunctionOf(
  logicalId: string,
  { folder, dockerFile }: ImageAsset,
  command: readonly string[],
): FunctionCode {
  const file = path.join(folder, dockerFile);
  const stages = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => /^FROM\s/i.test(line));
  const [, version] = BASE_IMAGE.exec(stages.at(-1) ?? '') ?? [];
  if (version === undefined)
    throw new DeployError(
      `${logicalId}: the last stage of ${file} is not made from public.ecr.aws/lambda/nodejs.`,
    );
  const [handler = ''] = command;
  const module = `${handler.replace(/\.[^.]*$/, '')}.js`;
  if (!existsSync(path.join(folder, module)))
    throw new DeployError(`${logicalId}: there is no ${module} in ${folder}.`);
  return { codeFolder: folder, handler, runtime: `nodejs${version}.x` };
}
