import type { Checksums } from './checksums';

/** What S3 keeps with an object's bytes. */
export interface ObjectFacts extends Checksums {
  /** With its quotes, as in the header. */
  ETag: string;
  ContentType?: string;
  ContentEncoding?: string;
  ContentDisposition?: string;
  ContentLanguage?: string;
  CacheControl?: string;
  Metadata?: Record<string, string>;
  ServerSideEncryption?: string;
  SSEKMSKeyId?: string;
  StorageClass?: string;
  Tagging?: string;
}

export interface StoredObject {
  readonly facts: ObjectFacts;
  readonly key: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly lastModified: number;
}

const KEPT = [
  'ContentType',
  'ContentEncoding',
  'ContentDisposition',
  'ContentLanguage',
  'CacheControl',
  'Metadata',
  'ServerSideEncryption',
  'SSEKMSKeyId',
  'StorageClass',
  'Tagging',
] as const;

/** The members of a put's input that stay with the object. */
export const keptFacts = (input: Omit<ObjectFacts, 'ETag'>): Omit<ObjectFacts, 'ETag'> =>
  Object.fromEntries(KEPT.filter((name) => input[name] !== undefined).map((name) => [name, input[name]]));
