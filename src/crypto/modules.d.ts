// What the bundler turns into modules, and the one function of Node's that is used here: its full types would bring
// Node's globals along.

declare module '*.wasm' {
  const module: WebAssembly.Module;
  // biome-ignore lint/style/noDefaultExport: this is how the bundler hands it over
  export default module;
}

declare module '*.txt' {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: this is how the bundler hands it over
  export default text;
}

declare module 'node:crypto' {
  export function scryptSync(
    password: Uint8Array,
    salt: Uint8Array,
    keyLength: number,
    options: { cost: number; blockSize: number; parallelization: number; maxmem: number },
  ): Uint8Array<ArrayBuffer>;
}
