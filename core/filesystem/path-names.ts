import { InvalidPathError } from './write-errors';

/** Names on the way from the root. @throws InvalidPathError unless the path is absolute and normalised */
export function namesOf(path: string): string[] {
  if (path === '/') return [];
  const names = path.slice(1).split('/');
  const isNormal =
    path.startsWith('/') && names.every((name) => name !== '' && name !== '.' && name !== '..');
  if (!isNormal) throw new InvalidPathError(path, 'it must be absolute and normalised');
  return names;
}
