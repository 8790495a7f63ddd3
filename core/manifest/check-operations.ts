import type { Digest } from '../chunk-store/chunk-store';
import { ancestorsOf, isImagePath } from './image-path';
import { ManifestInvalidError } from './manifest-errors';
import type { Manifest, Operation } from './manifest-schema';

/**
 * What a schema cannot say: that the operations, performed in their order, hang together. Every content is in a pack, a
 * path that is changed twice is found the second time as the first left it, nothing is put below what is no directory
 * any more, and a hard link's existing path is there.
 *
 * @throws ManifestInvalidError naming the operation
 */
export function checkOperations(manifest: Manifest): void {
  const contents = packedContents(manifest);
  const made = new Map<string, Operation>();
  manifest.operations.forEach((operation, index) => {
    const where = `operation ${index} (${operation.kind} ${JSON.stringify(operation.path)})`;
    const fail = (problem: string): never => {
      throw new ManifestInvalidError(problem, where);
    };
    const checkPath = (path: string): void => {
      if (!isImagePath(path)) fail(`${JSON.stringify(path)} is not a path of an image`);
      for (const ancestor of ancestorsOf(path)) {
        const earlier = made.get(ancestor);
        if (earlier !== undefined && earlier.kind !== 'make-directory' && earlier.kind !== 'set-metadata') {
          fail(`an earlier operation leaves no directory at ${JSON.stringify(ancestor)}`);
        }
      }
    };
    checkPath(operation.path);
    if (operation.path === '/' && operation.kind !== 'set-metadata') fail('the root can only get metadata');

    const earlier = made.get(operation.path);
    if (earlier !== undefined && earlier.after !== operation.before && operation.before !== 'any') {
      fail('an earlier operation leaves its path in another state than it expects');
    }
    for (const content of contentsOf(operation)) {
      const sizeBytes = contents.get(content);
      if (sizeBytes === undefined) fail(`no pack holds its content ${content}`);
      if (operation.kind === 'put-file' && sizeBytes !== operation.sizeBytes) {
        fail(`its content has ${sizeBytes} bytes, not ${operation.sizeBytes}`);
      }
    }
    if (operation.kind === 'make-hard-link') {
      checkPath(operation.existingPath);
      const linked = made.get(operation.existingPath);
      if (operation.existingPath === operation.path || (linked && linked.after !== operation.after)) {
        fail('its existing path is not what it is to become');
      }
    }
    if (operation.kind === 'put-record' && operation.copyOf !== undefined) checkPath(operation.copyOf);
    if ('metadata' in operation) checkXattrs(operation.metadata.xattrs, fail);
    made.set(operation.path, operation);
  });
  for (const { path } of manifest.times) {
    if (!isImagePath(path))
      throw new ManifestInvalidError(`${JSON.stringify(path)} is not a path of an image`);
  }
}

/** Digests of the contents that an operation puts: of a file, or of each record. */
export function contentsOf(operation: Operation): Digest[] {
  if (operation.kind === 'put-file') return [operation.content];
  if (operation.kind !== 'put-record') return [];
  return operation.records.flatMap(({ after, content }) => (after === 'absent' ? [] : [content ?? after]));
}

function packedContents(manifest: Manifest): Map<Digest, number> {
  const contents = new Map<Digest, number>();
  for (const pack of manifest.packs) {
    for (const { offsetBytes, storedBytes, chunks } of pack.frames) {
      if (offsetBytes + storedBytes > pack.sizeBytes) {
        throw new ManifestInvalidError('a frame reaches beyond its pack', `pack ${pack.digest}`);
      }
      for (const { digest, sizeBytes } of chunks) contents.set(digest, sizeBytes);
    }
  }
  return contents;
}

function checkXattrs(xattrs: Readonly<Record<string, string>>, fail: (problem: string) => never): void {
  for (const [name, value] of Object.entries(xattrs)) {
    if (!/^(user|trusted|security|system)\./.test(name)) fail(`no extended attribute is called ${name}`);
    if (Buffer.from(value, 'base64').toString('base64') !== value) fail(`${name} is not base64`);
  }
}
