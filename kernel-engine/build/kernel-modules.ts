import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BuildError } from './build-error';
import { runProgram } from './run-program';

/** Kernel modules with all that they need, in the order in which they can be loaded. */
export interface LoadableModules {
  /** Uncompressed: the emulated machine would be slow at it. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Names of files by group, each after what it needs. */
  readonly orders: Readonly<Record<string, readonly string[]>>;
}

/**
 * @param root of the unpacked kernel package
 * @param groups modules that are loaded together, by the group's name; those built into the kernel are left out
 */
export async function collectModules(
  root: string,
  groups: Readonly<Record<string, readonly string[]>>,
): Promise<LoadableModules> {
  const [version] = await readdir(join(root, 'usr/lib/modules'));
  if (version === undefined) throw new BuildError('the kernel package holds no modules');
  const folder = join(root, 'usr/lib/modules', version);
  const builtin = new Set(
    (await readFile(join(folder, 'modules.builtin'), 'utf8')).split('\n').map(moduleName),
  );
  const paths = new Map<string, string>();
  for (const path of await readdir(folder, { recursive: true })) {
    if (/\.ko(\.xz)?$/.test(path)) paths.set(moduleName(path), join(folder, path));
  }
  const files = new Map<string, Uint8Array>();
  const visit = async (name: string, order: string[]): Promise<void> => {
    if (builtin.has(name) || order.includes(name)) return;
    const path = paths.get(name);
    if (path === undefined) throw new BuildError(`the kernel package holds no module ${name}`);
    const bytes = files.get(name) ?? (await uncompressed(path));
    files.set(name, bytes);
    for (const needed of moduleInfo(bytes, 'depends')) await visit(needed, order);
    order.push(name);
  };
  const orders: Record<string, readonly string[]> = {};
  for (const [group, names] of Object.entries(groups)) {
    const order: string[] = [];
    for (const name of names) await visit(name, order);
    orders[group] = order;
  }
  return { files, orders };
}

/** As the kernel names a module: its file may be written with dashes. */
function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\.xz)?$/, '')
    .replaceAll('-', '_');
}

async function uncompressed(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path);
  if (!path.endsWith('.xz')) return bytes;
  return runProgram('xz', ['--decompress', '--stdout'], {
    input: bytes,
    nextStep: 'Install it: apt-get install xz-utils',
  });
}

/** A list in the section .modinfo of a module: strings `key=value`, each ended by a zero (Linux, include/linux/moduleparam.h). */
function moduleInfo(module: Uint8Array, key: string): string[] {
  const text = Buffer.from(module.buffer, module.byteOffset, module.byteLength).toString('latin1');
  const start = text.indexOf(`\0${key}=`);
  if (start < 0) return [];
  const from = start + key.length + 2;
  return text
    .slice(from, text.indexOf('\0', from))
    .split(',')
    .filter((name) => name !== '')
    .map((name) => name.replaceAll('-', '_'));
}
