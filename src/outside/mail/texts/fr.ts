import type { MailTexts } from '../mailer.ts';

export const fr: MailTexts = {
  passcode: (tenant, code, minutes) => ({
    subject: `Votre code d’accès pour ${tenant}`,
    intro: `Utilisez ce code pour vous connecter à ${tenant} :`,
    action: { kind: 'code', code },
    notes: [
      `Il est valable ${minutes} minutes et ne peut être utilisé qu’une fois.`,
      'Si vous ne l’avez pas demandé, vous pouvez ignorer ce message. Ne communiquez ce code à personne.',
    ],
  }),
  activation: (tenant, url, days) => ({
    subject: `Activez votre compte chez ${tenant}`,
    intro: `Un compte a été créé pour vous chez ${tenant}. Choisissez un mot de passe pour l’activer.`,
    action: { kind: 'link', label: 'Activer le compte', url },
    notes: [
      `Le lien est valable ${days} jours et ne peut être utilisé qu’une fois.`,
      'Si vous n’attendiez pas ce message, vous pouvez l’ignorer : sans mot de passe, personne ne peut se connecter.',
    ],
  }),
};
