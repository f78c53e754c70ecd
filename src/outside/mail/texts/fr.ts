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
  passwordReset: (tenant, url, minutes) => ({
    subject: `Choisissez un nouveau mot de passe pour ${tenant}`,
    intro: `Un nouveau mot de passe a été demandé pour votre compte chez ${tenant}, par vous-même nous l’espérons.`,
    action: { kind: 'link', label: 'Choisir un nouveau mot de passe', url },
    notes: [
      `Le lien est valable ${minutes} minutes et ne peut être utilisé qu’une fois.`,
      'Si ce n’était pas vous, vous pouvez ignorer ce message : votre mot de passe reste inchangé.',
    ],
  }),
  passwordChanged: (tenant) => ({
    subject: `Votre mot de passe pour ${tenant} a été modifié`,
    intro: `Le mot de passe de votre compte chez ${tenant} vient d’être modifié. Vous êtes maintenant déconnecté partout où vous étiez connecté.`,
    action: null,
    notes: ['Si ce n’était pas vous, demandez aussitôt un nouveau mot de passe et prévenez-nous.'],
  }),
  emailChange: (tenant, url, hours) => ({
    subject: `Confirmez votre nouvelle adresse e-mail pour ${tenant}`,
    intro: `Votre compte chez ${tenant} doit désormais utiliser cette adresse e-mail. Confirmez qu’elle vous appartient.`,
    action: { kind: 'link', label: 'Confirmer l’adresse', url },
    notes: [
      `Le lien est valable ${hours} heures et ne peut être utilisé qu’une fois.`,
      'Si vous ne l’avez pas demandé, vous pouvez ignorer ce message : rien ne change.',
    ],
  }),
  emailChangeNotice: (tenant) => ({
    subject: `Une nouvelle adresse e-mail pour votre compte chez ${tenant}`,
    intro: `Une autre adresse e-mail a été demandée pour votre compte chez ${tenant}, par vous-même nous l’espérons. Elle changera dès que la nouvelle adresse sera confirmée.`,
    action: null,
    notes: ['Si ce n’était pas vous, changez aussitôt votre mot de passe et prévenez-nous.'],
  }),
};
