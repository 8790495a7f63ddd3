import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runProgram } from './run-program';

/** Compiles without times in the result, one file after the other, so that the same sources give the same bytes. */
const COMPILE = `
import _frozen_importlib_external as loader, _imp, sys
for line in sys.stdin.read().splitlines():
    source, target, shown = line.split("\\t")
    with open(source, "rb") as file:
        text = file.read()
    code = compile(text, shown, "exec", dont_inherit=True, optimize=0)
    digest = _imp.source_hash(loader._RAW_MAGIC_NUMBER, text)
    with open(target, "wb") as file:
        file.write(loader._code_to_hash_pyc(code, digest, checked=False))
`;

/** One Python source: its bytes, and the path that a traceback shows. */
export interface PythonSource {
  readonly path: string;
  readonly source: Uint8Array;
}

/**
 * Compiles with the guest's own Python, which runs here by its own loader and libraries (PEP 552: a pyc that is
 * not checked against its source). In the emulated machine compiling would take most of a second.
 * @returns the compiled bytes by the path of the source
 */
export async function compilePython(
  python: { readonly loader: string; readonly libraries: string; readonly program: string },
  sources: readonly PythonSource[],
): Promise<Map<string, Uint8Array>> {
  const folder = await mkdtemp(join(tmpdir(), 'compile-python-'));
  try {
    const jobs: string[] = [];
    for (const [index, { path, source }] of sources.entries()) {
      const file = join(folder, `${index}.py`);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, source);
      jobs.push([file, join(folder, `${index}.pyc`), `/${path}`].join('\t'));
    }
    await runProgram(
      python.loader,
      [
        '--library-path',
        python.libraries,
        '--argv0',
        python.program,
        python.program,
        '-S',
        '-E',
        '-B',
        '-X',
        'utf8',
        '-c',
        COMPILE,
      ],
      {
        input: Buffer.from(jobs.join('\n')),
        nextStep: 'The guest is built on Linux on x86_64: build it there, or in a container of that kind.',
      },
    );
    const compiled = new Map<string, Uint8Array>();
    const made = new Set(await readdir(folder));
    for (const [index, { path }] of sources.entries()) {
      if (made.has(`${index}.pyc`)) compiled.set(path, await readFile(join(folder, `${index}.pyc`)));
    }
    return compiled;
  } finally {
    await rm(folder, { recursive: true });
  }
}
