import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { build, type BuildOptions } from 'esbuild';

const engine = path.join(__dirname, '..', 'kernel-engine');

export const BUNDLE_OPTIONS: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  // State machines match errors by name, and people read stack traces in logs.
  minify: false,
  keepNames: true,
  sourcemap: false,
  mainFields: ['module', 'main'],
  // The recorder, which start-update sends to machines.
  loader: { '.py': 'text' },
  logLevel: 'warning',
};

/**
 * Lays out the Dockerfile of the functions' image, and beside it what the kernel engine is built of. The build script is
 * bundled: where an image is built there is a Node.js, and none of our packages.
 */
export async function layOutEngineBuild(folder: string): Promise<void> {
  const inputs = path.join(folder, 'kernel-engine');
  mkdirSync(inputs, { recursive: true });
  cpSync(path.join(engine, 'image', 'Dockerfile'), path.join(folder, 'Dockerfile'));
  await build({
    ...BUNDLE_OPTIONS,
    entryPoints: [path.join(engine, 'build', 'run.ts')],
    outfile: path.join(inputs, 'build', 'run.js'),
  });
  for (const file of readdirSync(engine)) {
    if (file.endsWith('.lock.json')) cpSync(path.join(engine, file), path.join(inputs, file));
  }
  for (const file of readdirSync(path.join(engine, 'guest'))) {
    if (file.endsWith('.py')) cpSync(path.join(engine, 'guest', file), path.join(inputs, 'guest', file));
  }
}
