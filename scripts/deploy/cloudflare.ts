import * as z from 'zod';

const envelope = z.looseObject({
  success: z.boolean(),
  errors: z.array(z.looseObject({ code: z.number(), message: z.string() })).default([]),
  result: z.unknown(),
});

/** Cloudflare's API refused a call. `status` is HTTP's. */
export class CloudflareError extends Error {
  override readonly name = 'CloudflareError';
  readonly status: number;

  constructor(call: string, status: number, faults: readonly string[]) {
    super(`${call} was answered ${status}${faults.length > 0 ? `: ${faults.join('; ')}` : ''}`);
    this.status = status;
  }
}

type Call = { method?: 'GET' | 'POST' | 'PUT'; body?: object };

/** Asks Cloudflare's API, and gives the result as the schema has it. */
export interface Cloudflare {
  ask<Schema extends z.ZodType>(path: string, result: Schema, call?: Call): Promise<z.output<Schema>>;
}

/** The base URL is the one that wrangler takes, too. */
export const createCloudflare = (token: string): Cloudflare => {
  const baseUrl = process.env.CLOUDFLARE_API_BASE_URL ?? 'https://api.cloudflare.com/client/v4';
  return {
    ask: async (path, result, { method = 'GET', body } = {}) => {
      const response = await fetch(`${baseUrl}${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${token}`,
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const answer = envelope.safeParse(await response.json().catch(() => null));
      const call = `${method} ${path}`;
      if (!answer.success) throw new CloudflareError(call, response.status, ['not in the form of the API']);
      if (!response.ok || !answer.data.success) {
        const faults = answer.data.errors.map(({ code, message }) => `${message} [${code}]`);
        throw new CloudflareError(call, response.status, faults);
      }
      return result.parse(answer.data.result);
    },
  };
};
