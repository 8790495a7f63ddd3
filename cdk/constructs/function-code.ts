import * as fs from 'node:fs';
import * as path from 'node:path';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Step } from '../../core/workflow/steps';
import { InvalidPropsError } from '../invalid-props-error';

/** What a function runs, and on what. */
export type FunctionCode = Pick<lambda.FunctionProps, 'code' | 'handler' | 'runtime' | 'architecture'>;

/**
 * A bundle that Lambda's own Node.js runs.
 * @param bundlesFolder holds a folder for each step, with an index.js; `npm run bundle` makes them
 * @throws InvalidPropsError
 */
export function bundledCode(bundlesFolder: string, step: Step): FunctionCode {
  const folder = path.join(bundlesFolder, step.name);
  requireFile(path.join(folder, 'index.js'));
  return {
    code: lambda.Code.fromAsset(folder),
    handler: 'index.handler',
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture: lambda.Architecture.ARM_64,
  };
}

/** The container image that also holds the kernel engine. */
export interface FunctionImage {
  /** Holds the Dockerfile and all that it copies; `npm run bundle` makes it. */
  readonly folder: string;
  /** Debian packages, which the kernel engine is made of: those that were tried, or also newer ones in their place. */
  readonly packages: 'pinned' | 'newest';
}

/**
 * The bundle within that image. It is built when it is deployed: here only its inputs are looked at.
 * @throws InvalidPropsError
 */
export function imageCode({ folder, packages }: FunctionImage, step: Step): FunctionCode {
  const bundle = path.posix.join('functions', step.name, 'index');
  for (const file of ['Dockerfile', `${bundle}.js`]) requireFile(path.join(folder, file));
  return {
    code: lambda.Code.fromAssetImage(folder, {
      cmd: [`${bundle}.handler`],
      platform: Platform.LINUX_AMD64,
      ...(packages === 'newest' ? { buildArgs: { NEWER: '--allow-newer' } } : {}),
    }),
    handler: lambda.Handler.FROM_IMAGE,
    runtime: lambda.Runtime.FROM_IMAGE,
    architecture: lambda.Architecture.X86_64,
  };
}

function requireFile(file: string): void {
  if (!fs.existsSync(file)) throw new InvalidPropsError([`there is no ${file}; run "npm run bundle" first`]);
}
