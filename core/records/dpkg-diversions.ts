import type { RecordCodec } from './record-codec';
import { RecordFormatError } from './record-errors';
import { linesOf } from './text-lines';
import { keyText, parseTextRecordFile, type TextFormat } from './text-record-file';

const CODEC = 'dpkg-diversions';
const paths = new Set(['/var/lib/dpkg/diversions', '/var/lib/dpkg/diversions-old']);

/** Where dpkg puts files instead of where a package has them (dpkg-divert(1)): three lines each, from, to, by whom. */
export const dpkgDiversionsCodec: RecordCodec = {
  name: CODEC,
  matches: (path) => paths.has(path),
  parse: (bytes) => parseTextRecordFile(bytes, format),
};

const LINES = 3;

const format: TextFormat = {
  codec: CODEC,
  end: '\n',
  split(text) {
    const lines = linesOf(text);
    if (lines.length % LINES !== 0) {
      throw new RecordFormatError(CODEC, `${lines.length} lines are no whole number of diversions`);
    }
    return Array.from({ length: lines.length / LINES }, (_, index) => {
      const [from, to, by] = lines.slice(index * LINES, (index + 1) * LINES);
      if (!from?.body.startsWith('/') || !to?.body.startsWith('/') || !by?.body) {
        throw new RecordFormatError(CODEC, 'a diversion without paths', { line: index * LINES + 1 });
      }
      return {
        key: keyText(from.body),
        body: [from, to, by].map(({ body }) => body).join('\n'),
        end: by.end,
      };
    });
  },
};
