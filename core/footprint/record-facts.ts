import { isOwnId } from '../accounts/account-ids';
import { mapRecordIds } from '../accounts/account-records';
import { isSystemId } from '../accounts/number-rules';
import type { Variation } from '../variation/variation';
import { DAILY_JOB_FILES, otherAptSettings } from './apt-settings';

/** Of a record, what programs that look it up get to know; the rest of it differs from machine to machine for no matter. */
export function recordFacts(path: string, bytes: Uint8Array): Uint8Array {
  const facts = FACTS.find(({ pattern }) => pattern.test(path));
  if (facts === undefined) return bytes;
  return Buffer.from(facts.of(Buffer.from(bytes).toString('latin1')), 'latin1');
}

/**
 * Of a record of a table that was asked for as a whole: who looks at every account may look at all that is said of it. What
 * differs from machine to machine all the same is told by what it means: numbers of accounts by the account and whether it
 * is a person's, passwords by their form, days by whether they are set.
 */
export function wholeRecordFacts(
  path: string,
  bytes: Uint8Array,
  { users, groups }: Pick<Variation, 'users' | 'groups'>,
): Uint8Array {
  if (path === '/etc/passwd' || path === '/etc/group') {
    return mapRecordIds(path === '/etc/passwd' ? 'passwd' : 'group', bytes, (kind, id) => {
      const name = (kind === 'user' ? users : groups).nameOf.get(id) ?? '';
      return isOwnId(id) ? `<${kind} ${name} ${isSystemId(id) ? 'of the system' : 'a person'}>` : id;
    });
  }
  if (path !== '/etc/shadow' && path !== '/etc/gshadow') return recordFacts(path, bytes);
  const [name = '', password = '', ...rest] = Buffer.from(bytes).toString('latin1').split(':');
  if (path === '/etc/shadow') rest[0] = /^0?$/.test(rest[0] ?? '') ? rest[0]! : '<day>';
  return Buffer.from([name, passwordForm(password), ...rest].join(':'), 'latin1');
}

/** crypt(5): locked, none, or by which method it was made. */
function passwordForm(password: string): string {
  const [, lock = '', method = '', hash = ''] = /^([!*]*)((?:\$[^$]*\$)?)(.*)$/s.exec(password) ?? [];
  return lock + method + (hash === '' ? '' : '<password>');
}

const field = (stanza: string, name: string): string =>
  new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(stanza)?.[1]?.trim() ?? '';

const FACTS: readonly { readonly pattern: RegExp; readonly of: (record: string) => string }[] = [
  // Numbers are each machine's own.
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

/** Settings are small. */
const LARGEST_SETTINGS_BYTES = 1024 * 1024;

/**
 * Of some files only a part tells anything to an update, nothing being as good as no file; undefined where all of it counts,
 * as it does for checks.
 */
export function contentFacts(
  path: string,
  sizeBytes: number,
  updateKind: string,
): ((text: string) => string) | undefined {
  if (updateKind === 'compliance' || sizeBytes > LARGEST_SETTINGS_BYTES) return undefined;
  if (DAILY_JOB_FILES.includes(path)) return otherAptSettings;
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
