import { packageKey } from './dpkg-status';
import type { RecordCodec } from './record-codec';
import { stanzaFormat } from './stanzas';
import { parseTextRecordFile } from './text-record-file';

/** apt's marks of what was installed automatically (apt-mark(8)): it keeps the order of the file and adds at its end. */
export const aptExtendedStatesCodec: RecordCodec = {
  name: 'apt-extended-states',
  matches: (path) => path === '/var/lib/apt/extended_states',
  parse: (bytes) => parseTextRecordFile(bytes, format),
};

const format = stanzaFormat({ codec: 'apt-extended-states', keyOf: packageKey });
