import { encodeName } from '../bytes/names';

/** PATH_MAX of Linux, the final NUL not counted. */
export const MAX_PATH_LENGTH = 4095;
/** NAME_MAX of Linux, in bytes. */
const MAX_NAME_BYTES = 255;

/** Absolute and normalised: no empty, `.` or `..` component, no NUL, no trailing slash. */
export const IMAGE_PATH_PATTERN = '^/$|^(/(?!\\.{1,2}(/|$))[^/\\u0000]+)+$';

/** Whether this is a path that an operation may name. */
export function isImagePath(path: string): boolean {
  return (
    new RegExp(IMAGE_PATH_PATTERN).test(path) &&
    path.length <= MAX_PATH_LENGTH &&
    path.split('/').every((name) => encodeName(name).length <= MAX_NAME_BYTES)
  );
}

/**
 * A path as a script may write it (`//etc`, `/etc/./x`, `/usr/lib/../bin`), in the form of an image path; `..` is taken by the
 * text, not through symbolic links. Undefined for what can stand on no filesystem: it is not absolute, or too long.
 */
export function normalisedPath(path: string): string | undefined {
  if (!path.startsWith('/')) return undefined;
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  const normalised = `/${names.join('/')}`;
  return isImagePath(normalised) ? normalised : undefined;
}

/** The directory that holds the path; `/` for `/` itself. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** Every directory above the path, `/` first, the path itself not among them. */
export function ancestorsOf(path: string): string[] {
  const ancestors: string[] = [];
  for (let at = parentOf(path); at !== '/'; at = parentOf(at)) ancestors.unshift(at);
  return path === '/' ? [] : ['/', ...ancestors];
}

/** How deep below `/`. */
export function depthOf(path: string): number {
  return path === '/' ? 0 : path.split('/').length - 1;
}
