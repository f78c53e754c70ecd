import { describe, expect, it } from 'vitest';
import { describeBearer } from '../../support/bearer-contract.ts';
import { nameOf, routesWith, servedRoutes } from '../../support/routes.ts';

const routes = (await routesWith('bearer')).filter(({ template }) => template.startsWith('/customers/'));

/** The routes of contract 3 that are for whoever is not signed in, or cannot be. */
const OPEN = [
  'POST /customers/activate',
  'POST /customers/do_reset',
  'POST /customers/login',
  'POST /customers/newemail_confirm',
  'POST /customers/password_reset',
];

describe('the account surface', () => {
  it('wants an access token for every route but those of somebody who has none', () => {
    expect([...routes.map(nameOf), ...OPEN].toSorted()).toEqual(servedRoutes('/customers'));
  });
});

for (const route of routes) describeBearer(route);
