import type { RecordCodec } from './record-codec';
import { stanzaFormat } from './stanzas';
import { compareKeyBytes, keyText, parseTextRecordFile } from './text-record-file';

const path = /^\/var\/cache\/debconf\/(config|templates|passwords)\.dat(-old)?$/;

/** debconf's answers and questions as its File driver writes them (debconf.conf(5)): stanzas in byte order of Name. */
export const debconfCodec: RecordCodec = {
  name: 'debconf',
  matches: (candidate) => path.test(candidate),
  parse: (bytes) => parseTextRecordFile(bytes, format),
};

const format = stanzaFormat({
  codec: 'debconf',
  keyOf(fields) {
    const name = fields.get('name');
    return name ? keyText(name) : undefined;
  },
  compareKeys: compareKeyBytes,
});
