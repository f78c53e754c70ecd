import { env } from 'cloudflare:workers';
import { expect, vi } from 'vitest';
import type { ScriptedAnswer, ScriptedRequest } from '../peers/scripted.ts';
import { uniqueName } from './tenants.ts';

const { scripted, control } = env.TEST_IDENTITY_PROVIDERS;

/** A path of the scripted server that no other test has, with all paths below it. */
export const newScriptedPath = () => {
  const path = `/${uniqueName('scripted')}`;
  const log = async (below = ''): Promise<{ requests: ScriptedRequest[]; open: number }> =>
    (await fetch(control + path + below)).json();
  return {
    url: scripted + path,
    answer: async (answer: ScriptedAnswer, below = ''): Promise<void> => {
      await fetch(control + path + below, { method: 'PUT', body: JSON.stringify(answer) });
    },
    requests: async (below = ''): Promise<ScriptedRequest[]> => (await log(below)).requests,
    /** Waits until so many answers are on their way. */
    untilOpen: (count: number, below = ''): Promise<void> =>
      vi.waitFor(async () => expect((await log(below)).open).toBe(count), { timeout: 5000, interval: 20 }),
  };
};

const JSON_TYPE = { 'Content-Type': 'application/json' };

/** An answer with a JSON body. */
export const jsonAnswer = (value: unknown, answer: ScriptedAnswer = {}): ScriptedAnswer => ({
  headers: JSON_TYPE,
  body: JSON.stringify(value),
  ...answer,
});

export const htmlAnswer: ScriptedAnswer = { headers: { 'Content-Type': 'text/html' }, body: '<h1>Hello</h1>' };

/** An answer that never begins. */
export const SILENCE: ScriptedAnswer = { delayMs: 60_000 };
