/*
 * D1 and KV as they are, wrapped: to count the round trips of a request, or to let one of them fail. Nothing is imitated:
 * every call that is not made to fail reaches the real binding.
 */

/** Told of every operation; what it returns is awaited before, and what that returns after, the real one. */
type Watcher = (operation: string) => Promise<() => Promise<void>>;

const STATEMENT_OPERATIONS = ['all', 'first', 'raw', 'run'];

const watchDatabase = (database: D1Database, watch: Watcher): D1Database => {
  const originals = new WeakMap<object, D1PreparedStatement>();
  const run = async <T>(operation: string, work: () => Promise<T>): Promise<T> => {
    const finish = await watch(operation);
    const result = await work();
    await finish();
    return result;
  };
  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
    const wrapped = new Proxy(statement, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== 'function') return member;
        if (property === 'bind') return (...values: unknown[]) => wrap(target.bind(...values));
        if (!STATEMENT_OPERATIONS.includes(String(property))) return member.bind(target);
        return (...parameters: unknown[]) =>
          run(`D1 ${String(property)}`, () => Reflect.apply(member, target, parameters));
      },
    });
    originals.set(wrapped, statement);
    return wrapped;
  };
  return new Proxy(database, {
    get: (target, property) => {
      if (property === 'prepare') return (sql: string) => wrap(target.prepare(sql));
      if (property === 'batch') {
        return (statements: D1PreparedStatement[]) =>
          run('D1 batch', () => target.batch(statements.map((each) => originals.get(each) ?? each)));
      }
      const member: unknown = Reflect.get(target, property);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
};

const watchNamespace = (namespace: KVNamespace, watch: Watcher): KVNamespace =>
  new Proxy(namespace, {
    get: (target, property) => {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function') return member;
      return async (...parameters: unknown[]) => {
        const finish = await watch(`KV ${String(property)}`);
        const result: unknown = await Reflect.apply(member, target, parameters);
        await finish();
        return result;
      };
    },
  });

type Storage = Pick<Env, 'DB' | 'KV'>;

/**
 * Counts sequential round trips: an operation that starts after another has ended is one deeper, simultaneous ones
 * count once.
 */
export const countRoundTrips = (storage: Storage) => {
  let deepestEnded = 0;
  let operations: string[] = [];
  const watch: Watcher = async (operation) => {
    const depth = deepestEnded + 1;
    operations.push(`${depth}: ${operation}`);
    return async () => {
      deepestEnded = Math.max(deepestEnded, depth);
    };
  };
  return {
    bindings: { DB: watchDatabase(storage.DB, watch), KV: watchNamespace(storage.KV, watch) },
    /** How many round trips the work needs, one after another, and what they are. */
    during: async (work: () => Promise<unknown>): Promise<{ depth: number; operations: string[] }> => {
      deepestEnded = 0;
      operations = [];
      await work();
      return { depth: deepestEnded, operations };
    },
  };
};

/** Lets chosen operations fail, before or after the real one was done. */
export const breakable = (storage: Storage) => {
  let fails: ((operation: string, count: number) => 'before' | 'after' | null) | null = null;
  let count = 0;
  const watch: Watcher = async (operation) => {
    count += 1;
    const moment = fails?.(operation, count) ?? null;
    if (moment === 'before') throw new Error(`${operation} is broken`);
    return async () => {
      if (moment === 'after') throw new Error(`The answer of ${operation} is lost`);
    };
  };
  return {
    bindings: { DB: watchDatabase(storage.DB, watch), KV: watchNamespace(storage.KV, watch) },
    /** From now on, counting from 1, the operations for which this says so fail. Null mends everything. */
    failWhen: (condition: typeof fails): void => {
      fails = condition;
      count = 0;
    },
    /** How many operations there were since `failWhen`. */
    operations: (): number => count,
  };
};

/** Holds back what operations give, so that whatever was read at the same time is decided on at the same time. */
export const gathering = (storage: Storage) => {
  let awaited = { operation: '', count: 0, done: Promise.withResolvers<void>() };
  const watch: Watcher = async (operation) => async () => {
    const { count, done } = awaited;
    if (operation !== awaited.operation || count === 0) return;
    awaited.count -= 1;
    if (awaited.count === 0) done.resolve();
    await done.promise;
  };
  return {
    bindings: { DB: watchDatabase(storage.DB, watch), KV: watchNamespace(storage.KV, watch) },
    /** None of the next so many of this operation gives anything before all of them are done. */
    gather: (operation: string, count: number): void => {
      awaited = { operation, count, done: Promise.withResolvers() };
    },
  };
};

/** Lets something else happen just before an operation is done. */
export const overtakable = (storage: Storage) => {
  let awaited = { operation: '', count: 0, work: async (): Promise<unknown> => null };
  const watch: Watcher = async (operation) => {
    if (operation === awaited.operation) awaited.count -= 1;
    if (operation === awaited.operation && awaited.count === 0) await awaited.work();
    return async () => {};
  };
  return {
    bindings: { DB: watchDatabase(storage.DB, watch), KV: watchNamespace(storage.KV, watch) },
    /** The work is done before the operation of this name that comes next, if `count` is 1, or so many later. */
    overtake: (operation: string, count: number, work: () => Promise<unknown>): void => {
      awaited = { operation, count, work };
    },
  };
};

/** Counts the rows that D1 says that it read. */
export const countRowsRead = (database: D1Database) => {
  let rows = 0;
  const counted = new Proxy(database, {
    get: (target, property) => {
      if (property === 'batch') {
        return async (statements: D1PreparedStatement[]) => {
          const results = await target.batch(statements);
          for (const { meta } of results) rows += meta.rows_read;
          return results;
        };
      }
      const member: unknown = Reflect.get(target, property);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return {
    database: counted,
    read: (): number => rows,
    reset: (): void => {
      rows = 0;
    },
  };
};
