import { ancestorsOf } from '../manifest/image-path';
import type { Manifest, Operation } from '../manifest/manifest-schema';

/** All operations on one path, of which the first says what it expects and the last what is left. */
export interface PathExpectation {
  readonly path: string;
  readonly first: Operation;
  readonly last: Operation;
  /** How many names the manifest gives the inode put here, this path among them. */
  readonly names: number;
}

export interface Expectations {
  readonly paths: readonly PathExpectation[];
  /** Directories that must stand on the image before the first operation; a symbolic link in their place will not do. */
  readonly directories: readonly string[];
  /** Entries that hard links are made to and that no operation changes, with the digest they must have. */
  readonly linkSources: ReadonlyMap<string, string>;
}

/** What a manifest takes for granted of an image, path by path. */
export function expectationsOf(manifest: Manifest): Expectations {
  const paths = new Map<string, { path: string; first: Operation; last: Operation }>();
  for (const operation of manifest.operations) {
    const known = paths.get(operation.path);
    if (known === undefined)
      paths.set(operation.path, { path: operation.path, first: operation, last: operation });
    else known.last = operation;
  }
  const names = new Map<string, number>();
  for (const operation of manifest.operations) {
    if (operation.kind !== 'make-hard-link') continue;
    names.set(operation.existingPath, (names.get(operation.existingPath) ?? 1) + 1);
  }
  // A directory that is made or removed is compared as a path of its own.
  const decided = new Set(
    manifest.operations
      .filter(({ kind }) => kind === 'make-directory' || kind === 'remove')
      .map(({ path }) => path),
  );
  const directories = new Set<string>();
  const linkSources = new Map<string, string>();
  for (const operation of manifest.operations) {
    for (const ancestor of ancestorsOf(operation.path)) {
      if (decided.has(ancestor)) break;
      directories.add(ancestor);
    }
    if (operation.kind === 'make-hard-link' && !paths.has(operation.existingPath)) {
      linkSources.set(operation.existingPath, operation.after);
    }
  }
  return {
    paths: [...paths.values()].map((path) => ({ ...path, names: names.get(path.path) ?? 1 })),
    directories: [...directories].sort(),
    linkSources,
  };
}
