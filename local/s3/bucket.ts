import { mkdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../clock';
import { AwsError } from '../wire';
import { readObjects, readRange, writeBeside } from './object-file';
import { pathOfKey } from './object-path';
import type { ObjectFacts, StoredObject } from './stored-object';

/** `IfNoneMatch` is only `*` for puts, as in S3. */
export interface PutCondition {
  IfNoneMatch?: string;
  IfMatch?: string;
}

/** One bucket: an index of its objects in memory, their bytes in files. */
export class Bucket {
  private constructor(
    readonly name: string,
    private readonly folder: string,
    private readonly clock: Clock,
    private readonly objects: Map<string, StoredObject>,
  ) {}

  static async open(name: string, folder: string, clock: Clock): Promise<Bucket> {
    mkdirSync(folder, { recursive: true });
    const objects = await readObjects(folder);
    return new Bucket(name, folder, clock, new Map(objects.map((object) => [object.key, object])));
  }

  get createdAt(): Date {
    return new Date(statSync(this.folder).birthtimeMs);
  }

  get empty(): boolean {
    return this.objects.size === 0;
  }

  find(key: string): StoredObject | undefined {
    return this.objects.get(key);
  }

  /** @throws AwsError NoSuchKey */
  get(key: string): StoredObject {
    const object = this.objects.get(key);
    if (!object) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
    return object;
  }

  /** In the order of the keys' UTF-8 bytes, as S3 lists them. */
  keysWithPrefix(prefix: string): string[] {
    return [...this.objects.keys()]
      .filter((key) => key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  read(object: StoredObject, first = 0, last = object.size - 1): Promise<Buffer> {
    return object.size === 0 ? Promise.resolve(Buffer.alloc(0)) : readRange(this.folder, object, first, last);
  }

  /**
   * The condition is checked in the same turn of the event loop in which the file is renamed into place: of any number of
   * writers that all ask for a new key, one wins.
   * @throws AwsError PreconditionFailed, NoSuchKey
   */
  async put(
    key: string,
    body: readonly Uint8Array[],
    facts: ObjectFacts,
    condition: PutCondition = {},
  ): Promise<StoredObject> {
    this.checkCondition(key, condition);
    const lastModified = this.clock.now().getTime();
    const beside = await writeBeside(this.folder, key, { facts, lastModified }, body);
    this.checkCondition(key, condition);
    beside.put();
    const size = body.reduce((sum, bytes) => sum + bytes.length, 0);
    const object = { key, facts, lastModified, size };
    this.objects.set(key, object);
    return object;
  }

  delete(key: string): void {
    if (this.objects.delete(key)) rmSync(path.join(this.folder, pathOfKey(key)), { force: true });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private checkCondition(key: string, { IfNoneMatch, IfMatch }: PutCondition): void {
    if (IfNoneMatch !== undefined && IfNoneMatch !== '*')
      throw new AwsError('NotImplemented', 'If-None-Match of a put takes only *', 501);
    const current = this.objects.get(key);
    if (IfNoneMatch === '*' && current) throw preconditionFailed();
    if (IfMatch === undefined) return;
    if (!current) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
    if (!sameTag(IfMatch, current.facts.ETag)) throw preconditionFailed();
  }
}

export const preconditionFailed = (): AwsError =>
  new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412);

/** ETags are compared without the quotes that some clients leave out. */
export const sameTag = (a: string, b: string): boolean => a.replaceAll('"', '') === b.replaceAll('"', '');
