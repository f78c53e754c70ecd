import type { Client } from './client.ts';
import type { Output } from './output.ts';

/** What a command works with. */
export type Context = {
  client: Client;
  output: Output;
  /** Aborted by Ctrl-C. */
  interruption: AbortSignal;
};

/** Gives the context that the options ask for. Refuses with `WrongUsage` when they lead to no service. */
export type OpenContext = () => Context;
