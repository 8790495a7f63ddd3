/**
 * A record file is a file that is really a table: dpkg's `status`, `passwd`, `ld.so.cache`. Two machines may differ in
 * such a file and still agree on every record that an update reads or writes; so the records are the entries that are
 * compared, captured and put, not the file.
 */
export interface RecordCodec {
  /** Stands in manifests. Never change it for a codec that was released. */
  readonly name: string;
  /** True for the paths of an image at which this kind of file stands. */
  matches(path: string): boolean;
  /**
   * Endings of files that are one unit with the record file (`-wal`: the newest pages of an SQLite database). What they
   * hold is parsed with the file; a merge has all of it, and they are emptied where it is put.
   */
  readonly companions?: readonly string[];
  /** Loads what parsing needs. Call it before (readRecordFile does); a second call costs nothing. */
  prepare?(): Promise<void>;
  /**
   * @param companions bytes of those that are there and not empty, by their ending
   * @throws RecordFormatError when these bytes are not surely of this format: treat the file as a plain file then.
   */
  parse(bytes: Uint8Array, companions?: ReadonlyMap<string, Uint8Array>): RecordFile;
}

/** One record file, taken apart. */
export interface RecordFile {
  /** Key to canonical bytes of each record, in the order of the file. Digests are taken of these bytes. */
  readonly records: ReadonlyMap<string, Uint8Array>;
  /**
   * What is put for a record, where that is more than its canonical bytes: values of one run (install times, numbers of
   * transactions) are put with a record and never compared. Undefined: the canonical bytes are all.
   */
  contentOf?(key: string): Uint8Array | undefined;
  /**
   * Canonical bytes of what belongs to no record: comments, blank lines. Empty in most files. An update that changes
   * them cannot be told in records; its file has to be taken whole.
   */
  readonly remainder: Uint8Array;
  /**
   * Keys of records that the outcome of a change depends on although it leaves them as they are: which alternative is
   * best, where a new certificate belongs. They are listed with what changed, and compared.
   */
  contextOf?(changed: ReadonlySet<string>): Iterable<string>;
  /**
   * The bytes of the file with these records put (`contentOf` or canonical bytes; undefined: removed), a new record where
   * the format's own tool would write it. All other records stay byte for byte and in order; `merge(new Map())` is the
   * file as it was, with what companions held.
   *
   * @throws RecordConflictError when a put record cannot stand beside one that is there: a new user with a taken UID.
   * @throws RecordFormatError when the bytes of a put record are not a record of this format with this key.
   */
  merge(changes: RecordChanges): Uint8Array;
}

export type RecordChanges = ReadonlyMap<string, Uint8Array | undefined>;
