import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Written beside and renamed, so that a reader sees the old document or the new one. */
export function writeJson(file: string, document: object): void {
  const beside = `${file}.new`;
  writeFileSync(beside, `${JSON.stringify(document, null, 1)}\n`);
  renameSync(beside, file);
}

/** The document, or undefined when there is no such file. @throws SyntaxError when it is no JSON. */
export function readJson<T>(file: string): T | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return JSON.parse(text) as T;
}
