import { mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ArchiveEntry, cpioArchive } from './cpio-archive';
import { BuildError } from './build-error';
import { compilePython, type PythonSource } from './compile-python';
import { CONTENTS, LIBRARIES, MODULE_GROUPS, PYTHON } from './guest-contents';
import { collectModules } from './kernel-modules';
import { runProgram } from './run-program';
import { unpackedKernel } from './unpacked-kernel';

/** Where the guest's own programs are, in the guest. */
const AGENT = 'agent';

/** The files of a guest. */
export interface Guest {
  readonly kernel: Uint8Array;
  /** All that comes from packages: it changes with their versions alone. */
  readonly system: Uint8Array;
  /** Our own programs, compiled. */
  readonly agent: Uint8Array;
}

/**
 * Makes the guest of these packages.
 * @param packages the package files by name; one of them is the kernel
 * @param agentSources folder of the guest's Python programs
 */
export async function buildGuest(
  packages: ReadonlyMap<string, string>,
  kernelPackage: string,
  agentSources: string,
): Promise<Guest> {
  const work = await mkdtemp(join(tmpdir(), 'kernel-engine-'));
  try {
    const root = join(work, 'root');
    for (const file of packages.values()) await runProgram('dpkg-deb', ['--extract', file, root]);
    return {
      kernel: await kernelOf(root, kernelPackage),
      system: cpioArchive(await systemEntries(root)),
      agent: cpioArchive(await agentEntries(root, agentSources)),
    };
  } finally {
    await rm(work, { recursive: true });
  }
}

/** Puts a file in place whole, or not at all: another build may run at the same time. */
export async function putFile(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, bytes);
  await rename(temporary, path);
}

async function kernelOf(root: string, kernelPackage: string): Promise<Uint8Array> {
  const version = kernelPackage.replace(/^linux-image-/, '');
  const image = await readFile(join(root, 'boot', `vmlinuz-${version}`)).catch((cause: unknown) => {
    throw new BuildError(`the package ${kernelPackage} holds no kernel`, undefined, { cause });
  });
  return unpackedKernel(image);
}

async function systemEntries(root: string): Promise<ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [
    { path: 'dev/console', kind: 'character-device', major: 5, minor: 1 },
    { path: 'lib', kind: 'symlink', target: 'usr/lib' },
    { path: 'lib64', kind: 'symlink', target: 'usr/lib64' },
    { path: 'bin', kind: 'symlink', target: 'usr/bin' },
    { path: 'sbin', kind: 'symlink', target: 'usr/sbin' },
    ...['proc', 'sys', 'tmp', 'mounts'].map((path) => ({ path, kind: 'directory' }) as const),
  ];
  const add = async (path: string, from: string): Promise<void> => {
    const file = await realpath(join(root, from)).catch((cause: unknown) => {
      throw new BuildError(`no package holds ${from}`, undefined, { cause });
    });
    entries.push({ path, kind: 'file', content: await readFile(file), mode: 0o755 });
  };
  const python: PythonSource[] = [];
  for (const contents of CONTENTS) {
    for (const file of contents.files ?? []) await add(file, file);
    for (const library of contents.libraries ?? []) {
      await add(`${LIBRARIES}/${library}`, `${LIBRARIES}/${library}`);
    }
    for (const module of contents.python ?? []) {
      python.push({ path: `${PYTHON}/${module}`, source: await readFile(join(root, PYTHON, module)) });
    }
  }
  entries.push(...(await compiled(root, python)));
  const { files, orders } = await collectModules(root, MODULE_GROUPS);
  for (const [name, content] of files) {
    entries.push({ path: `modules/${name}.ko`, kind: 'file', content, mode: 0o644 });
  }
  for (const [group, names] of Object.entries(orders)) {
    const content = Buffer.from(names.map((name) => `${name}\n`).join(''));
    entries.push({ path: `modules/${group}`, kind: 'file', content, mode: 0o644 });
  }
  return entries;
}

async function agentEntries(root: string, agentSources: string): Promise<ArchiveEntry[]> {
  const names = (await readdir(agentSources)).filter((name) => name.endsWith('.py')).sort();
  const sources: PythonSource[] = [];
  for (const name of names) {
    sources.push({ path: `${AGENT}/${name}`, source: await readFile(join(agentSources, name)) });
  }
  return compiled(root, sources);
}

async function compiled(root: string, sources: readonly PythonSource[]): Promise<ArchiveEntry[]> {
  const python = {
    loader: join(root, 'usr/lib64/ld-linux-x86-64.so.2'),
    libraries: join(root, LIBRARIES),
    program: join(root, 'usr/bin/python3.13'),
  };
  const bytes = await compilePython(python, sources);
  return sources.map(({ path }) => {
    const content = bytes.get(path);
    if (content === undefined) throw new BuildError(`${path} was not compiled`);
    return { path: path.replace(/\.py$/, '.pyc'), kind: 'file', content, mode: 0o644 };
  });
}
