/** How the database goes about what it is asked, statement by statement (EXPLAIN QUERY PLAN). */
export const explained = (database: D1Database) => {
  const asked: D1PreparedStatement[] = [];
  return {
    database: new Proxy(database, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property);
        if (property !== 'prepare') return typeof member === 'function' ? member.bind(target) : member;
        return (sql: string) =>
          new Proxy(target.prepare(sql), {
            get: (statement, name) => {
              const value: unknown = Reflect.get(statement, name);
              if (name !== 'bind') return typeof value === 'function' ? value.bind(statement) : value;
              return (...values: unknown[]) => {
                asked.push(target.prepare(`explain query plan ${sql}`).bind(...values));
                return statement.bind(...values);
              };
            },
          });
      },
    }),
    /** The steps of every statement that the work asks for. */
    during: async (work: () => Promise<unknown>): Promise<string[][]> => {
      asked.length = 0;
      await work();
      const plans = await database.batch<{ detail: string }>([...asked]);
      return plans.map(({ results }) => results.map(({ detail }) => detail));
    },
  };
};
