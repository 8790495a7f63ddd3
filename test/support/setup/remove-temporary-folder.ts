import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** After all tests of a project: the folder that `ownTemporaryFolder` made. Fails where something is still mounted. */
export default function removeTemporaryFolder(): void {
  const folder = tmpdir();
  if (!path.basename(folder).startsWith('imageelves-tests-')) {
    throw new Error(`${folder} is not the folder of these tests`);
  }
  execFileSync('rm', ['-rf', '--one-file-system', folder]);
  process.env['TMPDIR'] = path.dirname(folder);
}
