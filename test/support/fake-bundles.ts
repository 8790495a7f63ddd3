import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { type Step, STEPS } from '../../core/workflow/steps';
import { temporaryFolder } from './temporary-folder';

/** A folder as `npm run bundle` makes it, in no time: what a template says does not depend on what is in a bundle. */
export function fakeBundles(): string {
  const folder = temporaryFolder('bundles');
  for (const step of STEPS) writeBundle(folder, step);
  return folder;
}

/** The folder of the container image, likewise. */
export function fakeImage(): string {
  const folder = temporaryFolder('image');
  writeFileSync(
    path.join(folder, 'Dockerfile'),
    'FROM public.ecr.aws/lambda/nodejs:24\nCOPY functions functions\n',
  );
  for (const step of STEPS as readonly Step[]) {
    if (step.opensImages) writeBundle(path.join(folder, 'functions'), step);
  }
  return folder;
}

function writeBundle(folder: string, { name }: Step): void {
  mkdirSync(path.join(folder, name), { recursive: true });
  writeFileSync(
    path.join(folder, name, 'index.js'),
    `exports.handler = async () => ${JSON.stringify(name)};\n`,
  );
}
