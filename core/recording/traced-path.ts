/** Runtime filesystems, of which an image has nothing. */
const RUNTIME = /^\/(proc|sys|dev|run)(\/|$)/;

export const isRuntimePath = (path: string): boolean => RUNTIME.test(path);

/**
 * Without `.`, `..` and double slashes. Links on the way are not followed: a trace tells the path as the program gave it.
 * Undefined for what is none.
 */
export function tracedPath(path: string): string | undefined {
  if (path.includes('\0')) return undefined;
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return `/${names.join('/')}`;
}
