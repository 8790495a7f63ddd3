import { ImageElvesError } from '../errors';

/** These bytes are not surely of the codec's format. The file is treated as a plain file then: compared and put whole. */
export class RecordFormatError extends ImageElvesError {
  override readonly name = 'RecordFormatError';

  constructor(codec: string, problem: string, where?: { line?: number; offsetBytes?: number; key?: string }) {
    const place =
      where?.line !== undefined
        ? ` (line ${where.line})`
        : where?.offsetBytes !== undefined
          ? ` (at byte ${where.offsetBytes})`
          : where?.key !== undefined
            ? ` (record ${JSON.stringify(where.key)})`
            : '';
    super(`Not a ${codec} record file: ${problem}${place}.`, { codec, problem, ...where });
  }
}

/** A record of the update cannot stand in this machine's file: it would take what another record of it has already. */
export class RecordConflictError extends ImageElvesError {
  override readonly name = 'RecordConflictError';

  constructor(codec: string, key: string, otherKey: string, problem: string) {
    super(
      `The record ${JSON.stringify(key)} cannot be put beside ${JSON.stringify(otherKey)}: ${problem}.`,
      { codec, key, otherKey, problem },
      'This machine needs its own representative: the update has to be run on it or on a machine like it.',
    );
  }
}
