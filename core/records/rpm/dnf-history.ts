import { digestOf } from '../../chunk-store/digest';
import type { RecordChanges, RecordCodec, RecordFile } from '../record-codec';
import { RecordConflictError, RecordFormatError } from '../record-errors';
import { prepareSqlite, SQLITE_COMPANIONS, SqliteDatabase, wholeDatabase } from '../sqlite/sqlite-database';
import { addTransaction, type DnfAction, type DnfTransaction, readTransactions } from './dnf-transaction';
import { checkTransaction } from './dnf-transaction-check';

const CODEC = 'dnf-history';

/**
 * dnf's history (libdnf's swdb). It is more than a log: why a package is installed decides what a removal takes with it.
 * A record is one transaction, and the reason that each installed package has by now. Numbers, times, who did it by which
 * command and digests of rpm's database are put and not compared; a package that is upgraded keeps the reason that it has
 * on the machine.
 */
export const dnfHistoryCodec: RecordCodec = {
  name: CODEC,
  matches: (path) => path === '/var/lib/dnf/history.sqlite',
  companions: SQLITE_COMPANIONS,
  prepare: prepareSqlite,
  parse: (bytes, companions) => new DnfHistoryFile(wholeDatabase(bytes, companions, CODEC)),
};

const TRANSACTION = 'transaction ';
const REASON = 'reason ';

/** libdnf, TransactionItemAction: what is installed afterwards, what is gone, what was replaced. */
const INSTALL = 1;
const OBSOLETE = 4;
const OBSOLETED = 5;
const REMOVE = 8;
const REASON_CHANGE = 11;
const REPLACED = [3, OBSOLETED, 7, 10];
/** Actions that give a package a reason of their own; in all others it keeps the one it has. */
const NEW_REASON = [INSTALL, OBSOLETE, REASON_CHANGE];
/** TransactionItemState: done. */
const DONE = 1;

class DnfHistoryFile implements RecordFile {
  readonly records: ReadonlyMap<string, Uint8Array>;
  readonly remainder: Uint8Array;
  private readonly transactions: ReadonlyMap<string, DnfTransaction>;

  constructor(private readonly bytes: Uint8Array) {
    const read = SqliteDatabase.use(bytes, CODEC, (database) => ({
      schema: readSchema(database),
      transactions: readTransactions(database),
    }));
    this.remainder = Buffer.from(read.schema, 'utf8');
    // The same thing done twice is one record, the later one.
    this.transactions = new Map(read.transactions.map((one) => [keyOf(one), one]));
    this.records = new Map([
      ...[...this.transactions].map(([key, one]) => [key, bytesOf(withoutRun(one))] as const),
      ...[...reasonsAfter(read.transactions)].map(
        ([name, reason]) => [REASON + name, bytesOf(reason)] as const,
      ),
    ]);
  }

  contentOf(key: string): Uint8Array | undefined {
    const transaction = this.transactions.get(key);
    return transaction && bytesOf(transaction);
  }

  merge(changes: RecordChanges): Uint8Array {
    const added: DnfTransaction[] = [];
    for (const [key, bytes] of changes) {
      if (!key.startsWith(TRANSACTION) || this.transactions.has(key)) continue;
      if (bytes === undefined) continue;
      added.push(parseTransaction(key, bytes));
    }
    for (const key of this.transactions.keys()) {
      if (changes.has(key) && changes.get(key) === undefined) {
        throw new RecordFormatError(CODEC, 'dnf takes no transaction back', { key });
      }
    }
    added.sort((a, b) => a.begin - b.begin);
    const merged = added.length === 0 ? this.bytes : this.withTransactions(added);
    this.checkReasons(merged, changes);
    return new Uint8Array(merged);
  }

  private withTransactions(added: readonly DnfTransaction[]): Uint8Array {
    return SqliteDatabase.use(this.bytes, CODEC, (database) => {
      for (const transaction of added) {
        const own = readTransactions(database);
        addTransaction(database, asDoneHere(transaction, own));
      }
      return database.export();
    });
  }

  /** What was put as a transaction must have given the packages the reasons that were put. */
  private checkReasons(merged: Uint8Array, changes: RecordChanges): void {
    const wanted = [...changes].filter(([key]) => key.startsWith(REASON));
    if (wanted.length === 0) return;
    const reasons = reasonsAfter(SqliteDatabase.use(merged, CODEC, (database) => readTransactions(database)));
    for (const [key, bytes] of wanted) {
      const found = reasons.get(key.slice(REASON.length));
      const isSame =
        bytes === undefined
          ? found === undefined
          : found !== undefined && Buffer.compare(bytesOf(found), bytes) === 0;
      if (!isSame) {
        throw new RecordConflictError(
          CODEC,
          key,
          TRANSACTION.trim(),
          'no transaction gives the package this reason',
        );
      }
    }
  }
}

function keyOf(transaction: DnfTransaction): string {
  return `${TRANSACTION}${digestOf(bytesOf(withoutRun(transaction))).slice('sha256:'.length, 'sha256:'.length + 32)}`;
}

/** Without what belongs to the run or to the machine; in an order of its own. */
function withoutRun({ release, state, comment, actions }: DnfTransaction): unknown {
  const facts = actions.map(({ item, repo, action, reason, state: actionState, replacedBy }) => ({
    item,
    repo,
    action,
    reason: NEW_REASON.includes(action) ? reason : null,
    state: actionState,
    replacedBy: replacedBy
      .map((place) => actions[place]?.item)
      .map((one) => JSON.stringify(one))
      .sort(),
  }));
  return { release, state, comment, actions: facts.map((one) => JSON.stringify(one)).sort() };
}

/** The same transaction on this machine: after its own last one, with its own reasons for what it has already. */
function asDoneHere(transaction: DnfTransaction, own: readonly DnfTransaction[]): DnfTransaction {
  const reasons = reasonsAfter(own);
  const actions = transaction.actions.map((action): DnfAction => {
    const name = nameOf(action);
    const reason = NEW_REASON.includes(action.action) ? action.reason : (reasons.get(name) ?? action.reason);
    return { ...action, reason };
  });
  return { ...transaction, databaseBefore: own.at(-1)?.databaseAfter ?? transaction.databaseBefore, actions };
}

/** By package: the reason that the last action says which left it installed. */
function reasonsAfter(transactions: readonly DnfTransaction[]): Map<string, number> {
  const reasons = new Map<string, number>();
  for (const action of transactions.flatMap(({ actions }) => actions)) {
    if (action.state !== DONE) continue;
    if (action.action === REMOVE || action.action === OBSOLETED) reasons.delete(nameOf(action));
    else if (!REPLACED.includes(action.action)) reasons.set(nameOf(action), action.reason);
  }
  return reasons;
}

/** `name.architecture` of a package; a group by its table and name. */
function nameOf({ item: { table, values } }: DnfAction): string {
  return table === 'rpm' ? `${values[0]}.${values[4]}` : `${table}:${values[0]}`;
}

function bytesOf(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

/** @throws RecordFormatError: a manifest is made elsewhere, so nothing in it is taken for granted */
function parseTransaction(key: string, bytes: Uint8Array): DnfTransaction {
  const transaction = checkTransaction(bytes);
  if (transaction === undefined || keyOf(transaction) !== key) {
    throw new RecordFormatError(CODEC, 'what is put is not one record with this key', { key });
  }
  return transaction;
}

/** dnf's tables and nothing else: a trigger or a view would be run with what is put. */
function readSchema(database: SqliteDatabase): string {
  const lines: string[] = [];
  const sql = 'SELECT type, name, sql FROM sqlite_master ORDER BY type, name';
  for (const [type, name, statement] of database.rows(sql)) {
    if (type !== 'table' && type !== 'index') database.fail(`it has a ${String(type)}`);
    if (/^sqlite_/.test(String(name))) continue;
    if (type === 'table' && !TABLES.has(String(name)))
      database.fail(`the table ${String(name)} is none of dnf's`);
    // Nothing in dnf's tables is computed.
    if (/\b(generated|check|virtual|select)\b/i.test(String(statement)))
      database.fail(`the table ${String(name)}`);
    lines.push(
      `${String(name)}: ${String(statement)
        .replaceAll(/\/\*.*?(?:\*\/|$)/gs, '')
        .replaceAll(/\s+/g, ' ')}`,
    );
  }
  const [version] = database.rows("SELECT value FROM config WHERE key = 'version'");
  return [`version ${String(version?.[0])}`, ...lines].join('\n');
}

const TABLES = new Set([
  'trans',
  'repo',
  'console_output',
  'item',
  'trans_item',
  'item_replaced_by',
  'trans_with',
  'rpm',
  'comps_group',
  'comps_group_package',
  'comps_environment',
  'comps_environment_group',
  'config',
]);
