import type { ContentSource } from '../chunk-store/content-source';
import type { Metadata } from '../filesystem/filesystem';
import type { WritableImage } from '../image/image';
import type { Manifest, ManifestMetadata, Operation, OperationOf } from '../manifest/manifest-schema';
import { recordChanges } from '../match/examine-record-file';
import { parseRecordFile, readRecordFile } from '../records/read-record-file';
import type { RecordCodec } from '../records/record-codec';
import type { ResolvedOperation } from './apply-engine';
import { ApplyError } from './apply-errors';

export interface ResolveRequest {
  readonly manifest: Manifest;
  readonly image: WritableImage;
  readonly contents: ContentSource;
  /** Paths that are already as the manifest leaves them. */
  readonly alreadyDone: ReadonlySet<string>;
  readonly codecFor: (path: string) => RecordCodec | undefined;
}

/**
 * A manifest's operations with everything decided for this image: contents at hand, records merged into its own files.
 * What the image has already is left out.
 */
export async function* resolveOperations(request: ResolveRequest): AsyncIterable<ResolvedOperation> {
  const { manifest, alreadyDone } = request;
  const copied = new Set(
    manifest.operations.flatMap((operation) =>
      operation.kind === 'put-record' && operation.copyOf !== undefined ? [operation.copyOf] : [],
    ),
  );
  // An engine may perform operations only after the last one was resolved, so copies do not read what was put before.
  const merged = new Map<string, Uint8Array>();
  const put = new Set<string>();
  /** A link that is there already goes with the old inode when its existing path is put anew. */
  const isLinkToPut = (operation: Operation): boolean =>
    operation.kind === 'make-hard-link' && put.has(operation.existingPath);
  for (const operation of manifest.operations) {
    if (alreadyDone.has(operation.path) && !isLinkToPut(operation)) continue;
    put.add(operation.path);
    if (operation.kind === 'put-record') {
      const content = await mergedFile(operation, request, merged);
      if (copied.has(operation.path)) merged.set(operation.path, content);
      yield { kind: 'put-file', path: operation.path, content, metadata: metadataOf(operation.metadata) };
      yield* emptiedCompanions(operation, request);
    } else {
      yield await resolved(operation, request.contents);
    }
  }
  for (const { path, mtimeNs } of manifest.times) {
    yield { kind: 'set-time', path, mtimeNs: BigInt(mtimeNs) };
  }
}

async function resolved(
  operation: Exclude<Operation, { kind: 'put-record' }>,
  contents: ContentSource,
): Promise<ResolvedOperation> {
  const { path } = operation;
  switch (operation.kind) {
    case 'put-file': {
      const content = await contents.get(operation.content);
      return { kind: 'put-file', path, content, metadata: metadataOf(operation.metadata) };
    }
    case 'make-symlink':
      return {
        kind: 'make-symlink',
        path,
        target: operation.target,
        metadata: metadataOf(operation.metadata),
      };
    case 'make-node': {
      const { type, device, metadata } = operation;
      return { kind: 'make-node', path, type, device, metadata: metadataOf(metadata) };
    }
    case 'make-hard-link':
      return { kind: 'make-hard-link', path, existingPath: operation.existingPath };
    case 'remove':
      return { kind: 'remove', path };
    case 'make-directory':
    case 'set-metadata':
      return { kind: operation.kind, path, metadata: metadataOf(operation.metadata) };
  }
}

async function mergedFile(
  operation: OperationOf<'put-record'>,
  { image, contents, codecFor }: ResolveRequest,
  merged: ReadonlyMap<string, Uint8Array>,
): Promise<Uint8Array> {
  const base = operation.copyOf ?? operation.path;
  const codec = codecFor(base);
  if (codec?.name !== operation.codec)
    throw new ApplyError(operation, `there is no codec ${operation.codec} for it`);
  const isNew = operation.before === 'absent' && (await image.lstat(base)) === undefined;
  const put = merged.get(base) ?? (isNew ? new Uint8Array() : undefined);
  const own = await (put === undefined ? readRecordFile(image, base, codec) : parseRecordFile(put, codec));
  return own.merge(await recordChanges(operation, contents));
}

/** What the companions held is in the merged file: left as they are, they would undo it. */
async function* emptiedCompanions(
  { path }: OperationOf<'put-record'>,
  { image, codecFor }: ResolveRequest,
): AsyncIterable<ResolvedOperation> {
  for (const ending of codecFor(path)?.companions ?? []) {
    const companion = path + ending;
    const stat = await image.lstat(companion);
    if (stat?.type !== 'file' || stat.sizeBytes === 0) continue;
    const { mode, uid, gid, mtimeNs } = stat;
    const metadata = { mode, uid, gid, mtimeNs, xattrs: await image.xattrs(companion) };
    yield { kind: 'put-file', path: companion, content: new Uint8Array(), metadata };
  }
}

export function metadataOf({ xattrs, mtimeNs, ...rest }: ManifestMetadata): Metadata {
  return {
    ...rest,
    mtimeNs: BigInt(mtimeNs),
    xattrs: new Map(Object.entries(xattrs).map(([name, value]) => [name, Buffer.from(value, 'base64')])),
  };
}
