import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { build } from 'esbuild';
import { type Step, STEPS } from '../core/workflow/steps';
import { BUNDLE_OPTIONS, layOutEngineBuild } from './engine-build';
import { putInPlace } from './put-in-place';

/**
 * Bundles every Lambda into dist/lambdas/<step>/index.js, the SDK included: what runs is what was tested. The steps that
 * open images stand once more in dist/kernel-engine/image, beside the Dockerfile and all that it builds the kernel
 * engine of.
 */
const root = path.join(__dirname, '..');
const lambdas = path.join(root, 'lambdas');
const dist = path.join(root, 'dist');
const steps: readonly Step[] = STEPS;

async function bundle(): Promise<void> {
  checkFiles();
  mkdirSync(dist, { recursive: true });
  const made = mkdtempSync(path.join(dist, 'bundle-'));
  try {
    const [bundles, image] = [path.join(made, 'lambdas'), path.join(made, 'image')];
    await build({
      ...BUNDLE_OPTIONS,
      entryPoints: steps.map(({ name }) => ({
        in: path.join(lambdas, `${name}.ts`),
        out: `${name}/index`,
      })),
      outdir: bundles,
    });
    await layOutImage(bundles, image);
    putInPlace(image, path.join(dist, 'kernel-engine', 'image'));
    putInPlace(bundles, path.join(dist, 'lambdas'));
  } finally {
    rmSync(made, { recursive: true });
  }
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

/** The functions, the Dockerfile and all that it builds the kernel engine of. */
async function layOutImage(bundles: string, image: string): Promise<void> {
  for (const { name, opensImages } of steps) {
    if (opensImages)
      cpSync(path.join(bundles, name), path.join(image, 'functions', name), { recursive: true });
  }
  await layOutEngineBuild(image);
}

bundle().catch((error: unknown) => {
  console.error(`bundle: ${(error as Error).message}`);
  process.exitCode = 1;
});
