import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import { type DrizzleD1Database, drizzle } from 'drizzle-orm/d1';
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core';

export type Database = DrizzleD1Database;

/**
 * Every query goes to the database's primary: a token, key or customer that was revoked must be refused at once,
 * everywhere (contract 0, tokens), and a read replica may not know yet.
 */
export const openDatabase = (d1: D1Database): Database => drizzle(d1);

/**
 * Storage did not do what it was asked to. The message is the database's own: the one of the layers around it quotes
 * every bound parameter, hashes and addresses among them.
 */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  /** The table whose uniqueness the statement violated. */
  readonly violatedTable: string | null;

  constructor(error: unknown) {
    const message = innermostMessage(error);
    super(message);
    this.violatedTable = /UNIQUE constraint failed: (\w+)\./.exec(message)?.[1] ?? null;
  }
}

/** The same store, with whatever its methods throw told as a StorageError. */
export const guarded = <Store extends object>(store: Store): Store =>
  new Proxy(store, {
    get: (target, property) => {
      const method: unknown = Reflect.get(target, property);
      if (typeof method !== 'function') return method;
      return async (...parameters: unknown[]): Promise<unknown> => {
        try {
          return await method(...parameters);
        } catch (error) {
          throw error instanceof StorageError ? error : new StorageError(error);
        }
      };
    },
  });

/** Runs a write and gives the table whose uniqueness it violated, or null when it was done. */
export const violatedTableOf = async (write: () => Promise<unknown>): Promise<string | null> => {
  try {
    await write();
    return null;
  } catch (error) {
    const failure = new StorageError(error);
    if (failure.violatedTable === null) throw failure;
    return failure.violatedTable;
  }
};

/**
 * The column, as what a few rows of one owner are ordered or bounded by. As it is, an index that begins with it would have
 * the database go through the rows of everybody in that order, in search of the owner's.
 */
export const unindexed = (column: SQLiteColumn): SQL => sql`+${column}`;

const innermostMessage = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown failure';
  return error.cause instanceof Error ? innermostMessage(error.cause) : error.message;
};

/** The statement that inserts a row where the condition holds. What the row does not say is null, or the column's default. */
export const insertIf = <Table extends SQLiteTable>(
  db: Database,
  table: Table,
  row: Table['$inferInsert'],
  condition: SQL,
) => {
  const values = Object.entries(getTableColumns(table)).map(([name, column]) => {
    const value: unknown = Reflect.get(row, name) ?? column.default ?? null;
    return value === null ? sql`null` : sql`${sql.param(value, column)}`;
  });
  return db.insert(table).select(sql`select ${sql.join(values, sql`, `)} where ${condition}`);
};

/**
 * The statement that inserts those of a tenant's rows for which the condition holds; `inRow` names what it is about. They
 * are one parameter, however many they are: D1 binds a hundred at most.
 */
export const insertEach = <Table extends SQLiteTable>(
  db: Database,
  table: Table,
  tenantId: string,
  rows: readonly Omit<Table['$inferInsert'], 'tenantId'>[],
  condition: SQL,
) => {
  const columns = columnsInRow(table);
  const values = rows.map((row) =>
    columns.map(([name, column]) => {
      const value: unknown = Reflect.get(row, name) ?? column.default ?? null;
      return value === null ? null : column.mapToDriverValue(value);
    }),
  );
  // The tenant is the first column of every table that is one's.
  const selected = sql.join([sql`${tenantId}`, ...columns.map((_, i) => elementOf('row', i))], sql`, `);
  return db
    .insert(table)
    .select(sql`select ${selected} from json_each(${JSON.stringify(values)}) as row where ${condition}`);
};

/** The value of a column of the row that `insertEach` is about to insert. */
export const inRow = (table: SQLiteTable, member: string): SQL =>
  elementOf(
    'row',
    columnsInRow(table).findIndex(([name]) => name === member),
  );

/** An element of each of the arrays that `json_each` gives under a name. */
export const elementOf = (name: 'row' | 'claim', index: number): SQL => sql.raw(`${name}.value ->> ${index}`);

const columnsInRow = (table: SQLiteTable) =>
  Object.entries(getTableColumns(table)).filter(([name]) => name !== 'tenantId');
