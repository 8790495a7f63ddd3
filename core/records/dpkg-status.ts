import type { RecordCodec } from './record-codec';
import { stanzaFormat, type StanzaFields } from './stanzas';
import { compareKeyBytes, keyText, parseTextRecordFile } from './text-record-file';

const paths = new Set(['/var/lib/dpkg/status', '/var/lib/dpkg/status-old', '/var/lib/dpkg/available']);

/**
 * dpkg's database: one stanza per package and architecture (deb-control(5), dpkg(1) "FILES"). A purged package has no
 * record; a removed one whose configuration stays has one that says so.
 */
export const dpkgStatusCodec: RecordCodec = {
  name: 'dpkg-status',
  matches: (path) => paths.has(path),
  parse: (bytes) => parseTextRecordFile(bytes, format),
};

const format = stanzaFormat({
  codec: 'dpkg-status',
  keyOf: packageKey,
  compareKeys: comparePackageKeys,
});

/** `name:architecture`; the architecture is empty for a package of which dpkg knows no more than its selection. */
export function packageKey(fields: StanzaFields): string | undefined {
  const name = fields.get('package');
  return name ? keyText(`${name}:${fields.get('architecture') ?? ''}`) : undefined;
}

/** All lines of a field, the first without its name and its blanks; empty where a stanza has it not. */
export function fieldText(stanza: string, field: string): string {
  const label = `\n${field.toLowerCase()}:`;
  const at = `\n${stanza}`.toLowerCase().indexOf(label);
  if (at < 0) return '';
  const start = at + label.length - 1;
  const rest = stanza.slice(start);
  const end = rest.search(/\n[^ \t]/);
  return (end < 0 ? rest : rest.slice(0, end)).replace(/^[ \t]+/, '');
}

/** dpkg writes its database by name, then architecture. */
function comparePackageKeys(left: string, right: string): number {
  const [leftName, leftArchitecture] = splitPackageKey(left);
  const [rightName, rightArchitecture] = splitPackageKey(right);
  return compareKeyBytes(leftName, rightName) || compareKeyBytes(leftArchitecture, rightArchitecture);
}

function splitPackageKey(key: string): [name: string, architecture: string] {
  const colon = key.lastIndexOf(':');
  return [key.slice(0, colon), key.slice(colon + 1)];
}
