import type { Child } from 'hono/jsx';
import { Refusal } from '../../domain/refusal.ts';
import {
  clearRefreshToken,
  readBrowser,
  readRefreshToken,
  setBrowser,
  setRefreshToken,
} from '../../middleware/cookies.ts';
import { refuseHead } from '../../middleware/response-headers.ts';
import { valid } from '../validate.ts';
import { describePage } from './document.ts';
import { faultsOf } from './faults.ts';
import { CodeField, EmailField } from './fields.tsx';
import { newPages, type PageContext, typedEmail } from './group.ts';
import { Alert, ButtonLink, FaultAlert, Form, Heading } from './layout.tsx';
import { showPage, showRefusal } from './page.tsx';
import { RETURN, returnUrlOf } from './return.ts';
import { address, loginQuery, mailedCode, returnQuery, stateQuery } from './schema.ts';
import { viewOf } from './view.ts';

const PATH = '/login';
const CODE_PATH = '/login/code';
const DONE_PATH = '/login/done';
const LOGOUT_PATH = '/logout';

const codePathOf = (state: string): string => `${CODE_PATH}?${new URLSearchParams({ state })}`;

const startAgain = (c: PageContext): Child => <ButtonLink href={PATH}>{viewOf(c).texts.login.startAgain}</ButtonLink>;

const showAddressForm = async (c: PageContext, refusal: Refusal | null): Promise<Response> => {
  const view = viewOf(c);
  const { form, submit } = view.texts.login;
  const heading = form(c.var.services.tenant.name);
  const faults = faultsOf(view, refusal);
  return showPage(
    c,
    { title: heading.title, refusal },
    <>
      <Heading {...heading} />
      <FaultAlert text={faults?.alert} />
      <Form submit={submit}>
        <EmailField texts={view.texts} faults={faults} typed={await typedEmail(c)} />
      </Form>
    </>,
  );
};

/** Where a person signs in who has the address of an account. */
export const loginPages = newPages(PATH, showAddressForm)
  .get(
    PATH,
    describePage('Ask for the address to sign in with', [], 'On to the page for the code, with a state'),
    valid('query', loginQuery),
    async (c) => {
      const { state } = c.req.valid('query');
      return state === undefined ? showAddressForm(c, null) : c.redirect(codePathOf(state), 303);
    },
  )

  .post(
    PATH,
    describePage('Begin a sign-in', ['identity_provider_failed'], 'On to the page for the code'),
    valid('query', loginQuery),
    valid('form', address),
    async (c) => {
      const { redirect_uri: redirectUri = null } = c.req.valid('query');
      const request = { ...c.req.valid('form'), redirectUri, browser: readBrowser(c) };
      const { state, url, hasIdp, browser } = await c.var.services.logins.start(request);
      setBrowser(c, browser);
      if (!hasIdp) return c.redirect(codePathOf(state), 303);
      // Not a redirect: the policy of a page with a form would have to name wherever any provider has its pages.
      const { goOn, ...heading } = viewOf(c).texts.login.provider;
      return showPage(
        c,
        { title: heading.title, goOn: url },
        <>
          <Heading {...heading} />
          <ButtonLink href={url}>{goOn}</ButtonLink>
        </>,
      );
    },
  );

const showCodeForm = async (c: PageContext, refusal: Refusal | null): Promise<Response> => {
  const login = await c.var.services.logins.peek(c.req.query('state') ?? '', readBrowser(c));
  if (!login) return showRefusal(c, refusal ?? new Refusal('login_failed'), startAgain(c));
  const view = viewOf(c);
  const { code, startAgain: label } = view.texts.login;
  const heading = code.form(c.var.services.tenant.name, login.email);
  // The sign-in is there, and of this browser: it can only be the code.
  const isWrong = refusal?.code === 'login_failed';
  const faults = isWrong ? { alert: code.wrong, fields: { code: code.wrong } } : faultsOf(view, refusal);
  return showPage(
    c,
    { title: heading.title, refusal, formTargets: [login.redirectUri] },
    <>
      <Heading {...heading} />
      <FaultAlert text={faults?.alert} />
      <Form submit={code.submit}>
        <CodeField texts={view.texts} faults={faults} />
      </Form>
      <a href={PATH}>{label}</a>
    </>,
  );
};

/** Where a mailed code is typed in. */
export const codePages = newPages(CODE_PATH, showCodeForm)
  .get(CODE_PATH, describePage('Ask for the mailed code', ['login_failed']), valid('query', stateQuery), (c) =>
    showCodeForm(c, null),
  )

  .post(
    CODE_PATH,
    describePage('Go on with the mailed code', ['login_failed'], RETURN),
    valid('query', stateQuery),
    valid('form', mailedCode),
    async (c) => {
      const { state } = c.req.valid('query');
      const { code } = c.req.valid('form');
      const outcome = await c.var.services.logins.authorize({ code, state, browser: readBrowser(c) });
      return c.redirect(returnUrlOf(outcome), 303);
    },
  );

const showFailure = (c: PageContext, refusal: Refusal) => showRefusal(c, refusal, startAgain(c));

const showSignedIn = (c: PageContext, after: { goOn?: string } = {}): Promise<Response> => {
  const { done, signOut } = viewOf(c).texts.login;
  const { title, intro } = done(c.var.services.tenant.name);
  return showPage(
    c,
    { title, ...after },
    <>
      <h1>{title}</h1>
      <Alert kind="good">{intro}</Alert>
      <Form action={LOGOUT_PATH} submit={signOut} />
    </>,
  );
};

/** Where a sign-in ends of a tenant that has no front end of its own. */
export const returnPages = newPages(DONE_PATH, showFailure).get(
  DONE_PATH,
  describePage(
    'Sign in with the code that the browser brings back',
    ['login_failed', 'login_denied'],
    'On to the login page, without a code and a session',
  ),
  refuseHead,
  valid('query', returnQuery),
  async (c) => {
    const { code, state, error } = c.req.valid('query');
    if (error !== undefined) return showFailure(c, new Refusal('login_denied'));
    const { services } = c.var;
    const refreshToken = readRefreshToken(c);
    if (code === '' && state === '') {
      const isSignedIn = refreshToken !== null && (await services.sessions.isLiving(refreshToken));
      return isSignedIn ? showSignedIn(c) : c.redirect(PATH, 303);
    }
    const opened = await services.logins.finish({ code, state, browser: readBrowser(c), refreshToken });
    setRefreshToken(c, opened.refreshToken, services.tenant.settings.lifetimes.refreshIdle);
    // To where it can be loaded again. Not a redirect: after one from another site the cookie would not be sent along.
    return showSignedIn(c, { goOn: DONE_PATH });
  },
);

/** Where a person signs out. */
export const logoutPages = newPages(LOGOUT_PATH, showFailure).post(LOGOUT_PATH, describePage('Sign out'), async (c) => {
  const { services } = c.var;
  const url = await services.logouts.end(readRefreshToken(c));
  clearRefreshToken(c);
  const { signedOut, goOn } = viewOf(c).texts.login;
  const { title, intro } = signedOut(services.tenant.name);
  return showPage(
    c,
    { title, goOn: url },
    <>
      <h1>{title}</h1>
      <Alert kind="good">{intro}</Alert>
      <ButtonLink href={url}>{goOn}</ButtonLink>
    </>,
  );
});
