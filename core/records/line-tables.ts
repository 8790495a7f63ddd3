import type { RecordCodec } from './record-codec';
import { RecordFormatError } from './record-errors';
import { linesOf } from './text-lines';
import { keyText, parseTextRecordFile, type TextFormat } from './text-record-file';

/** A file of lines, each a record of its own, where one line says all of one thing. */
interface LineTable {
  readonly name: string;
  readonly path: RegExp;
  /** The key of a line, or undefined when it is no line of this table. */
  keyOf(line: string): string | undefined;
  /** True for lines that belong to no record. */
  isComment?(line: string): boolean;
}

const lineTables: readonly LineTable[] = [
  {
    // deb-triggers(5): who is to be told when a path changes, `<path> <package>[/noawait]`.
    name: 'dpkg-file-triggers',
    path: /^\/var\/lib\/dpkg\/triggers\/File$/,
    keyOf: (line) => (/^\/\S* \S+$/.test(line) ? line.replace(/\/(no)?await$/, '') : undefined),
  },
  {
    // deb-triggers(5): the packages that wait for a trigger by this name, `<package>[/noawait]`.
    name: 'dpkg-named-triggers',
    path: /^\/var\/lib\/dpkg\/triggers\/[a-z0-9][^/]*$/,
    keyOf: (line) => (/^\S+$/.test(line) ? line.replace(/\/(no)?await$/, '') : undefined),
  },
  {
    // dpkg-statoverride(1): `<user> <group> <mode> <path>`.
    name: 'dpkg-statoverride',
    path: /^\/var\/lib\/dpkg\/statoverride(-old)?$/,
    keyOf: (line) => /^\S+ \S+ [0-7]+ (\/.*)$/.exec(line)?.[1],
  },
  {
    // ucf(1): the digest of each configuration file as the package had it when the user last agreed.
    name: 'ucf-hashfile',
    path: /^\/var\/lib\/ucf\/hashfile(\.\d)?$/,
    keyOf: (line) => /^[0-9a-f]{32} {2}(\/.*)$/.exec(line)?.[1],
  },
  {
    // ucf(1): which package a configuration file belongs to.
    name: 'ucf-registry',
    path: /^\/var\/lib\/ucf\/registry(\.\d)?$/,
    keyOf: (line) => /^\S+ ?\t ?(\/.*)$/.exec(line)?.[1],
  },
  {
    // update-ca-certificates(8): certificates to use, and with `!` those not to. Its package adds new ones at the end.
    name: 'ca-certificates-conf',
    path: /^\/etc\/ca-certificates\.conf(\.dpkg-old)?$/,
    keyOf: (line) => /^!?([^!#\s][^\n]*)$/.exec(line)?.[1],
    isComment: (line) => line === '' || line.startsWith('#'),
  },
  {
    // update-shells(8): the shells that packages brought when it last ran.
    name: 'shells-state',
    path: /^\/var\/lib\/shells\.state$/,
    keyOf: (line) => (line.startsWith('/') ? line : undefined),
  },
  {
    // shells(5)
    name: 'shells',
    path: /^\/etc\/shells$/,
    keyOf: (line) => (line.startsWith('/') ? line : undefined),
    isComment: (line) => line === '' || line.startsWith('#'),
  },
];

/** Codecs of tables that are a line a record, without an order of their own: what is new comes last. */
export const lineTableCodecs: readonly RecordCodec[] = lineTables.map((table) => {
  const format = formatOf(table);
  return {
    name: table.name,
    matches: (path) => table.path.test(path),
    parse: (bytes) => parseTextRecordFile(bytes, format),
  };
});

function formatOf({ name, keyOf, isComment }: LineTable): TextFormat {
  return {
    codec: name,
    end: '\n',
    split: (text) =>
      linesOf(text).map(({ body, end }, index) => {
        if (isComment?.(body)) return { key: undefined, body, end };
        const key = keyOf(body);
        if (key === undefined)
          throw new RecordFormatError(name, 'a line of another kind', { line: index + 1 });
        return { key: keyText(key), body, end };
      }),
  };
}
