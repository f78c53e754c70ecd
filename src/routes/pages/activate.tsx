import type { Refusal } from '../../domain/refusal.ts';
import { valid } from '../validate.ts';
import { describePage } from './document.ts';
import { faultsOf } from './faults.ts';
import { NewPasswordFields } from './fields.tsx';
import { newPages, type PageContext } from './group.ts';
import { ButtonLink, Done, FaultAlert, Form, Heading } from './layout.tsx';
import { showPage, showRefusal } from './page.tsx';

import { newPassword } from './schema.ts';
import { viewOf } from './view.ts';

const showForm = async (c: PageContext, refusal: Refusal | null): Promise<Response> => {
  const view = viewOf(c);
  const { texts } = view;
  // A link that is no longer good is replaced by one that sets the password: who follows it is activated, too.
  if (refusal?.code === 'invalid_or_expired_code') {
    return showRefusal(c, refusal, <ButtonLink href="/reset">{texts.askForLink}</ButtonLink>);
  }
  const { form, submit } = texts.activation;
  const heading = form(c.var.services.tenant.name);
  const faults = faultsOf(view, refusal);
  return showPage(
    c,
    { title: heading.title, refusal },
    <>
      <Heading {...heading} />
      <FaultAlert text={faults?.alert} />
      <Form submit={submit}>
        <NewPasswordFields texts={texts} faults={faults} />
      </Form>
    </>,
  );
};

const PATH = '/activate/:identifier/:secret';

/** Where an activation mail leads. */
export const activationPages = newPages(PATH, showForm)
  .get(PATH, describePage('Ask for the password of a new account'), (c) => showForm(c, null))

  .post(
    PATH,
    describePage('Activate an account', ['invalid_or_expired_code', 'weak_password']),
    valid('form', newPassword),
    async (c) => {
      const { identifier, secret } = c.req.param();
      await c.var.services.activations.activate(identifier, secret, c.req.valid('form').password);
      const { texts } = viewOf(c);
      const heading = texts.activation.done(c.var.services.tenant.name);
      return showPage(c, { title: heading.title }, <Done {...heading} signIn={texts.signIn} />);
    },
  );
