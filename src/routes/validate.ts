import { zValidator } from '@hono/zod-validator';
import type { ValidationTargets } from 'hono';
import { resolver, uniqueSymbol } from 'hono-openapi';
import type * as z from 'zod';
import { type Fault, Refusal } from '../domain/refusal.ts';

/**
 * Validates a part of the request, and documents it by the same schema. Refuses with `validation_failed`, naming every
 * fault at once.
 */
export const valid = <Schema extends z.ZodType, Target extends keyof ValidationTargets>(
  target: Target,
  schema: Schema,
) => {
  const validator = zValidator(target, schema, (result) => {
    if (result.success) return;
    throw new Refusal('validation_failed', {
      faults: faultsIn(result.error, result.data),
    });
  });
  const options = target === 'form' ? { media: 'application/x-www-form-urlencoded' } : {};
  return Object.assign(validator, { [uniqueSymbol]: { target, ...resolver(schema), options } });
};

/** What is wrong with an input, by the error that a schema has told of it. */
export const faultsIn = ({ issues }: z.core.$ZodError, input: unknown): Fault[] =>
  issues.flatMap((issue) => faultsOf(issue, input));

const faultsOf = (issue: z.core.$ZodIssue, input: unknown): Fault[] => {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...issue.path, key].join('.'),
      code: 'unknown_member',
      message: 'There is no such member.',
    }));
  }
  const path = issue.path.join('.');
  if (valueAt(input, issue.path) === undefined) return [{ path, code: 'required', message: 'This is required.' }];
  return [{ path, code: 'invalid', message: issue.message }];
};

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    input,
  );
