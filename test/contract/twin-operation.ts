import type { ResolvedOperation } from '../../core/apply/apply-engine';
import type { Metadata } from '../../core/filesystem/filesystem';
import type { FilesystemOperation, OperationMetadata } from '../support/filesystem-operations';

/** An engine's operation as kernel-twin.py takes it. */
export function twinOperation(operation: ResolvedOperation): FilesystemOperation {
  const { path } = operation;
  switch (operation.kind) {
    case 'put-file':
      return {
        operation: 'writeFile',
        path,
        content: Buffer.from(operation.content).toString('base64'),
        metadata: metadataOf(operation.metadata),
      };
    case 'make-directory':
      return { operation: 'mkdir', path, metadata: metadataOf(operation.metadata) };
    case 'make-symlink':
      return {
        operation: 'symlink',
        path,
        target: operation.target,
        metadata: metadataOf(operation.metadata),
      };
    case 'make-hard-link':
      return { operation: 'link', path, existingPath: operation.existingPath };
    case 'make-node': {
      const { type, device, metadata } = operation;
      return { operation: 'mknod', path, type, ...device, metadata: metadataOf(metadata) };
    }
    case 'remove':
      return { operation: 'remove', path };
    case 'set-metadata':
      return { operation: 'setMetadata', path, metadata: metadataOf(operation.metadata) };
    case 'set-time':
      return { operation: 'setTime', path, mtimeNs: String(operation.mtimeNs) };
  }
}

function metadataOf({ xattrs, mtimeNs, ...rest }: Metadata): OperationMetadata {
  return {
    ...rest,
    mtimeNs: String(mtimeNs),
    xattrs: Object.fromEntries(
      [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('hex')]),
    ),
  };
}
