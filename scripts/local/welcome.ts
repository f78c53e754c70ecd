import type { DemoApp } from './demo.ts';

/** What a person needs to know once all runs: the addresses, the demo app's pair, and calls to paste. */
export const welcome = (site: string, mailbox: string, texts: string, { superkey, supertoken }: DemoApp): string => {
  const credentials = `-H 'x-access-superkey: ${superkey}' -H 'x-access-supertoken: ${supertoken}'`;
  return `
  Gatehouse   ${site}
  reference   ${site}/docs
  mailbox     ${mailbox}
  texts       ${texts}
  super key   ${superkey}
  super token ${supertoken}
  operator    the token is in .dev.vars

Create a customer, have a passcode mailed to her, and trade it (it is in the mailbox) for a key and token:

curl ${site}/customer ${credentials} -H 'content-type: application/json' -d '{"company": "Acme", "email": "ada@example.com"}'

curl ${site}/customer/ada@example.com/passcode ${credentials}

curl '${site}/customer/ada@example.com/auth?passcode=PASSCODE' ${credentials}

Ctrl-C stops all of it.
`;
};
