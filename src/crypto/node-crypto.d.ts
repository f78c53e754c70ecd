// The one function of Node's that is used here: its full types would bring Node's globals along.

declare module 'node:crypto' {
  export function scryptSync(
    password: Uint8Array,
    salt: Uint8Array,
    keyLength: number,
    options: { cost: number; blockSize: number; parallelization: number; maxmem: number },
  ): Uint8Array<ArrayBuffer>;
}
