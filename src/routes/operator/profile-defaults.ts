import { identifyingMembers, profileDefaults as membersByDefault, TOLD_MEMBERS } from '../profile-fields.ts';

const NOBODYS_DEFAULT = [...Object.keys(identifyingMembers), ...TOLD_MEMBERS, 'challenge'];

/** What tells one account from another, and what only we can know of it, is nobody's default. */
export const profileDefaults = NOBODYS_DEFAULT.reduce(
  (schema, name) =>
    schema.refine((members) => !Object.hasOwn(members, name), {
      path: [name],
      message: 'cannot be the same for everybody',
      // Whatever else is wrong, too.
      when: ({ value }) => typeof value === 'object' && value !== null,
    }),
  membersByDefault,
);
