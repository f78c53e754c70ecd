import type { CustomerId, UserId } from '../crypto/ids.ts';
import type { Enrolment, EnrolmentStore } from '../storage/enrolments.ts';
import type { Activations } from './activations.ts';
import type { Actor } from './audit.ts';
import { type AwsAccess, type AwsVault, newAwsCredentials } from './aws-credentials.ts';
import type { EmailAddress } from './email.ts';
import type { Issue } from './one-time-secrets.ts';
import type { Phone, TypedPhone } from './phones.ts';
import { Refusal } from './refusal.ts';

/** A person who is to become a user. */
export type NewPerson = {
  givenName: string;
  familyName: string;
  email: EmailAddress;
  phones: readonly TypedPhone[];
  aws: AwsAccess | null;
};

/** The place of a new user. */
type Place = { id: UserId; customerId: CustomerId; isOwner: boolean; phones: readonly Phone[]; at: number };

type Dependencies = { store: EnrolmentStore; activations: Activations; vault: AwsVault };

/** How new users come to be: stored, and mailed a link to choose a password, both or neither. */
export const createEnrolments = ({ store, activations, vault }: Dependencies) => ({
  /** What is stored of a new user. */
  prepare: async (
    person: NewPerson,
    { phones, at, ...place }: Place,
  ): Promise<Pick<Enrolment, 'user' | 'phones' | 'awsCredentials'>> => ({
    user: {
      ...place,
      email: person.email.address,
      emailKey: person.email.key,
      givenName: person.givenName,
      familyName: person.familyName,
      locale: null,
      createdAt: at,
      updatedAt: at,
    },
    phones,
    awsCredentials: person.aws && newAwsCredentials(await vault.seal(place.id, person.aws), at),
  }),

  /**
   * Refuses with `email_taken`, `rate_limited` and `mail_refused`.
   *
   * @param undo removes what was stored, when the mail cannot be sent.
   */
  enrol: async (actor: Actor, enrolment: Enrolment, undo: () => Promise<unknown>): Promise<void> => {
    let isStored = Promise.resolve(false);
    const issue: Issue = async (secret) => {
      const storing = store.enrol(enrolment, secret);
      isStored = storing.then(
        ({ kind }) => kind === 'issued',
        () => false,
      );
      const outcome = await storing;
      if (outcome.kind === 'email_taken') throw new Refusal('email_taken');
      return outcome;
    };
    try {
      await activations.send(actor, enrolment.user.customerId, enrolment.user, issue);
    } catch (error) {
      // What failed can have been something else, while this was still being stored.
      if (await isStored) await undo();
      throw error;
    }
  },
});

export type Enrolments = ReturnType<typeof createEnrolments>;
