import { accountCodecs } from './account-files';
import { aptExtendedStatesCodec } from './apt-extended-states';
import { caBundleCodec } from './ca-bundle';
import { debconfCodec } from './debconf';
import { dpkgAlternativesCodec } from './dpkg-alternatives';
import { dpkgDiversionsCodec } from './dpkg-diversions';
import { dpkgStatusCodec } from './dpkg-status';
import { grubEnvironmentCodec } from './grub-environment';
import { ldSoCacheCodec } from './ld-so-cache/codec';
import { lineTableCodecs } from './line-tables';
import type { RecordCodec } from './record-codec';
import { dnfHistoryCodec } from './rpm/dnf-history';
import { rpmdbCodec } from './rpm/rpmdb';

/** Every known kind of record file. To add a kind: write its codec in a file of its own and name it here. */
export const recordCodecs: readonly RecordCodec[] = [
  dpkgStatusCodec,
  aptExtendedStatesCodec,
  debconfCodec,
  ...accountCodecs,
  ldSoCacheCodec,
  dpkgDiversionsCodec,
  dpkgAlternativesCodec,
  caBundleCodec,
  grubEnvironmentCodec,
  ...lineTableCodecs,
  rpmdbCodec,
  dnfHistoryCodec,
];

/** The codec for the file at this path of an image, or undefined: then the file is one entry, compared whole. */
export function codecFor(path: string): RecordCodec | undefined {
  return recordCodecs.find((codec) => codec.matches(path));
}
