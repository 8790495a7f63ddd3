import { join } from 'node:path';
import { EmulatedKernel, type EmulatedKernelOptions } from '../../kernel-engine';
import { makeGuest } from '../../kernel-engine/build/make-guest';
import { makeState } from '../../kernel-engine/build/make-state';

const ROOT = join(__dirname, '../..');
const OUTPUT = join(ROOT, 'dist/kernel-engine');

let made: Promise<unknown> | undefined;

/** Folder of the kernel engine, its guest built in it if it is not there yet. */
export async function kernelEngineDirectory(): Promise<string> {
  await (made ??= makeAll());
  return OUTPUT;
}

async function makeAll(): Promise<void> {
  const tell = (line: string): void => void process.stdout.write(`kernel-engine: ${line}\n`);
  await makeGuest({ sources: join(ROOT, 'kernel-engine'), output: OUTPUT, allowNewer: true, tell });
  await makeState({ directory: OUTPUT, tell });
}

/** Linux in an emulated machine, as it is deployed. The host needs QEMU, which the tests' setup installs. */
export async function kernelForTests(options: Partial<EmulatedKernelOptions> = {}): Promise<EmulatedKernel> {
  return EmulatedKernel.open({ directory: await kernelEngineDirectory(), ...options });
}
