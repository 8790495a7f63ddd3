import { readdirSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { build } from 'esbuild';
import { STEPS } from '../core/workflow/steps';

/** Bundles every Lambda into dist/lambdas/<step>/index.js, the SDK included: what runs is what was tested. */
const root = path.join(__dirname, '..');
const lambdas = path.join(root, 'lambdas');

async function bundle(): Promise<void> {
  const steps = STEPS.map(({ name }) => name as string);
  const files = readdirSync(lambdas, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => entry.name.replace(/\.ts$/, ''));
  const missing = steps.filter((step) => !files.includes(step));
  const unknown = files.filter((file) => !steps.includes(file));
  if (missing.length > 0) throw new Error(`lambdas/ lacks ${missing.map((name) => `${name}.ts`).join(', ')}`);
  if (unknown.length > 0) {
    throw new Error(
      `core/workflow/steps.ts does not name ${unknown.map((name) => `lambdas/${name}.ts`).join(', ')}`,
    );
  }
  const outdir = path.join(root, 'dist', 'lambdas');
  rmSync(outdir, { recursive: true, force: true });
  await build({
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
    entryPoints: steps.map((step) => ({ in: path.join(lambdas, `${step}.ts`), out: `${step}/index` })),
    outdir,
  });
}

bundle().catch((error: unknown) => {
  console.error(`bundle: ${(error as Error).message}`);
  process.exitCode = 1;
});
