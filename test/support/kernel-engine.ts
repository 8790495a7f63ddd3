import { join } from 'node:path';
import { EmulatedKernel, type EmulatedKernelOptions } from '../../kernel-engine';
import { makeGuest } from '../../kernel-engine/build/make-guest';

const ROOT = join(__dirname, '../..');
const OUTPUT = join(ROOT, 'dist/kernel-engine');

let made: Promise<unknown> | undefined;

/** Folder of the kernel engine, its guest built in it if it is not there yet. */
export async function kernelEngineDirectory(): Promise<string> {
  await (made ??= makeGuest({
    sources: join(ROOT, 'kernel-engine'),
    output: OUTPUT,
    allowNewer: true,
    tell: (line) => process.stdout.write(`${line}\n`),
  }));
  return OUTPUT;
}

/** Linux in an emulated machine, as it is deployed. The host needs QEMU, which the tests' setup installs. */
export async function kernelForTests(options: Partial<EmulatedKernelOptions> = {}): Promise<EmulatedKernel> {
  return EmulatedKernel.open({ directory: await kernelEngineDirectory(), ...options });
}
