/** Of a record, what programs that look it up get to know; the rest of it differs from machine to machine for no matter. */
export function recordFacts(path: string, bytes: Uint8Array): Uint8Array {
  const facts = FACTS.find(({ pattern }) => pattern.test(path));
  if (facts === undefined) return bytes;
  return Buffer.from(facts.of(Buffer.from(bytes).toString('latin1')), 'latin1');
}

const field = (stanza: string, name: string): string =>
  new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(stanza)?.[1]?.trim() ?? '';

const FACTS: readonly { readonly pattern: RegExp; readonly of: (record: string) => string }[] = [
  // Numbers are each machine's own; who is in a group is not asked when the group is.
  { pattern: /^\/etc\/passwd$/, of: (record) => without(record, [1, 2, 3]) },
  { pattern: /^\/etc\/group$/, of: (record) => without(record, [1, 2]) },
  // Whether the account is locked, not its password nor when that was set.
  { pattern: /^\/etc\/g?shadow$/, of: (record) => `${record.split(':')[0]}:${/^[^:]*:[!*]/.test(record)}` },
  // Other packages may ask the same question.
  {
    pattern: /^\/var\/cache\/debconf\/config\.dat$/,
    of: (record) => [field(record, 'Name'), field(record, 'Value')].join('\n'),
  },
  {
    pattern: /^\/var\/lib\/dpkg\/status$/,
    of: (record) => [field(record, 'Package'), field(record, 'Status'), field(record, 'Version')].join(' '),
  },
];

function without(record: string, left: readonly number[]): string {
  return record
    .split(':')
    .map((value, index) => (left.includes(index) ? '' : value))
    .join(':');
}

/** Sources of accounts that every machine has, whatever packages added to the line. */
const LOCAL_SOURCES = new Set(['files', 'compat', 'systemd', 'mymachines', '[notfound=return]']);

/** Of some files only a part tells anything; undefined where all of it counts. */
export function contentFacts(path: string): ((text: string) => string) | undefined {
  // nsswitch.conf(5): from where accounts come beside the machine's own files.
  return path === '/etc/nsswitch.conf' ? accountSources : undefined;
}

function accountSources(text: string): string {
  return ['passwd', 'group', 'shadow']
    .map((table) => {
      const line = new RegExp(`^${table}:([^#\n]*)`, 'm').exec(text)?.[1] ?? '';
      const sources = line.trim().toLowerCase().split(/\s+/);
      return `${table}: ${sources.filter((source) => !LOCAL_SOURCES.has(source)).join(' ')}`;
    })
    .join('\n');
}
