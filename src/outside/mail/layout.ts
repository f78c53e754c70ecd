/** What a mail says, before it is laid out. All of it is text: nothing in it is markup. */
export type MailText = {
  subject: string;
  /** What it is about, in a sentence or two. */
  intro: string;
  /** The code to type in, or the link to follow; null where there is only something to know. */
  action: { kind: 'code'; code: string } | { kind: 'link'; label: string; url: string } | null;
  /** Until when, and what to do if one did not ask for it. */
  notes: readonly string[];
};

/** The plain text part. */
export const layOutText = ({ intro, action, notes }: MailText, tenantName: string): string =>
  [intro, ...actionText(action), ...notes, `-- \n${tenantName}`].join('\n\n');

const actionText = (action: MailText['action']): string[] => {
  if (action === null) return [];
  return [action.kind === 'code' ? action.code : `${action.label}:\n${action.url}`];
};

/** The HTML part, with everything escaped and nothing loaded from anywhere. */
export const layOutHtml = ({ subject, intro, action, notes }: MailText, tenantName: string, locale: string): string =>
  `<!doctype html>
<html lang="${locale}">
<head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head>
<body style="font-family: sans-serif; font-size: 16px; line-height: 1.5; color: #1f2328; max-width: 36em">
<p>${escapeHtml(intro)}</p>
${layOutAction(action)}
${notes.map((note) => `<p>${escapeHtml(note)}</p>`).join('\n')}
<p style="color: #59636e">${escapeHtml(tenantName)}</p>
</body>
</html>
`;

const layOutAction = (action: MailText['action']): string => {
  if (action === null) return '';
  if (action.kind === 'code') {
    return `<p style="font-size: 32px; font-weight: bold; letter-spacing: 0.1em">${escapeHtml(action.code)}</p>`;
  }
  return `<p><a href="${escapeHtml(action.url)}">${escapeHtml(action.label)}</a></p>\n<p>${escapeHtml(action.url)}</p>`;
};

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
