import { encodeName } from '../../../bytes/names';
import { InvalidPathError } from '../../write-errors';
import { MAX_NAME_BYTES } from '../directory';

export interface SplitPath {
  /** `/` for an entry of the root directory. */
  readonly parent: string;
  readonly name: Uint8Array;
}

/** @throws InvalidPathError unless the path is absolute, normalised and names something below the root */
export function splitPath(path: string): SplitPath {
  const names = namesOf(path);
  const last = names.at(-1);
  if (last === undefined) {
    throw new InvalidPathError(path, 'the root directory cannot be made, replaced or removed');
  }
  const parent = path.slice(0, path.lastIndexOf('/'));
  return { parent: parent === '' ? '/' : parent, name: encodeName(last) };
}

/** Names on the way from the root. @throws InvalidPathError */
export function namesOf(path: string): string[] {
  if (path === '/') {
    return [];
  }
  if (!path.startsWith('/')) {
    throw new InvalidPathError(path, 'it is not absolute');
  }
  const names = path.slice(1).split('/');
  for (const name of names) {
    if (name === '' || name === '.' || name === '..' || name.includes('\0')) {
      throw new InvalidPathError(path, 'it is not normalised');
    }
    if (encodeName(name).length > MAX_NAME_BYTES) {
      throw new InvalidPathError(path, `a name is longer than ${MAX_NAME_BYTES} bytes`);
    }
  }
  return names;
}
