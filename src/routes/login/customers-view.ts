import type * as z from 'zod';
import type { AwsAccess, AwsSecrets } from '../../domain/aws-credentials.ts';
import type { NewPerson } from '../../domain/enrolments.ts';
import type { MemberRequest } from '../../domain/members.ts';
import type { Phone, TypedPhone } from '../../domain/phones.ts';
import type { Member, Profile } from '../../domain/profiles.ts';
import type { Signup } from '../../domain/signups.ts';
import type { customerObject, newUser, signup, userChanges, userObject } from './customers-schema.ts';

type WireAwsUser = NonNullable<z.output<typeof userObject>['aws_user']>;

/** A customer as the login surface tells it. Its address is no thing of its own here: its id is made of the customer's. */
export const viewCustomer = ({
  user: { customer },
  customerPhones,
}: Pick<Profile, 'user' | 'customerPhones'>): z.output<typeof customerObject> => ({
  id: customer.id,
  name: customer.name,
  email_address: customer.email || null,
  customer_type: customer.type,
  address: {
    id: customer.id.replace('cus_', 'adr_'),
    country: customer.country,
    address_1: customer.address,
    address_2: customer.addressLine2,
    city: customer.city,
    state_province_region: customer.region,
    zip_postal_code: customer.postalCode,
  },
  phones: customerPhones.map(viewPhone),
});

/** A user as the login surface tells it. A pending address shows until its key has expired. */
export const viewUser = ({ user, phones, awsCredentials }: Member, now: number): z.output<typeof userObject> => ({
  id: user.id,
  first_name: user.givenName,
  last_name: user.familyName,
  user_name: user.email || null,
  ...(user.pendingEmail !== null &&
    (user.pendingEmailExpiresAt ?? 0) > now && { pending_user_name: user.pendingEmail }),
  phones: phones.map(viewPhone),
  aws_user: awsCredentials && {
    id: user.id.replace('usr_', 'aws_'),
    access_key: awsCredentials.accessKey,
    cmk_id: awsCredentials.cmkId,
    region: awsCredentials.region,
    public_key: awsCredentials.publicKey,
    user_arn: awsCredentials.userArn,
  },
});

/** As `viewUser`, with what is secret of `aws_user`: for that user alone. */
export const viewUserWithSecrets = (member: Member, secrets: AwsSecrets | null, now: number) => {
  const user = viewUser(member, now);
  return { ...user, aws_user: user.aws_user && secrets && withSecrets(user.aws_user, secrets) };
};

const withSecrets = (user: WireAwsUser, { secretAccess, privateKey }: AwsSecrets): WireAwsUser => ({
  ...user,
  secret_access: secretAccess,
  private_key: privateKey,
});

const viewPhone = ({ id, number, type }: Phone) => ({ id, phone_number: number, phone_type: type });

export const readSignup = ({ customer, user }: z.output<typeof signup>): Signup => ({
  customer: {
    name: customer.name,
    email: customer.email_address,
    type: customer.customer_type,
    country: customer.address.country,
    address: customer.address.address_1,
    addressLine2: customer.address.address_2 ?? null,
    city: customer.address.city,
    region: customer.address.state_province_region,
    postalCode: customer.address.zip_postal_code,
    phones: readPhones(customer.phones ?? []),
  },
  person: readPerson(user),
});

export const readPerson = (user: z.output<typeof newUser>): NewPerson => ({
  givenName: user.first_name,
  familyName: user.last_name,
  email: user.user_name,
  phones: readPhones(user.phones ?? []),
  aws: user.aws_user ? readAwsUser(user.aws_user) : null,
});

export const readUserChanges = (user: z.output<typeof userChanges>): MemberRequest => ({
  givenName: user.first_name,
  familyName: user.last_name,
  email: user.user_name,
  phones: user.phones && readPhones(user.phones),
  aws: user.aws_user && readAwsUser(user.aws_user),
});

const readPhones = (phones: readonly { phone_number: string; phone_type: string }[]): TypedPhone[] =>
  phones.map(({ phone_number, phone_type }) => ({ number: phone_number, type: phone_type }));

const readAwsUser = (user: NonNullable<z.output<typeof newUser>['aws_user']>): AwsAccess => ({
  accessKey: user.access_key,
  secretAccess: user.secret_access,
  cmkId: user.cmk_id,
  region: user.region,
  privateKey: user.private_key,
  publicKey: user.public_key,
  userArn: user.user_arn,
});
