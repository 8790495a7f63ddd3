import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { STEPS } from '../../core/workflow/steps';
import { temporaryFolder } from './temporary-folder';

/** A folder as `npm run bundle` makes it, in no time: what a template says does not depend on what is in a bundle. */
export function fakeBundles(): string {
  const folder = temporaryFolder('bundles');
  for (const { name } of STEPS) {
    mkdirSync(path.join(folder, name));
    writeFileSync(
      path.join(folder, name, 'index.js'),
      `exports.handler = async () => ${JSON.stringify(name)};\n`,
    );
  }
  return folder;
}
