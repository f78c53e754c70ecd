import { dereference, type Schema, type ValidationResult, Validator, validate } from '@cfworker/json-schema';
import type { Attributes } from '../storage/schema.ts';
import { isDeeperThan } from './nesting.ts';
import type { Fault } from './refusal.ts';

export type { Attributes } from '../storage/schema.ts';

const LARGEST_BYTES = 16 * 1024;
const DEEPEST = 8;

/** What is wrong with the attributes: their size, and whatever the tenant's JSON Schema (2020-12) says of them. */
export const checkAttributes = (attributes: Attributes, schema: Attributes | null): Fault[] => {
  const deep = Object.entries(attributes).filter(([, value]) => isDeeperThan(value, DEEPEST - 1));
  if (deep.length > 0) return deep.map(([name]) => fault(name, `must nest ${DEEPEST} levels at most`));
  const bytes = new TextEncoder().encode(JSON.stringify(attributes)).length;
  if (bytes > LARGEST_BYTES)
    return [fault('', `must be at most ${LARGEST_BYTES} bytes of JSON beside the known members`)];
  if (schema === null) return [];
  // Interpreted: a Worker compiles no code at run time.
  return faultsOf(new Validator(schema, '2020-12', false).validate(attributes));
};

/**
 * As `checkAttributes`, for some of an account's attributes: each is held to what the schema says of it alone, because
 * what it says of all together depends on the others.
 */
export const checkEachAttribute = (attributes: Attributes, schema: Attributes | null): Fault[] => {
  const faults = checkAttributes(attributes, null);
  if (faults.length > 0 || schema === null) return faults;
  const whole: Schema = structuredClone(schema);
  const { properties = {}, patternProperties = {}, additionalProperties = true } = whole;
  // References lead into the whole schema still.
  const known = dereference(whole);
  return faultsOf(
    validate(attributes, { properties, patternProperties, additionalProperties }, '2020-12', known, false),
  );
};

const faultsOf = ({ errors }: ValidationResult): Fault[] => {
  const leaves = errors.filter(
    (error) => !errors.some((each) => each !== error && each.keywordLocation.startsWith(`${error.keywordLocation}/`)),
  );
  return leaves.map(({ instanceLocation, keyword, error }) => {
    const path = pathOf(instanceLocation);
    const missing = keyword === 'required' ? MISSING.exec(error)?.[1] : undefined;
    if (missing === undefined) return fault(path, error);
    return { path: path === '' ? missing : `${path}.${missing}`, code: 'required', message: 'This is required.' };
  });
};

/** The library names the member that is missing in its message alone. */
const MISSING = /^Instance does not have required property "(.*)"\.$/s;

/** What is wrong with a JSON Schema that a tenant wants to have; null when it can be used. */
export const checkSchema = (schema: Attributes): string | null => {
  try {
    const isSchema = new Validator(META_SCHEMA, '2020-12', true).validate(schema).valid;
    if (isSchema && !leadsNowhere(schema)) {
      new Validator(schema, '2020-12', false).validate({});
      return null;
    }
  } catch {
    // It could not even be read.
  }
  return 'must be a JSON Schema (2020-12) without references to other documents';
};

/** Whether there is a reference or pattern that breaks, maybe only once a value gets there. Throws for a pattern that does. */
const leadsNowhere = (schema: Attributes): boolean => {
  const known = dereference(structuredClone(schema));
  return Object.values(known).some((each) => {
    if (typeof each === 'boolean') return false;
    for (const pattern of [each.pattern ?? '', ...Object.keys(each.patternProperties ?? {})]) new RegExp(pattern, 'u');
    return (each.$ref !== undefined && targetOf(each, known) === undefined) || comesBack(each, known, []);
  });
};

type Known = ReturnType<typeof dereference>;

const targetOf = ({ $ref = '', __absolute_ref__ = $ref }: Schema, known: Known) => known[__absolute_ref__];

/** Whether a schema applies itself to the very same value, which would never end. */
const comesBack = (schema: Schema, known: Known, from: readonly Schema[]): boolean => {
  const { allOf = [], anyOf = [], oneOf = [], dependentSchemas = {}, not, if: when, then: yes, else: no } = schema;
  const applied = [...allOf, ...anyOf, ...oneOf, ...Object.values(dependentSchemas), not, when, yes, no];
  return [...applied, targetOf(schema, known)].some(
    (each) =>
      typeof each === 'object' && (each === schema || from.includes(each) || comesBack(each, known, [...from, schema])),
  );
};

const eachOf = <Value>(names: readonly string[], value: Value): Record<string, Value> =>
  Object.fromEntries(names.map((name) => [name, value]));

const SUB_SCHEMA: Schema = { $ref: '#' };
const SUB_SCHEMAS: Schema = { type: 'object', additionalProperties: SUB_SCHEMA };
const COUNT: Schema = { type: 'integer', minimum: 0 };
const NAMES: Schema = { type: 'array', items: { type: 'string' } };
const TYPE: Schema = { enum: ['null', 'boolean', 'object', 'array', 'number', 'integer', 'string'] };

/** What a JSON Schema (2020-12) looks like, as far as it is interpreted: anything else would fail person by person. */
const META_SCHEMA: Schema = {
  type: ['object', 'boolean'],
  properties: {
    ...eachOf(['not', 'if', 'then', 'else', 'items', 'contains', 'propertyNames'], SUB_SCHEMA),
    ...eachOf(['additionalProperties', 'unevaluatedProperties', 'unevaluatedItems'], SUB_SCHEMA),
    ...eachOf(['properties', 'patternProperties', 'dependentSchemas', '$defs'], SUB_SCHEMAS),
    ...eachOf(['allOf', 'anyOf', 'oneOf', 'prefixItems'], { type: 'array', minItems: 1, items: SUB_SCHEMA }),
    ...eachOf(['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'], { type: 'number' }),
    ...eachOf(['minLength', 'maxLength', 'minItems', 'maxItems', 'minContains', 'maxContains'], COUNT),
    ...eachOf(['minProperties', 'maxProperties'], COUNT),
    ...eachOf(['$id', '$ref', '$anchor', 'format', 'pattern'], { type: 'string' }),
    multipleOf: { type: 'number', exclusiveMinimum: 0 },
    uniqueItems: { type: 'boolean' },
    enum: { type: 'array' },
    required: NAMES,
    dependentRequired: { type: 'object', additionalProperties: NAMES },
    type: { anyOf: [TYPE, { type: 'array', items: TYPE }] },
  },
};

const fault = (path: string, message: string): Fault => ({ path, code: 'invalid', message });

/** `#/a/0` as `a.0`. */
const pathOf = (pointer: string): string =>
  pointer
    .replace(/^#\/?/, '')
    .split('/')
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.');
