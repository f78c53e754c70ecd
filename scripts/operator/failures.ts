import * as z from 'zod';

/** How a command ends. The help lists them. */
export const EXIT = { done: 0, refused: 1, wrongUsage: 2, unreachable: 3, refusedLines: 4, interrupted: 130 } as const;

/** A problem document (RFC 9457) of the service, as far as it is told. */
export const problemDocument = z.looseObject({
  status: z.number(),
  code: z.string(),
  message: z.string(),
  errors: z.array(z.object({ path: z.string(), code: z.string(), message: z.string() })).optional(),
});

export type Problem = z.infer<typeof problemDocument>;

/** The last line of a longer answer that could not be finished. */
export const failureLine = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** The service said no. */
export class ServiceRefusal extends Error {
  readonly problem: Problem;
  readonly retryAfterSeconds: number | null;

  constructor(problem: Problem, retryAfterSeconds: number | null) {
    super(problem.message);
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** No answer came, or it broke off. */
export class Unreachable extends Error {}

export const brokenOff = (failure: z.infer<typeof failureLine> | null): Unreachable =>
  new Unreachable(`The answer broke off${failure ? `: ${failure.error.message} (${failure.error.code})` : '.'}`);

/** What was typed cannot be done, or was not confirmed. */
export class WrongUsage extends Error {}

/** Ctrl-C. */
export class Interruption extends Error {}
