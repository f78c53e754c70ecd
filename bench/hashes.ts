import { scryptSync } from 'node:crypto';
import { hashPassword, verifyAgainstNothing, verifyPassword } from '../src/crypto/passwords.ts';

const PASSWORD = 'correct horse battery staple';
const SALT = new TextEncoder().encode('sixteen bytes of');

const scrypt = (log2OfCost: number, parallelization: number) =>
  scryptSync(new TextEncoder().encode(PASSWORD), SALT, 32, {
    cost: 2 ** log2OfCost,
    blockSize: 8,
    parallelization,
    maxmem: 2 ** 28,
  });

let ownHash: string | null = null;

const operations: Readonly<Record<string, () => unknown>> = {
  nothing: () => null,
  argon2id: () => hashPassword(PASSWORD),
  'argon2id, verify': async () => {
    ownHash ??= await hashPassword(PASSWORD);
    return verifyPassword('a wrong one', ownHash);
  },
  'argon2id, unknown user': () => verifyAgainstNothing('a wrong one'),
  // The two settings of scrypt that OWASP holds to be as good.
  'scrypt 2^17,8,1': () => scrypt(17, 1),
  'scrypt 2^15,8,3': () => scrypt(15, 3),
};

/** Does an operation a number of times. Time stands still in a Worker while it computes: it is taken outside. */
export default {
  fetch: async (request: Request): Promise<Response> => {
    const { searchParams } = new URL(request.url);
    const operation = operations[searchParams.get('operation') ?? ''];
    if (!operation) return Response.json(Object.keys(operations));
    for (let i = 0; i < Number(searchParams.get('times')); i++) await operation();
    return new Response('done');
  },
};
