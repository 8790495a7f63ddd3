import { spawn } from 'node:child_process';
import path from 'node:path';

export const PROJECT_FOLDER = path.resolve(__dirname, '..', '..');

/** `cdk synth` did not succeed; what it said is in the message. */
export class SynthesisError extends Error {
  override readonly name = 'SynthesisError';
}

/**
 * Makes the very artifacts that `cdk deploy` would deploy, with no account and no network, and returns their folder.
 *
 * @param context `-c key=value` settings of the app
 */
export async function synthesize(
  outputFolder: string,
  context: Readonly<Record<string, string>> = {},
): Promise<string> {
  const settings = Object.entries(context).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const child = spawn(
    process.execPath,
    [require.resolve('aws-cdk/bin/cdk'), 'synth', '--quiet', '--output', outputFolder, ...settings],
    {
      cwd: PROJECT_FOLDER,
      // The app and its build step find the project's own Node and tools first.
      env: { ...process.env, PATH: `${path.join(PROJECT_FOLDER, 'node_modules/.bin')}:${process.env.PATH}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (exitCode !== 0) throw new SynthesisError(`cdk synth ended with ${exitCode}:\n${output.trim()}`);
  return outputFolder;
}
