import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * Before all tests of a project: everything temporary, of libraries too (CDK leaves its assemblies), goes to one folder.
 * The workers that run the tests inherit the variable.
 */
export default function ownTemporaryFolder(): void {
  process.env['TMPDIR'] = mkdtempSync(path.join(tmpdir(), 'imageelves-tests-'));
}
