import { effectsOf } from '../footprint/effects';
import { packageRelations } from '../footprint/package-relations';
import { readFootprint } from '../footprint/read-footprint';
import type { Image } from '../image/image';
import type { Manifest, Operation } from '../manifest/manifest-schema';
import type { RecordingSummary } from '../recording/summarize-recording';
import type { RecordCodec } from '../records/record-codec';
import type { Update } from '../update/update';
import type { Scan } from './changed-paths';

type Reads = Pick<Manifest, 'reads' | 'packageRelations'>;

export interface CaptureReadsRequest {
  readonly update: Update;
  readonly before: Image;
  readonly after: Image;
  readonly scanBefore: Scan;
  readonly recording: RecordingSummary | undefined;
  readonly codecFor: (path: string) => RecordCodec | undefined;
}

/** What the update depends on beside that which it changes: what it read, and what packages demand of each other. */
export class CaptureReads {
  private readonly links: readonly string[];
  private last: { readonly paths: string; readonly reads: Reads } | undefined;

  constructor(
    private readonly request: CaptureReadsRequest,
    /** All that the update did, chance included. */
    private readonly planned: readonly Operation[],
  ) {
    this.links = [...request.scanBefore].flatMap(([path, { type }]) => (type === 'symlink' ? [path] : []));
  }

  async of(operations: readonly Operation[], times: Manifest['times']): Promise<Reads> {
    const { update, before, after, scanBefore, recording, codecFor } = this.request;
    const carried = new Set(operations.map(({ path }) => path));
    // Asked once for what is planned and once for what is carried, which is mostly the same.
    const paths = [...carried].sort().join('\0');
    if (this.last?.paths === paths) return this.last.reads;
    const reads = await readFootprint({
      update,
      before,
      after,
      operations,
      random: new Set(this.planned.map(({ path }) => path).filter((path) => !carried.has(path))),
      rewritten: times
        .map(({ path }) => path)
        .filter((path) => !carried.has(path) && isLeaf(scanBefore.get(path)?.type)),
      links: this.links,
      ...(recording?.lost === false && { recording }),
      codecFor,
    });
    const relations = await packageRelations(before, after, effectsOf(operations).packages);
    const found = { reads, ...(relations && { packageRelations: relations }) };
    this.last = { paths, reads: found };
    return found;
  }
}

function isLeaf(type: string | undefined): boolean {
  return type === 'file' || type === 'symlink';
}
