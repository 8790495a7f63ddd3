import { spawn } from 'node:child_process';
import path from 'node:path';
import { build } from 'esbuild';

/**
 * Bundles the benchmarks as the Lambdas are bundled and runs them: what tsx adds to every function would be measured too.
 * Usage: npm run bench [-- names of benchmarks, or `filesystem`], npm run bench -- classify (bench/classify/main.ts)
 */
async function main(names: readonly string[]): Promise<void> {
  const outdir = path.join(__dirname, '../.imageelves/bench');
  await build({
    entryPoints: {
      benchmarks: path.join(__dirname, 'benchmarks.ts'),
      'scan-once': path.join(__dirname, 'scan-once.ts'),
      classify: path.join(__dirname, 'classify/main.ts'),
    },
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    // Scripts beside the sources are found from here.
    define: { __dirname: JSON.stringify(__dirname) },
    logLevel: 'error',
  });
  const [program, args] = names[0] === 'classify' ? ['classify', names.slice(1)] : ['benchmarks', names];
  const child = spawn(process.execPath, [path.join(outdir, `${program}.cjs`), ...args], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.once('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
