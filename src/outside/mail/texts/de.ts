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
  passwordReset: (tenant, url, minutes) => ({
    subject: `Wählen Sie ein neues Passwort für ${tenant}`,
    intro: `Für Ihr Konto bei ${tenant} wurde ein neues Passwort angefordert, hoffentlich von Ihnen.`,
    action: { kind: 'link', label: 'Neues Passwort wählen', url },
    notes: [
      `Der Link gilt ${minutes} Minuten und kann einmal verwendet werden.`,
      'Wenn Sie es nicht waren, können Sie diese Nachricht ignorieren: Ihr Passwort bleibt, wie es ist.',
    ],
  }),
  passwordChanged: (tenant) => ({
    subject: `Ihr Passwort für ${tenant} wurde geändert`,
    intro: `Das Passwort Ihres Kontos bei ${tenant} wurde soeben geändert. Überall, wo Sie angemeldet waren, sind Sie nun abgemeldet.`,
    action: null,
    notes: ['Wenn Sie es nicht waren, fordern Sie sofort ein neues Passwort an und sagen Sie uns Bescheid.'],
  }),
  emailChange: (tenant, url, hours) => ({
    subject: `Bestätigen Sie Ihre neue E-Mail-Adresse für ${tenant}`,
    intro: `Ihr Konto bei ${tenant} soll künftig diese E-Mail-Adresse verwenden. Bestätigen Sie, dass sie Ihnen gehört.`,
    action: { kind: 'link', label: 'Adresse bestätigen', url },
    notes: [
      `Der Link gilt ${hours} Stunden und kann einmal verwendet werden.`,
      'Wenn Sie das nicht veranlasst haben, können Sie diese Nachricht ignorieren: Es ändert sich nichts.',
    ],
  }),
  emailChangeNotice: (tenant) => ({
    subject: `Eine neue E-Mail-Adresse für Ihr Konto bei ${tenant}`,
    intro: `Für Ihr Konto bei ${tenant} soll eine andere E-Mail-Adresse verwendet werden, hoffentlich auf Ihren Wunsch. Sie ändert sich, sobald die neue Adresse bestätigt ist.`,
    action: null,
    notes: ['Wenn Sie es nicht waren, ändern Sie sofort Ihr Passwort und sagen Sie uns Bescheid.'],
  }),
};
