/** One file of the recorder: its text, and the name that the others import it by. */
export interface RecorderModule {
  readonly name: string;
  readonly text: string;
}

/** In the order in which they need each other, the program itself last. */
export const RECORDER_MODULES = [
  'fanotify',
  'places',
  'actors',
  'tally',
  'record_file',
  'upload',
  'record_update',
] as const;

/**
 * Joins the recorder's files into one program that needs nothing beside it. Each becomes a module of its own when the
 * program starts, so that names of one never meet those of another.
 */
export function joinRecorder(modules: readonly RecorderModule[]): string {
  const main = modules.at(-1);
  if (main === undefined) throw new RangeError('a program of no modules');
  const others = modules.slice(0, -1).flatMap(({ name, text }) => [
    `_module = types.ModuleType(${JSON.stringify(name)})`,
    // JSON's strings of ASCII text are Python's too.
    `exec(${JSON.stringify(text)}, _module.__dict__)`,
    `sys.modules[${JSON.stringify(name)}] = _module`,
  ]);
  return ['import sys', 'import types', ...others, main.text].join('\n');
}
