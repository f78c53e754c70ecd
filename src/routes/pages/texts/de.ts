import type { PageTexts } from '../texts.ts';

export const de: PageTexts = {
  faultyTitle: (title) => `Fehler: ${title}`,
  checkFields: 'Bitte prüfen Sie Ihre Eingaben.',
  tryAgainIn: (wait) => `Bitte versuchen Sie es in ${wait} noch einmal.`,
  fields: {
    code: 'Code',
    email: 'E-Mail-Adresse',
    password: 'Neues Passwort',
    passwordCheck: 'Neues Passwort wiederholen',
  },
  passwordHint: 'Mindestens 8 Zeichen. Mehrere Wörter sind leicht zu merken und schwer zu erraten.',
  fieldFaults: {
    code: 'Geben Sie die sechs Ziffern des Codes ein.',
    email: 'Geben Sie eine E-Mail-Adresse ein, zum Beispiel name@example.com.',
    password: 'Geben Sie ein Passwort mit 8 bis 256 Zeichen ein.',
    passwordCheck: 'Das stimmt nicht mit dem Passwort darüber überein.',
  },
  passwordFaults: {
    too_short: 'Dieses Passwort ist zu kurz: Es muss mindestens 8 Zeichen haben.',
    too_long: 'Dieses Passwort ist zu lang: Es darf höchstens 256 Zeichen haben.',
    common: 'Dieses Passwort verwenden viele, es ist daher leicht zu erraten. Wählen Sie ein anderes.',
    context: 'Das Passwort darf nicht Ihr Name, Ihre E-Mail-Adresse oder der Name dieser Website sein.',
  },
  signIn: 'Anmelden',
  askForLink: 'Neuen Link anfordern',
  activation: {
    form: (tenant) => ({
      title: 'Konto aktivieren',
      intro: `Wählen Sie ein Passwort für Ihr Konto bei ${tenant}.`,
    }),
    submit: 'Konto aktivieren',
    done: (tenant) => ({
      title: 'Ihr Konto ist aktiviert',
      intro: `Sie können sich jetzt mit Ihrer E-Mail-Adresse und Ihrem Passwort bei ${tenant} anmelden.`,
    }),
  },
  resetRequest: {
    form: (tenant) => ({
      title: 'Passwort vergessen?',
      intro: `Geben Sie die E-Mail-Adresse Ihres Kontos bei ${tenant} ein. Wir senden Ihnen einen Link, mit dem Sie ein neues Passwort wählen.`,
    }),
    submit: 'Link senden',
    done: {
      title: 'Sehen Sie in Ihr Postfach',
      intro:
        'Wenn es ein Konto mit dieser Adresse gibt, ist eine Nachricht mit einem Link unterwegs. Der Link gilt 30 Minuten.',
    },
  },
  reset: {
    form: (tenant) => ({ title: 'Neues Passwort wählen', intro: `Für Ihr Konto bei ${tenant}.` }),
    submit: 'Passwort speichern',
    done: (tenant) => ({
      title: 'Ihr Passwort wurde geändert',
      intro: `Sie können sich jetzt damit bei ${tenant} anmelden. Überall, wo Sie angemeldet waren, sind Sie abgemeldet.`,
    }),
  },
  emailConfirmation: {
    form: (tenant) => ({
      title: 'Neue E-Mail-Adresse bestätigen',
      intro: `Sobald Sie sie bestätigen, verwendet Ihr Konto bei ${tenant} diese E-Mail-Adresse.`,
    }),
    submit: 'Adresse bestätigen',
    done: (tenant) => ({
      title: 'Ihre E-Mail-Adresse wurde geändert',
      intro: `Melden Sie sich bei ${tenant} ab jetzt mit der neuen Adresse an.`,
    }),
  },
  login: {
    form: (tenant) => ({ title: 'Anmelden', intro: `Geben Sie die E-Mail-Adresse Ihres Kontos bei ${tenant} ein.` }),
    submit: 'Weiter',
    startAgain: 'Neu beginnen',
    goOn: 'Weiter',
    code: {
      form: (tenant, email) => ({
        title: 'Code eingeben',
        intro: `Wenn ${email} ein Konto bei ${tenant} hat, ist ein Code dorthin unterwegs. Er gilt 10 Minuten.`,
      }),
      wrong: 'Der Code ist falsch, wurde schon benutzt oder ist abgelaufen.',
      submit: 'Anmelden',
    },
    provider: {
      title: 'Anmeldung bei Ihrem Unternehmen',
      intro: 'Ihr Unternehmen meldet Sie selbst an. Sie werden jetzt dorthin weitergeleitet.',
      goOn: 'Weiter zu Ihrem Unternehmen',
    },
    done: (tenant) => ({ title: 'Sie sind angemeldet', intro: `Sie sind bei ${tenant} angemeldet.` }),
    signOut: 'Abmelden',
    signedOut: (tenant) => ({ title: 'Sie sind abgemeldet', intro: `Sie haben sich bei ${tenant} abgemeldet.` }),
  },
  refusals: {
    login_failed: {
      title: 'Diese Anmeldung kann nicht weitergehen',
      intro:
        'Der Code ist falsch, wurde schon benutzt oder ist abgelaufen, oder die Anmeldung wurde in einem anderen Browser begonnen.',
    },
    login_denied: {
      title: 'Sie wurden nicht angemeldet',
      intro:
        'Sie haben dort abgebrochen, oder die Anmeldung Ihres Unternehmens kennt dieses Konto nicht. Ihre Administration hilft weiter.',
    },
    identity_provider_failed: {
      title: 'Die Anmeldung Ihres Unternehmens antwortet nicht',
      intro: 'Bitte versuchen Sie es in ein paar Minuten noch einmal.',
    },
    malformed_request: {
      title: 'Das hat nicht geklappt',
      intro: 'Wir konnten die Anfrage nicht lesen. Bitte gehen Sie zurück und versuchen Sie es noch einmal.',
    },
    payload_too_large: {
      title: 'Das war zu viel',
      intro: 'Ihre Eingabe ist zu lang. Bitte gehen Sie zurück und kürzen Sie sie.',
    },
    forbidden_origin: {
      title: 'Das kam von einer anderen Website',
      intro:
        'Zu Ihrer Sicherheit nehmen wir Eingaben nur von unseren eigenen Seiten an. Bitte öffnen Sie den Link aus der Nachricht noch einmal.',
    },
    not_found: {
      title: 'Hier ist nichts',
      intro:
        'Wenn Sie einem Link aus einer Nachricht gefolgt sind, prüfen Sie, ob er vollständig ist: Manche Programme trennen lange Links.',
    },
    invalid_or_expired_code: {
      title: 'Dieser Link gilt nicht mehr',
      intro:
        'Er ist abgelaufen, wurde schon verwendet oder durch einen neueren ersetzt, oder etwas am Link oder an der Adresse stimmt nicht.',
    },
    email_taken: {
      title: 'Diese Adresse wird schon verwendet',
      intro: 'Inzwischen gibt es ein anderes Konto mit dieser E-Mail-Adresse. Es wurde nichts geändert.',
    },
    rate_limited: { title: 'Zu viele Versuche', intro: 'Das wurde zu oft versucht.' },
    storage_unavailable: {
      title: 'Im Moment nicht verfügbar',
      intro: 'Es wurde nichts geändert. Bitte versuchen Sie es gleich noch einmal.',
    },
    internal_error: {
      title: 'Etwas ist schiefgegangen',
      intro: 'Der Fehler liegt bei uns. Bitte versuchen Sie es später noch einmal.',
    },
  },
};
