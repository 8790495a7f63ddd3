import { decodeName, encodeName } from '../bytes/names';
import { assignNumbers } from '../accounts/assign-numbers';
import type { AccountIdMap } from '../accounts/account-ids';
import { mapRecordIds } from '../accounts/account-records';
import { misplacedSubIds } from '../accounts/sub-id-ranges';
import type { Digest } from '../chunk-store/chunk-store';
import { ContentMissingError } from '../chunk-store/chunk-store-errors';
import type { ContentSource } from '../chunk-store/content-source';
import { digestOf } from '../chunk-store/digest';
import { entryDigest, type EntryFacts } from '../footprint/entry-digest';
import { readEntry } from '../footprint/read-entry';
import type { Image } from '../image/image';
import type { Manifest, ManifestMetadata, Operation, OperationOf } from '../manifest/manifest-schema';
import type { Difference } from '../match/difference';
import { mapAclIds } from '../variation/access-control-list';
import { type Variation, variationOf } from '../variation/variation';
import { renderContent, type Substitution } from './render-content';
import { RenderedContents } from './rendered-contents';
import { RenderedPaths } from './render-paths';

/** A manifest as it is for one machine. */
export interface RenderedManifest {
  readonly manifest: Manifest;
  readonly contents: ContentSource;
  /** Why it cannot be made for this machine, which then does not match. */
  readonly differences: readonly Difference[];
  readonly variation: Variation;
}

/**
 * Makes a manifest into one for this machine: its own values stand where the representative's stood, entries belong to
 * its own numbers of users and groups, and digests say so. For the representative it is the same manifest.
 *
 * @throws what the chunk store throws
 */
export async function renderManifest(
  manifest: Manifest,
  image: Image,
  contents: ContentSource = NO_CONTENTS,
): Promise<RenderedManifest> {
  const variation = await variationOf(image);
  const { ids, differences } = await assignNumbers(manifest.accounts ?? [], image, variation);
  const renderer = new ManifestRenderer(image, variation, ids, contents);
  const { operations, times } = await renderer.render(manifest);
  return {
    manifest: { ...manifest, operations, times },
    contents: renderer.contents,
    differences: [...differences, ...(await misplacedSubIds(manifest, image)), ...renderer.differences],
    variation,
  };
}

/** For who compares only what was before: what would be written is not known then. */
const NO_CONTENTS: ContentSource = {
  get: (digest) => Promise.reject(new ContentMissingError(digest)),
};

class ManifestRenderer {
  readonly contents: RenderedContents;
  readonly differences: Difference[] = [];
  private readonly values: ReadonlyMap<string, string>;

  constructor(
    private readonly image: Image,
    { points }: Variation,
    private readonly ids: AccountIdMap,
    private readonly packed: ContentSource,
  ) {
    this.contents = new RenderedContents(packed);
    this.values = new Map(
      points.filter(({ isOriginal }) => isOriginal !== true).map(({ name, value }) => [name, value]),
    );
  }

  async render(manifest: Manifest): Promise<Pick<Manifest, 'operations' | 'times'>> {
    const paths = new RenderedPaths(manifest.operations, this.values, (path, why) => this.differs(path, why));
    const operations = manifest.operations.map((operation) => paths.operation(operation));
    return { operations: await this.operations(operations), times: paths.times(manifest.times) };
  }

  private async operations(operations: readonly Operation[]): Promise<Operation[]> {
    // What each path is left as, by the representative's digest: links and later operations follow.
    const left = new Map<string, { readonly was: string; readonly is: string }>();
    const rendered: Operation[] = [];
    for (const operation of operations) {
      let made = operation.kind === 'make-hard-link' ? operation : await this.operation(operation);
      const earlier = left.get(operation.path);
      if (earlier !== undefined && earlier.was === made.before && earlier.is !== made.before)
        made = { ...made, before: earlier.is } as Operation;
      left.set(operation.path, { was: operation.after, is: made.after });
      rendered.push(made);
    }
    return rendered.map((operation) => {
      if (operation.kind !== 'make-hard-link') return operation;
      const existing = left.get(operation.existingPath);
      if (existing?.was !== operation.after || existing.is === existing.was) return operation;
      return { ...operation, after: existing.is as Digest };
    });
  }

  private async operation(operation: Exclude<Operation, { kind: 'make-hard-link' }>): Promise<Operation> {
    switch (operation.kind) {
      case 'put-file':
        return this.putFile(operation);
      case 'put-record':
        return this.putRecord(operation);
      case 'make-symlink':
        return this.symlink(operation);
      case 'set-metadata':
        return this.setMetadata(operation);
      case 'make-directory': {
        const metadata = this.metadata(operation.metadata);
        if (metadata === operation.metadata) return operation;
        return { ...operation, metadata, after: digestFor('directory', metadata) };
      }
      case 'make-node': {
        const metadata = this.metadata(operation.metadata);
        if (metadata === operation.metadata) return operation;
        const isDevice = operation.type === 'character-device' || operation.type === 'block-device';
        const facts = isDevice ? { device: operation.device } : {};
        return { ...operation, metadata, after: digestFor(operation.type, metadata, facts) };
      }
      case 'remove':
        return operation;
    }
  }

  private async putFile(operation: OperationOf<'put-file'>): Promise<Operation> {
    const metadata = this.metadata(operation.metadata);
    const made = await this.content(operation.path, operation.content, operation.substitutions);
    if (made === undefined && metadata === operation.metadata) return operation;
    const { content, sizeBytes } = made ?? operation;
    return {
      ...operation,
      metadata,
      content,
      sizeBytes,
      after: digestFor('file', metadata, { content }),
      ...(made && { substitutions: made.substitutions }),
    };
  }

  private async symlink(operation: OperationOf<'make-symlink'>): Promise<Operation> {
    const metadata = this.metadata(operation.metadata);
    let { target, substitutions } = operation;
    if (substitutions !== undefined) {
      const made = renderContent(encodeName(target), substitutions, this.values);
      if ('problem' in made) this.differs(operation.path, made.problem);
      else {
        target = decodeName(made.bytes);
        substitutions = made.substitutions;
      }
    }
    if (target === operation.target && metadata === operation.metadata) return operation;
    const after = digestFor('symlink', metadata, { target });
    return { ...operation, metadata, target, after, ...(substitutions && { substitutions }) };
  }

  private async putRecord(operation: OperationOf<'put-record'>): Promise<Operation> {
    const metadata = this.metadata(operation.metadata);
    const records: OperationOf<'put-record'>['records'] = [];
    let isSame = metadata === operation.metadata;
    for (const record of operation.records) {
      const made = await this.record(operation, record);
      records.push(made);
      isSame &&= made === record;
    }
    if (isSame) return operation;
    const after = metadata === operation.metadata ? operation.after : digestFor('file', metadata);
    return { ...operation, metadata, records, after };
  }

  private async record(
    { path, codec }: OperationOf<'put-record'>,
    record: OperationOf<'put-record'>['records'][number],
  ): Promise<OperationOf<'put-record'>['records'][number]> {
    if (record.after === 'absent') return record;
    const { users, groups } = this.ids;
    const mapIds = (bytes: Uint8Array): Uint8Array =>
      mapRecordIds(codec, bytes, (kind, id) => (kind === 'user' ? users : groups).get(id) ?? id);
    const holdsIds = (codec === 'passwd' || codec === 'group') && users.size + groups.size > 0;
    const made = await this.content(path, record.after, record.substitutions, {
      record: record.key,
      ...(holdsIds && { mapIds }),
    });
    if (made === undefined) return record;
    return {
      ...record,
      after: made.content,
      ...(made.substitutions && { substitutions: made.substitutions }),
    };
  }

  private async setMetadata(operation: OperationOf<'set-metadata'>): Promise<Operation> {
    const metadata = this.metadata(operation.metadata);
    if (metadata === operation.metadata && operation.beforeNeutral === undefined) return operation;
    const stat = await this.image.lstat(operation.path);
    if (stat === undefined) return { ...operation, metadata };
    const { content, target } = await readEntry(this.image, operation.path, stat);
    const facts = { content, target, device: stat.device };
    return { ...operation, metadata, after: digestFor(stat.type, metadata, facts) };
  }

  /** Undefined when it is the representative's. */
  private async content(
    path: string,
    digest: Digest,
    substitutions: readonly Substitution[] | undefined,
    of: { record?: string; mapIds?: (bytes: Uint8Array) => Uint8Array } = {},
  ): Promise<{ content: Digest; sizeBytes: number; substitutions?: Substitution[] } | undefined> {
    if (substitutions === undefined && of.mapIds === undefined) return undefined;
    if (this.packed === NO_CONTENTS) return undefined;
    const make = async (): Promise<ReturnType<typeof renderContent>> => {
      const original = await this.packed.get(digest);
      const made = renderContent(original, substitutions ?? [], this.values);
      return 'problem' in made || of.mapIds === undefined ? made : { ...made, bytes: of.mapIds(made.bytes) };
    };
    const made = await make();
    if ('problem' in made) {
      this.differs(path, made.problem, of.record);
      return undefined;
    }
    const content = digestOf(made.bytes);
    if (content === digest) return undefined;
    this.contents.add(content, made.bytes, async () => {
      const again = await make();
      return 'bytes' in again ? again.bytes : this.packed.get(content);
    });
    const { bytes } = made;
    return {
      content,
      sizeBytes: bytes.length,
      ...(substitutions && { substitutions: made.substitutions }),
    };
  }

  /** The same object when nothing in it is another one here. */
  private metadata(metadata: ManifestMetadata): ManifestMetadata {
    const { users, groups } = this.ids;
    const uid = users.get(metadata.uid) ?? metadata.uid;
    const gid = groups.get(metadata.gid) ?? metadata.gid;
    let isSame = uid === metadata.uid && gid === metadata.gid;
    const xattrs = Object.fromEntries(
      Object.entries(metadata.xattrs).map(([name, base64]) => {
        const value = Buffer.from(base64, 'base64');
        const mapped = mapAclIds(name, value, (kind, id) => (kind === 'user' ? users : groups).get(id) ?? id);
        if (mapped === undefined || value.equals(mapped)) return [name, base64];
        isSame = false;
        return [name, Buffer.from(mapped).toString('base64')];
      }),
    );
    return isSame ? metadata : { ...metadata, uid, gid, xattrs };
  }

  private differs(path: string, why: string, record?: string): void {
    this.differences.push({
      path,
      ...(record !== undefined && { record }),
      expected: "this machine's own values",
      found: 'none that are sure',
      why,
    });
  }
}

function digestFor(
  type: EntryFacts['type'],
  { mode, uid, gid, xattrs }: ManifestMetadata,
  facts: Pick<EntryFacts, 'content' | 'target' | 'device'> = {},
): Digest {
  const values = new Map(Object.entries(xattrs).map(([name, value]) => [name, Buffer.from(value, 'base64')]));
  return entryDigest({ type, mode, uid, gid, xattrs: values, ...facts });
}
