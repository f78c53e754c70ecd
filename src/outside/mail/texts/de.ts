import type { MailTexts } from '../mailer.ts';

export const de: MailTexts = {
  passcode: (tenant, code, minutes) => ({
    subject: `Ihr Zugangscode für ${tenant}`,
    intro: `Mit diesem Code melden Sie sich bei ${tenant} an:`,
    action: { kind: 'code', code },
    notes: [
      `Er gilt ${minutes} Minuten und kann einmal verwendet werden.`,
      'Wenn Sie ihn nicht angefordert haben, können Sie diese Nachricht ignorieren. Geben Sie den Code an niemanden weiter.',
    ],
  }),
  activation: (tenant, url, days) => ({
    subject: `Aktivieren Sie Ihr Konto bei ${tenant}`,
    intro: `Für Sie wurde ein Konto bei ${tenant} angelegt. Wählen Sie ein Passwort, um es zu aktivieren.`,
    action: { kind: 'link', label: 'Konto aktivieren', url },
    notes: [
      `Der Link gilt ${days} Tage und kann einmal verwendet werden.`,
      'Wenn Sie diese Nachricht nicht erwartet haben, können Sie sie ignorieren: Ohne Passwort kann sich niemand anmelden.',
    ],
  }),
};
