import type { SqliteDatabase } from '../sqlite/sqlite-database';

/** A package, group or environment that a transaction touched: every column that says which one it is. */
export interface DnfItem {
  readonly table: keyof typeof ITEM_TABLES;
  readonly values: readonly (string | number)[];
  /** Packages of a group, groups of an environment. */
  readonly parts: readonly (readonly (string | number)[])[];
}

export interface DnfAction {
  readonly item: DnfItem;
  readonly repo: string;
  readonly action: number;
  readonly reason: number;
  readonly state: number;
  /** Places in the transaction of the actions that take this item's place. */
  readonly replacedBy: readonly number[];
}

/** One transaction as dnf's history has it, without the numbers that its rows have on this machine. */
export interface DnfTransaction {
  readonly begin: number;
  readonly end: number | null;
  readonly databaseBefore: string | null;
  readonly databaseAfter: string | null;
  readonly release: string;
  readonly user: number;
  readonly command: string | null;
  readonly state: number;
  readonly comment: string | null;
  readonly actions: readonly DnfAction[];
  /** Packages by whose code it was done: dnf, rpm. */
  readonly doneWith: readonly DnfItem[];
  readonly output: readonly (readonly [descriptor: number, line: string])[];
}

/** Tables of items by the number that `item_type` has for them (libdnf, TransactionItemType), with their columns. */
export const ITEM_TABLES = {
  rpm: { type: 0, columns: ['name', 'epoch', 'version', 'release', 'arch'], parts: undefined },
  comps_group: {
    type: 1,
    columns: ['groupid', 'name', 'translated_name', 'pkg_types'],
    parts: {
      table: 'comps_group_package',
      owner: 'group_id',
      columns: ['name', 'installed', 'pkg_type'],
    },
  },
  comps_environment: {
    type: 2,
    columns: ['environmentid', 'name', 'translated_name', 'pkg_types'],
    parts: {
      table: 'comps_environment_group',
      owner: 'environment_id',
      columns: ['groupid', 'installed', 'group_type'],
    },
  },
} as const;

const TABLE_NAMES = ['rpm', 'comps_group', 'comps_environment'] as const;

/** All transactions, oldest first. */
export function readTransactions(database: SqliteDatabase): DnfTransaction[] {
  const items = readItems(database);
  const itemOf = (id: unknown): DnfItem =>
    items.get(Number(id)) ?? database.fail(`there is no item ${String(id)}`);
  const actions = groupRows(
    database,
    `SELECT trans_id, ti.id, item_id, coalesce(repoid, ''), action, reason, state
     FROM trans_item ti LEFT JOIN repo ON repo.id = ti.repo_id ORDER BY ti.id`,
  );
  const replaced = groupRows(
    database,
    'SELECT trans_item_id, by_trans_item_id FROM item_replaced_by ORDER BY by_trans_item_id',
  );
  const doneWith = groupRows(database, 'SELECT trans_id, item_id FROM trans_with ORDER BY item_id');
  const output = groupRows(
    database,
    'SELECT trans_id, file_descriptor, line FROM console_output ORDER BY id',
  );
  const transactions = database.rows(
    `SELECT id, dt_begin, dt_end, rpmdb_version_begin, rpmdb_version_end, releasever, user_id, cmdline, state, comment
     FROM trans ORDER BY id`,
  );
  return [...transactions].map(([id, begin, end, before, after, release, user, command, state, comment]) => {
    const own = actions.get(Number(id)) ?? [];
    const placeOf = new Map(own.map(([actionId], place) => [Number(actionId), place]));
    return {
      begin: Number(begin),
      end: end === null ? null : Number(end),
      databaseBefore: textOrNull(before),
      databaseAfter: textOrNull(after),
      release: String(release),
      user: Number(user),
      command: textOrNull(command),
      state: Number(state),
      comment: textOrNull(comment),
      actions: own.map(([actionId, item, repo, action, reason, actionState]) => ({
        item: itemOf(item),
        repo: String(repo),
        action: Number(action),
        reason: Number(reason),
        state: Number(actionState),
        replacedBy: (replaced.get(Number(actionId)) ?? []).flatMap(([by]) => placeOf.get(Number(by)) ?? []),
      })),
      doneWith: (doneWith.get(Number(id)) ?? []).map(([item]) => itemOf(item)),
      output: (output.get(Number(id)) ?? []).map(([descriptor, line]) => [Number(descriptor), String(line)]),
    };
  });
}

/** Adds a transaction behind all others, with this machine's next numbers. */
export function addTransaction(database: SqliteDatabase, transaction: DnfTransaction): void {
  const { begin, end, databaseBefore, databaseAfter, release, user, command, state, comment } = transaction;
  const id = database.insert(
    `INSERT INTO trans (dt_begin, dt_end, rpmdb_version_begin, rpmdb_version_end, releasever, user_id, cmdline, state, comment)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [begin, end, databaseBefore, databaseAfter, release, user, command, state, comment],
  );
  const actionIds = transaction.actions.map(({ item, repo, action, reason, state: actionState }) =>
    database.insert(
      'INSERT INTO trans_item (trans_id, item_id, repo_id, action, reason, state) VALUES (?, ?, ?, ?, ?, ?)',
      [id, itemNumber(database, item), repoNumber(database, repo), action, reason, actionState],
    ),
  );
  transaction.actions.forEach(({ replacedBy }, place) => {
    for (const by of replacedBy) {
      database.insert('INSERT INTO item_replaced_by (trans_item_id, by_trans_item_id) VALUES (?, ?)', [
        actionIds[place]!,
        actionIds[by] ?? database.fail('an action is replaced by one that is not there'),
      ]);
    }
  });
  for (const item of transaction.doneWith) {
    database.insert('INSERT OR IGNORE INTO trans_with (trans_id, item_id) VALUES (?, ?)', [
      id,
      itemNumber(database, item),
    ]);
  }
  for (const [descriptor, line] of transaction.output) {
    database.insert('INSERT INTO console_output (trans_id, file_descriptor, line) VALUES (?, ?, ?)', [
      id,
      descriptor,
      line,
    ]);
  }
}

function readItems(database: SqliteDatabase): Map<number, DnfItem> {
  const items = new Map<number, DnfItem>();
  for (const table of TABLE_NAMES) {
    const { columns, parts } = ITEM_TABLES[table];
    const partsOf = parts
      ? groupRows(
          database,
          `SELECT ${parts.owner}, ${parts.columns.join(', ')} FROM ${parts.table} ORDER BY id`,
        )
      : new Map<number, Value[][]>();
    for (const [id, ...values] of database.rows(`SELECT item_id, ${columns.join(', ')} FROM ${table}`)) {
      const number = Number(id);
      items.set(number, { table, values: values.map(scalar), parts: partsOf.get(number) ?? [] });
    }
  }
  return items;
}

/** Groups change from transaction to transaction, so only a package's row is used again. */
function itemNumber(database: SqliteDatabase, { table, values, parts }: DnfItem): number {
  const { type, columns, parts: partTable } = ITEM_TABLES[table];
  if (values.length !== columns.length) database.fail(`an item of ${table} has ${values.length} values`);
  if (table === 'rpm') {
    const wanted = columns.map((column) => `${column} = ?`).join(' AND ');
    const [found] = database.rows(`SELECT item_id FROM rpm WHERE ${wanted}`, [...values]);
    if (found) return Number(found[0]);
  }
  const id = database.insert('INSERT INTO item (item_type) VALUES (?)', [type]);
  database.insert(
    `INSERT INTO ${table} (item_id, ${columns.join(', ')}) VALUES (?${', ?'.repeat(columns.length)})`,
    [id, ...values],
  );
  for (const part of parts) {
    if (partTable === undefined || part.length !== partTable.columns.length) {
      return database.fail(`an item of ${table} has a part of ${part.length} values`);
    }
    database.insert(
      `INSERT INTO ${partTable.table} (${partTable.owner}, ${partTable.columns.join(', ')}) VALUES (?, ?, ?, ?)`,
      [id, ...part],
    );
  }
  return id;
}

function repoNumber(database: SqliteDatabase, repo: string): number {
  const [found] = database.rows('SELECT id FROM repo WHERE repoid = ?', [repo]);
  return found ? Number(found[0]) : database.insert('INSERT INTO repo (repoid) VALUES (?)', [repo]);
}

type Value = string | number;

function groupRows(database: SqliteDatabase, sql: string): Map<number, Value[][]> {
  const groups = new Map<number, Value[][]>();
  for (const [owner, ...values] of database.rows(sql)) {
    const number = Number(owner);
    const group = groups.get(number);
    if (group) group.push(values.map(scalar));
    else groups.set(number, [values.map(scalar)]);
  }
  return groups;
}

function scalar(value: unknown): Value {
  return typeof value === 'number' ? value : typeof value === 'string' ? value : '';
}

function textOrNull(value: unknown): string | null {
  return value === null ? null : String(value);
}
