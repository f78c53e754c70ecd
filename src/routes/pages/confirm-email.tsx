import type { Refusal } from '../../domain/refusal.ts';
import { describePage } from './document.ts';
import { faultsOf } from './faults.ts';
import { newPages, type PageContext } from './group.ts';
import { Done, FaultAlert, Form, Heading } from './layout.tsx';
import { showPage, showRefusal } from './page.tsx';
import { viewOf } from './view.ts';

const showForm = async (c: PageContext, refusal: Refusal | null): Promise<Response> => {
  // Only for a while is it of any use to press the button again.
  if (refusal && refusal.code !== 'rate_limited') return showRefusal(c, refusal);
  const view = viewOf(c);
  const { form, submit } = view.texts.emailConfirmation;
  const heading = form(c.var.services.tenant.name);
  return showPage(
    c,
    { title: heading.title, refusal },
    <>
      <Heading {...heading} />
      <FaultAlert text={faultsOf(view, refusal)?.alert} />
      <Form submit={submit} />
    </>,
  );
};

const PATH = '/confirm-email/:identifier/:key';

/** Where the mail to a new address leads. It takes a press of a button, since programs follow links, too. */
export const emailConfirmationPages = newPages(PATH, showForm)
  .get(PATH, describePage('Ask for the confirmation of an email address'), (c) => showForm(c, null))

  .post(PATH, describePage('Confirm an email address', ['invalid_or_expired_code', 'email_taken']), async (c) => {
    const { identifier, key } = c.req.param();
    await c.var.services.emailChanges.confirm(identifier, key);
    const { texts } = viewOf(c);
    const heading = texts.emailConfirmation.done(c.var.services.tenant.name);
    return showPage(c, { title: heading.title }, <Done {...heading} signIn={texts.signIn} />);
  });
