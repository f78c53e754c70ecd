import wasm from '@phi-ag/argon2/argon2.wasm';
import * as z from 'zod';

export type Argon2Parameters = {
  kind: 'argon2d' | 'argon2i' | 'argon2id';
  /** 0x10 is the one before RFC 9106, still found in old hashes. */
  version: 0x10 | 0x13;
  memoryKibibytes: number;
  passes: number;
  lanes: number;
};

type Argon2 = (
  password: Uint8Array,
  salt: Uint8Array,
  tagLength: number,
  parameters: Argon2Parameters,
) => Uint8Array<ArrayBuffer>;

/**
 * The tag of RFC 9106, `tagLength` bytes long. Throws on parameters that the RFC does not allow.
 *
 * One instance serves the isolate for as long as it lives. Its memory never shrinks, so the most that anybody asks for
 * stays in use; but instances to be dropped afterwards would be worse: nothing tells the collector of their memory in
 * time, and twenty sign-ins leave twenty of them behind.
 */
export const computeArgon2: Argon2 = (password, salt, tagLength, parameters) => {
  argon2 ??= createArgon2();
  return argon2(password, salt, tagLength, parameters);
};

let argon2: Argon2 | undefined;

/**
 * An instance of the reference implementation.
 *
 * The package's own JavaScript takes the password's UTF-16 length for its length in bytes and so hashes only the
 * beginning of a non-ASCII password; hence this replacement, which takes bytes.
 */
const createArgon2 = (): Argon2 => {
  const { memory, malloc, free, argon2_hash, _initialize } = wasmExports.parse(new WebAssembly.Instance(wasm).exports);
  _initialize();

  const allocate = (length: number): number => {
    const address = malloc(Math.max(length, 1));
    if (address === 0) throw new Error('argon2 is out of memory');
    return address;
  };
  // Made anew for each use: growing the memory detaches the views of it.
  const bytesAt = (address: number, length: number) => new Uint8Array(memory.buffer, address, length);

  return (password, salt, tagLength, { kind, version, memoryKibibytes, passes, lanes }) => {
    const inputLength = password.length + salt.length;
    const input = allocate(inputLength);
    const tag = allocate(tagLength);
    try {
      bytesAt(input, password.length).set(password);
      bytesAt(input + password.length, salt.length).set(salt);
      const fault = argon2_hash(
        passes,
        memoryKibibytes,
        lanes,
        input,
        password.length,
        input + password.length,
        salt.length,
        tag,
        tagLength,
        NO_ENCODED_FORM,
        0,
        KIND_NUMBERS[kind],
        version,
      );
      if (fault !== 0) throw new Error(`argon2 refused its parameters: fault ${fault}`);
      return bytesAt(tag, tagLength).slice();
    } finally {
      bytesAt(input, inputLength).fill(0);
      bytesAt(tag, tagLength).fill(0);
      free(input);
      free(tag);
    }
  };
};

const KIND_NUMBERS = { argon2d: 0, argon2i: 1, argon2id: 2 };
const NO_ENCODED_FORM = 0;

type WasmFunction = (...values: number[]) => number;
const wasmFunction = z.custom<WasmFunction>((value) => typeof value === 'function');
const wasmExports = z.object({
  memory: z.instanceof(WebAssembly.Memory),
  malloc: wasmFunction,
  free: wasmFunction,
  argon2_hash: wasmFunction,
  _initialize: wasmFunction,
});
