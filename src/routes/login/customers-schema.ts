import * as z from 'zod';
import { isId } from '../../crypto/ids.ts';
import { parseCountry } from '../../domain/countries.ts';
import { PHONE_TYPES, parsePhoneNumber, WRONG_NUMBER } from '../../domain/phones.ts';
import { country, emailAddress, text, textOrNull } from '../fields.ts';

/** An id that a client sends along: accepted, and not used. */
const ignoredId = z.string().max(200).nullish();

const [firstType, ...otherTypes] = PHONE_TYPES.map(({ id }) => id);

const typedPhone = z
  .strictObject({
    id: ignoredId,
    phone_number: text(40),
    phone_type: z
      .string()
      .toLowerCase()
      .pipe(z.enum([firstType ?? '', ...otherTypes], 'must be the id of a phone type')),
  })
  .meta({ id: 'TypedPhone' });

const typedPhones = z.array(typedPhone).max(10);

/** A key, as it is: of any form, with its line breaks. */
const keyOrNull = z.string().max(8192).nullable();

const awsUser = z
  .strictObject({
    id: ignoredId,
    access_key: textOrNull(200).optional(),
    secret_access: keyOrNull.optional(),
    cmk_id: textOrNull(2048).optional(),
    region: textOrNull(100).optional(),
    private_key: keyOrNull.optional(),
    public_key: keyOrNull.optional(),
    user_arn: textOrNull(2048).optional(),
  })
  .meta({ id: 'AwsUserChanges' });

const person = z.strictObject({
  id: ignoredId,
  first_name: text(100),
  last_name: text(100),
  user_name: emailAddress,
  phones: typedPhones.optional(),
  aws_user: awsUser.nullish(),
});

/** The body of `POST /v1/auth/users`. */
export const newUser = person.meta({ id: 'NewUser' });

/** The body of `PATCH /v1/auth/users/:id`: `phones` is the whole new list, a null in or for `aws_user` clears. */
export const userChanges = person.partial().meta({ id: 'UserChanges' });

/** The body of `POST /v1/auth/signup`. */
export const signup = z
  .strictObject({
    customer: z.strictObject({
      id: ignoredId,
      name: text(200),
      email_address: emailAddress,
      customer_type: text(100),
      address: z.strictObject({
        id: ignoredId,
        country,
        address_1: text(500),
        address_2: textOrNull(500).optional(),
        city: text(100),
        state_province_region: text(100),
        zip_postal_code: text(20),
      }),
      phones: typedPhones.optional(),
    }),
    user: person,
  })
  .superRefine(
    async (value, context) => {
      for (const { path, number, readIn } of readNumbers(value)) {
        if ((await parsePhoneNumber(number, readIn)) !== null) continue;
        context.addIssue({ code: 'custom', path, message: WRONG_NUMBER });
      }
    },
    // Whatever else is wrong: every fault is told at once.
    { when: () => true },
  )
  .meta({ id: 'Signup' });

/** The part of a signup that phone numbers are read by, wherever it is as it should be. */
const numbersOf = z
  .object({ phones: z.array(z.object({ phone_number: z.string() }).nullable().catch(null)) })
  .catch({ phones: [] });
const partlyValid = z.object({
  customer: numbersOf,
  user: numbersOf,
});
const addressed = z.object({ customer: z.object({ address: z.object({ country: z.string() }) }) });

/** The numbers that can be judged: with a country that is none, these are the ones that name their own. */
const readNumbers = (value: unknown) => {
  const typedCountry = addressed.safeParse(value).data?.customer.address.country ?? '';
  const readIn = parseCountry(typedCountry);
  return Object.entries(partlyValid.safeParse(value).data ?? {}).flatMap(([whose, { phones }]) =>
    phones.flatMap((phone, i) =>
      phone && (readIn !== null || phone.phone_number.startsWith('+'))
        ? [{ path: [whose, 'phones', i, 'phone_number'], number: phone.phone_number, readIn }]
        : [],
    ),
  );
};

export const emailQuestion = z.strictObject({ email_address: emailAddress });

export const signedUp = z.strictObject({ customer_id: z.string() }).meta({ id: 'SignedUp' });

const stringOrNull = z.string().nullable();

const phone = z.strictObject({ id: z.string(), phone_number: z.string(), phone_type: z.uuid() });

/** A user (contract 2), in the seed's shape. The secrets of `aws_user` are told by `GET /v1/auth/self` alone, when asked. */
export const userObject = z
  .strictObject({
    id: z.string(),
    first_name: stringOrNull,
    last_name: stringOrNull,
    user_name: z.string().nullable(),
    pending_user_name: z.string().optional(),
    phones: z.array(phone),
    aws_user: z
      .strictObject({
        id: z.string(),
        access_key: stringOrNull,
        secret_access: stringOrNull.optional(),
        cmk_id: stringOrNull,
        region: stringOrNull,
        private_key: stringOrNull.optional(),
        public_key: stringOrNull,
        user_arn: stringOrNull,
      })
      .nullable(),
  })
  .meta({ id: 'User' });

/** A customer (contract 2), in the seed's shape. */
export const customerObject = z
  .strictObject({
    id: z.string(),
    name: stringOrNull,
    email_address: z.string().nullable(),
    customer_type: stringOrNull,
    address: z.strictObject({
      id: z.string(),
      country: stringOrNull,
      address_1: stringOrNull,
      address_2: stringOrNull,
      city: stringOrNull,
      state_province_region: stringOrNull,
      zip_postal_code: stringOrNull,
    }),
    phones: z.array(phone),
  })
  .meta({ id: 'Customer' });

export const self = z.strictObject({ customer: customerObject, user: userObject }).meta({ id: 'Self' });

export const selfQuery = z.object({ include: z.literal('aws_secrets').optional() });

export const phoneTypes = z.array(z.strictObject({ id: z.uuid(), name: z.string() }));

/** The query of `GET /v1/auth/users`. */
export const userPage = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z
    .string()
    .refine((typed) => isId('usr', typed), 'must be a cursor from a Link header')
    .optional(),
});
