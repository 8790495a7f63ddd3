import { encodeName } from '../../../bytes/names';
import { InvalidPathError } from '../../write-errors';
import { MAX_NAME_BYTES } from '../directory';
import { namesOf } from '../../path-names';

/** A character of a string takes at most three bytes of UTF-8. */
const SURELY_SHORT = MAX_NAME_BYTES / 3;

export interface SplitPath {
  /** `/` for an entry of the root directory. */
  readonly parent: string;
  readonly name: Uint8Array;
}

/** @throws InvalidPathError unless the path names something that can be below the root */
export function splitPath(path: string): SplitPath {
  const names = namesOf(path);
  const last = names.at(-1);
  if (last === undefined) {
    throw new InvalidPathError(path, 'the root directory cannot be made, replaced or removed');
  }
  for (const name of names) {
    if (name.includes('\0')) throw new InvalidPathError(path, 'a name holds a zero byte');
    if (name.length > SURELY_SHORT && encodeName(name).length > MAX_NAME_BYTES) {
      throw new InvalidPathError(path, `a name is longer than ${MAX_NAME_BYTES} bytes`);
    }
  }
  const parent = path.slice(0, path.lastIndexOf('/'));
  return { parent: parent === '' ? '/' : parent, name: encodeName(last) };
}
