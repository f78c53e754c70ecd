import type { Refusal } from '../../domain/refusal.ts';
import { valid } from '../validate.ts';
import { describePage } from './document.ts';
import { faultsOf } from './faults.ts';
import { EmailField, NewPasswordFields } from './fields.tsx';
import { newPages, type PageContext, typedEmail } from './group.ts';
import { Alert, Done, FaultAlert, Form, Heading } from './layout.tsx';
import { showPage } from './page.tsx';
import { address, newPasswordOfAddress } from './schema.ts';
import { viewOf } from './view.ts';

/** Where a link is asked for, and below which the mailed one leads. */
const PATH = '/reset';
const CODE_PATH = '/reset/:code';

const showRequestForm = async (c: PageContext, refusal: Refusal | null): Promise<Response> => {
  const view = viewOf(c);
  const { texts } = view;
  const { form, submit } = texts.resetRequest;
  const heading = form(c.var.services.tenant.name);
  const faults = faultsOf(view, refusal);
  return showPage(
    c,
    { title: heading.title, refusal },
    <>
      <Heading {...heading} />
      <FaultAlert text={faults?.alert} />
      <Form submit={submit}>
        <EmailField texts={texts} faults={faults} typed={await typedEmail(c)} />
      </Form>
    </>,
  );
};

const showForm = async (c: PageContext, refusal: Refusal | null): Promise<Response> => {
  const view = viewOf(c);
  const { texts } = view;
  const { form, submit } = texts.reset;
  const heading = form(c.var.services.tenant.name);
  const faults = faultsOf(view, refusal);
  return showPage(
    c,
    { title: heading.title, refusal },
    <>
      <Heading {...heading} />
      <FaultAlert text={faults?.alert}>
        {refusal?.code === 'invalid_or_expired_code' && <a href={PATH}>{texts.askForLink}</a>}
      </FaultAlert>
      <Form submit={submit}>
        <EmailField texts={texts} faults={faults} typed={await typedEmail(c)} />
        <NewPasswordFields texts={texts} faults={faults} />
      </Form>
    </>,
  );
};

/** Where a person asks for a reset mail. */
export const resetRequestPages = newPages(PATH, showRequestForm)
  .get(PATH, describePage('Ask for the address of an account'), (c) => showRequestForm(c, null))

  .post(PATH, describePage('Have a reset link mailed'), valid('form', address), async (c) => {
    await c.var.services.passwordResets.send(c.req.valid('form').email, PATH);
    const { title, intro } = viewOf(c).texts.resetRequest.done;
    return showPage(
      c,
      { title },
      <>
        <h1>{title}</h1>
        <Alert kind="good">{intro}</Alert>
      </>,
    );
  });

/** Where a reset mail leads. */
export const resetPages = newPages(CODE_PATH, showForm)
  .get(CODE_PATH, describePage('Ask for a new password'), (c) => showForm(c, null))

  .post(
    CODE_PATH,
    describePage('Replace a password', ['invalid_or_expired_code', 'weak_password']),
    valid('form', newPasswordOfAddress),
    async (c) => {
      const { email, password } = c.req.valid('form');
      await c.var.services.passwordResets.resetTo(email, c.req.param('code'), password);
      const { texts } = viewOf(c);
      const heading = texts.reset.done(c.var.services.tenant.name);
      return showPage(c, { title: heading.title }, <Done {...heading} signIn={texts.signIn} />);
    },
  );
