import { accountCodecs } from './account-files';
import { aptExtendedStatesCodec } from './apt-extended-states';
import { debconfCodec } from './debconf';
import { dpkgDiversionsCodec } from './dpkg-diversions';
import { dpkgStatusCodec } from './dpkg-status';
import { ldSoCacheCodec } from './ld-so-cache/codec';
import { lineTableCodecs } from './line-tables';
import type { RecordCodec } from './record-codec';

/** Every known kind of record file. To add a kind: write its codec in a file of its own and name it here. */
const recordCodecs: readonly RecordCodec[] = [
  dpkgStatusCodec,
  aptExtendedStatesCodec,
  debconfCodec,
  ...accountCodecs,
  ldSoCacheCodec,
  dpkgDiversionsCodec,
  ...lineTableCodecs,
];

/** The codec for the file at this path of an image, or undefined: then the file is one entry, compared whole. */
export function codecFor(path: string): RecordCodec | undefined {
  return recordCodecs.find((codec) => codec.matches(path));
}
