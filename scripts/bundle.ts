import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { build, type BuildOptions } from 'esbuild';
import { type Step, STEPS } from '../core/workflow/steps';

/**
 * Bundles every Lambda into dist/lambdas/<step>/index.js, the SDK included: what runs is what was tested. The steps that
 * open images stand once more in dist/kernel-engine/image, beside the Dockerfile and all that it builds the kernel
 * engine of.
 */
const root = path.join(__dirname, '..');
const lambdas = path.join(root, 'lambdas');
const bundles = path.join(root, 'dist', 'lambdas');
const engine = path.join(root, 'kernel-engine');
const image = path.join(root, 'dist', 'kernel-engine', 'image');
const steps: readonly Step[] = STEPS;

const OPTIONS: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  // State machines match errors by name, and people read stack traces in logs.
  minify: false,
  keepNames: true,
  sourcemap: false,
  mainFields: ['module', 'main'],
  logLevel: 'warning',
};

async function bundle(): Promise<void> {
  checkFiles();
  rmSync(bundles, { recursive: true, force: true });
  await build({
    ...OPTIONS,
    entryPoints: steps.map(({ name }) => ({ in: path.join(lambdas, `${name}.ts`), out: `${name}/index` })),
    outdir: bundles,
  });
  await layOutImage();
}

/** There is one file for each step, and none besides. */
function checkFiles(): void {
  const names = steps.map(({ name }) => name);
  const files = readdirSync(lambdas, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => entry.name.replace(/\.ts$/, ''));
  const missing = names.filter((name) => !files.includes(name));
  const unknown = files.filter((file) => !names.includes(file));
  if (missing.length > 0) throw new Error(`lambdas/ lacks ${missing.map((name) => `${name}.ts`).join(', ')}`);
  if (unknown.length > 0) {
    throw new Error(
      `core/workflow/steps.ts does not name ${unknown.map((name) => `lambdas/${name}.ts`).join(', ')}`,
    );
  }
}

/** The build script is bundled too: in the image's build there is a Node.js, and none of our packages. */
async function layOutImage(): Promise<void> {
  rmSync(image, { recursive: true, force: true });
  mkdirSync(image, { recursive: true });
  cpSync(path.join(engine, 'image', 'Dockerfile'), path.join(image, 'Dockerfile'));
  for (const { name, opensImages } of steps) {
    if (opensImages)
      cpSync(path.join(bundles, name), path.join(image, 'functions', name), { recursive: true });
  }
  const inputs = path.join(image, 'kernel-engine');
  await build({
    ...OPTIONS,
    entryPoints: [path.join(engine, 'build', 'run.ts')],
    outfile: path.join(inputs, 'build', 'run.js'),
  });
  for (const file of readdirSync(engine)) {
    if (file.endsWith('.lock.json')) cpSync(path.join(engine, file), path.join(inputs, file));
  }
  const guest = path.join(engine, 'guest');
  for (const file of readdirSync(guest)) {
    if (file.endsWith('.py')) cpSync(path.join(guest, file), path.join(inputs, 'guest', file));
  }
}

bundle().catch((error: unknown) => {
  console.error(`bundle: ${(error as Error).message}`);
  process.exitCode = 1;
});
