import type { RecordCodec } from './record-codec';
import { RecordConflictError, RecordFormatError } from './record-errors';
import { linesOf } from './text-lines';
import {
  keyText,
  parseTextRecordFile,
  type RecordTexts,
  type TextFormat,
  type TextSegment,
} from './text-record-file';

/** One kind of account file: one line per account, fields parted by colons. */
interface AccountFile {
  readonly name: string;
  readonly path: string;
  readonly fields: number;
  /** The fields that are the key: the name; for subordinate ranges, of which an account may have many, its start too. */
  readonly keyFields: number;
  /** What two accounts must not share. Undefined: nothing to compare. */
  readonly claimOf?: (fields: readonly string[]) => Claim | undefined;
}

/** A range of numbers that one account takes; `what` names it in the error. */
interface Claim {
  readonly what: string;
  readonly first: number;
  readonly last: number;
}

/** passwd(5), group(5), shadow(5), gshadow(5), subuid(5), subgid(5). A group's members are part of its record. */
const accountFiles: readonly AccountFile[] = [
  { name: 'passwd', path: '/etc/passwd', fields: 7, keyFields: 1, claimOf: (f) => idClaim('UID', f[2]) },
  { name: 'group', path: '/etc/group', fields: 4, keyFields: 1, claimOf: (f) => idClaim('GID', f[2]) },
  { name: 'shadow', path: '/etc/shadow', fields: 9, keyFields: 1 },
  { name: 'gshadow', path: '/etc/gshadow', fields: 4, keyFields: 1 },
  { name: 'subuid', path: '/etc/subuid', fields: 3, keyFields: 2, claimOf: (f) => rangeClaim('UIDs', f) },
  { name: 'subgid', path: '/etc/subgid', fields: 3, keyFields: 2, claimOf: (f) => rangeClaim('GIDs', f) },
];

/**
 * A codec for each account file, and one of the same name for its backup (`passwd-`), which the account tools make before
 * they write. A backup holds the past: what stands in it claims nothing.
 */
export const accountCodecs: readonly RecordCodec[] = accountFiles.flatMap((file) => [
  codecOf(file),
  codecOf({ ...file, path: `${file.path}-`, claimOf: undefined }),
]);

function codecOf(file: AccountFile): RecordCodec {
  const format = formatOf(file);
  return {
    name: file.name,
    matches: (path) => path === file.path,
    parse: (bytes) => parseTextRecordFile(bytes, format),
  };
}

function formatOf(file: AccountFile): TextFormat {
  return {
    codec: file.name,
    end: '\n',
    split: (text) => linesOf(text).map((line, index) => segmentOf(line, file, index + 1)),
    // The account tools write a new account in front of the lines that send the lookup on to NIS.
    staysLast: ({ key }) => key !== undefined && isNisKey(key),
    checkConflicts: (merged, changed, before) => checkClaims(file, merged, changed, before),
  };
}

function segmentOf(
  { body, end }: { body: string; end: string },
  file: AccountFile,
  line: number,
): TextSegment {
  if (body.trim() === '' || body.startsWith('#')) return { key: undefined, body, end };
  const fields = body.split(':');
  if (isNisKey(body)) return { key: keyText(fields[0] ?? body), body, end };
  if (fields.length !== file.fields) {
    throw new RecordFormatError(file.name, `${fields.length} fields instead of ${file.fields}`, { line });
  }
  const key = fields.slice(0, file.keyFields).join(':');
  if (!fields[0]) throw new RecordFormatError(file.name, 'an account without a name', { line });
  return { key: keyText(key), body, end };
}

/** nsswitch.conf(5), compat mode: `+`, `+name`, `+@netgroup`, `-name`. */
function isNisKey(text: string): boolean {
  return text.startsWith('+') || text.startsWith('-');
}

function idClaim(what: string, field: string | undefined): Claim | undefined {
  const id = numberOf(field);
  // Some machines have a second name for UID 0 on purpose.
  return id === undefined || id === 0 ? undefined : { what: `${what} ${id}`, first: id, last: id };
}

function rangeClaim(what: string, fields: readonly string[]): Claim | undefined {
  const first = numberOf(fields[1]);
  const count = numberOf(fields[2]);
  if (first === undefined || !count) return undefined;
  const last = first + count - 1;
  return { what: `subordinate ${what} ${first} to ${last}`, first, last };
}

function numberOf(field: string | undefined): number | undefined {
  return field !== undefined && /^\d{1,10}$/.test(field) ? Number(field) : undefined;
}

/**
 * A new account got its number on another machine. Here the number may be another account's, and the files of the one
 * would be the other's: that must not happen. Accounts that had their number before claim nothing new.
 */
function checkClaims(
  file: AccountFile,
  merged: readonly TextSegment[],
  changed: ReadonlySet<string>,
  before: RecordTexts,
): void {
  const { claimOf } = file;
  if (!claimOf || changed.size === 0) return;
  const claims = merged.flatMap(({ key, body }) => {
    const claim = key === undefined ? undefined : claimOf(body.split(':'));
    return claim && key !== undefined ? [{ key, owner: body.slice(0, body.indexOf(':')), claim }] : [];
  });
  for (const fresh of claims.filter(
    ({ key, claim }) => changed.has(key) && !hadClaim(before.get(key), claim),
  )) {
    const other = claims.find(
      ({ key, owner, claim }) =>
        key !== fresh.key &&
        !(file.keyFields > 1 && owner === fresh.owner) &&
        claim.first <= fresh.claim.last &&
        fresh.claim.first <= claim.last,
    );
    if (other) {
      throw new RecordConflictError(file.name, fresh.key, other.key, `both would have ${fresh.claim.what}`);
    }
  }

  function hadClaim(body: string | undefined, claim: Claim): boolean {
    const had = body === undefined ? undefined : claimOf?.(body.split(':'));
    return had?.first === claim.first && had.last === claim.last;
  }
}
