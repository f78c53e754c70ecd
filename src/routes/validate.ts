import { zValidator } from '@hono/zod-validator';
import type { ValidationTargets } from 'hono';
import { validator } from 'hono/validator';
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
  const validated = zValidator(target, schema, (result) => {
    if (result.success) return;
    throw new Refusal('validation_failed', {
      faults: faultsIn(result.error, result.data),
    });
  });
  const options = target === 'form' ? { media: 'application/x-www-form-urlencoded' } : {};
  return Object.assign(validated, { [uniqueSymbol]: { target, ...resolver(schema), options } });
};

/** As `valid`, for a JSON body that can be left out: there is nothing that it has to say. */
export const validIfSent = <Schema extends z.ZodType>(schema: Schema) => {
  const requestBody = { required: false, content: { 'application/json': { schema: resolver(schema) } } };
  return Object.assign(valid('json', schema), { [uniqueSymbol]: { spec: { requestBody } } });
};

/** As `valid`, for a body of which more is found out before all faults are told: gives what of it is valid, and them. */
export const validInPart = <Schema extends z.ZodObject>(schema: Schema) =>
  Object.assign(
    validator('json', (body) => readValid(schema, body)),
    { [uniqueSymbol]: { target: 'json', ...resolver(schema), options: {} } },
  );

/**
 * The members that are valid, and what is wrong with the others. In several turns: what is wrong between members shows
 * when each of them is right.
 */
export const readValid = <Schema extends z.ZodObject>(
  schema: Schema,
  body: object,
): { members: z.output<Schema>; faults: Fault[] } => {
  const { success, data, error } = schema.safeParse(body);
  if (success) return { members: data, faults: [] };
  const faults = faultsIn(error, body);
  const wrong = new Set(error.issues.flatMap(membersIn));
  const others = Object.entries(body).filter(([name]) => !wrong.has(name));
  if (others.length === Object.keys(body).length) throw new Refusal('validation_failed', { faults });
  const rest = readValid(schema, Object.fromEntries(others));
  return { members: rest.members, faults: [...faults, ...rest.faults] };
};

const membersIn = (issue: z.core.$ZodIssue): PropertyKey[] =>
  issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : issue.path.slice(0, 1);

/** What is wrong with an input, by the error that a schema has told of it. */
const faultsIn = ({ issues }: z.core.$ZodError, input: unknown): Fault[] =>
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
