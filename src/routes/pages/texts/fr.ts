import type { PageTexts } from '../texts.ts';

export const fr: PageTexts = {
  faultyTitle: (title) => `Erreur : ${title}`,
  checkFields: 'Veuillez vérifier votre saisie.',
  tryAgainIn: (wait) => `Veuillez réessayer dans ${wait}.`,
  fields: {
    code: 'Code',
    email: 'Adresse e-mail',
    password: 'Nouveau mot de passe',
    passwordCheck: 'Répétez le nouveau mot de passe',
  },
  passwordHint: '8 caractères au moins. Plusieurs mots sont faciles à retenir et difficiles à deviner.',
  fieldFaults: {
    code: 'Saisissez les six chiffres du code.',
    email: 'Saisissez une adresse e-mail, par exemple nom@example.com.',
    password: 'Saisissez un mot de passe de 8 à 256 caractères.',
    passwordCheck: 'Ce n’est pas le même mot de passe que ci-dessus.',
  },
  passwordFaults: {
    too_short: 'Ce mot de passe est trop court : il doit avoir au moins 8 caractères.',
    too_long: 'Ce mot de passe est trop long : il peut avoir 256 caractères au plus.',
    common: 'Ce mot de passe est très répandu, donc facile à deviner. Choisissez-en un autre.',
    context: 'Le mot de passe ne doit être ni votre nom, ni votre adresse e-mail, ni le nom de ce site.',
  },
  signIn: 'Se connecter',
  askForLink: 'Demander un nouveau lien',
  activation: {
    form: (tenant) => ({
      title: 'Activez votre compte',
      intro: `Choisissez un mot de passe pour votre compte chez ${tenant}.`,
    }),
    submit: 'Activer le compte',
    done: (tenant) => ({
      title: 'Votre compte est activé',
      intro: `Vous pouvez maintenant vous connecter à ${tenant} avec votre adresse e-mail et votre mot de passe.`,
    }),
  },
  resetRequest: {
    form: (tenant) => ({
      title: 'Mot de passe oublié ?',
      intro: `Saisissez l’adresse e-mail de votre compte chez ${tenant}. Nous vous enverrons un lien pour choisir un nouveau mot de passe.`,
    }),
    submit: 'Envoyer le lien',
    done: {
      title: 'Consultez votre messagerie',
      intro:
        'S’il existe un compte avec cette adresse, un message avec un lien est en route. Le lien est valable 30 minutes.',
    },
  },
  reset: {
    form: (tenant) => ({ title: 'Choisissez un nouveau mot de passe', intro: `Pour votre compte chez ${tenant}.` }),
    submit: 'Enregistrer le mot de passe',
    done: (tenant) => ({
      title: 'Votre mot de passe a été modifié',
      intro: `Vous pouvez maintenant l’utiliser pour vous connecter à ${tenant}. Vous êtes déconnecté partout où vous étiez connecté.`,
    }),
  },
  emailConfirmation: {
    form: (tenant) => ({
      title: 'Confirmez votre nouvelle adresse e-mail',
      intro: `Dès que vous l’aurez confirmée, votre compte chez ${tenant} utilisera cette adresse e-mail.`,
    }),
    submit: 'Confirmer l’adresse',
    done: (tenant) => ({
      title: 'Votre adresse e-mail a été modifiée',
      intro: `Connectez-vous désormais à ${tenant} avec la nouvelle adresse.`,
    }),
  },
  login: {
    form: (tenant) => ({ title: 'Se connecter', intro: `Saisissez l’adresse e-mail de votre compte chez ${tenant}.` }),
    submit: 'Continuer',
    startAgain: 'Recommencer',
    goOn: 'Continuer',
    code: {
      form: (tenant, email) => ({
        title: 'Saisir le code',
        intro: `Si ${email} a un compte chez ${tenant}, un code vient d’y être envoyé. Il est valable 10 minutes.`,
      }),
      wrong: 'Le code est faux, a déjà servi ou a expiré.',
      submit: 'Se connecter',
    },
    provider: {
      title: 'Connexion auprès de votre entreprise',
      intro: 'Votre entreprise vous connecte elle-même. Vous y êtes redirigé maintenant.',
      goOn: 'Continuer vers votre entreprise',
    },
    done: (tenant) => ({ title: 'Vous êtes connecté', intro: `Vous êtes connecté à ${tenant}.` }),
    signOut: 'Se déconnecter',
    signedOut: (tenant) => ({ title: 'Vous êtes déconnecté', intro: `Vous vous êtes déconnecté de ${tenant}.` }),
  },
  refusals: {
    login_failed: {
      title: 'Cette connexion ne peut pas continuer',
      intro: 'Le code est faux, a déjà servi ou a expiré, ou la connexion a été commencée dans un autre navigateur.',
    },
    login_denied: {
      title: 'Vous n’avez pas été connecté',
      intro:
        'Vous y avez renoncé, ou la connexion de votre entreprise ne connaît pas ce compte. Votre administrateur peut vous aider.',
    },
    identity_provider_failed: {
      title: 'La connexion de votre entreprise ne répond pas',
      intro: 'Veuillez réessayer dans quelques minutes.',
    },
    malformed_request: {
      title: 'Cela n’a pas fonctionné',
      intro: 'Nous n’avons pas pu lire la demande. Veuillez revenir en arrière et réessayer.',
    },
    payload_too_large: {
      title: 'C’était trop long',
      intro: 'Votre saisie est trop longue. Veuillez revenir en arrière et la raccourcir.',
    },
    forbidden_origin: {
      title: 'Cela venait d’un autre site',
      intro:
        'Pour votre sécurité, nous n’acceptons de saisie que de nos propres pages. Veuillez rouvrir le lien du message.',
    },
    not_found: {
      title: 'Il n’y a rien ici',
      intro:
        'Si vous avez suivi un lien d’un message, vérifiez qu’il est complet : certains programmes coupent les liens longs.',
    },
    invalid_or_expired_code: {
      title: 'Ce lien n’est plus valable',
      intro:
        'Il a expiré, a déjà été utilisé ou remplacé par un plus récent, ou bien le lien ou l’adresse contient une erreur.',
    },
    email_taken: {
      title: 'Cette adresse est déjà utilisée',
      intro: 'Un autre compte utilise entre-temps cette adresse e-mail. Rien n’a été modifié.',
    },
    rate_limited: { title: 'Trop d’essais', intro: 'Il y a eu trop d’essais.' },
    storage_unavailable: {
      title: 'Indisponible pour le moment',
      intro: 'Rien n’a été modifié. Veuillez réessayer dans un instant.',
    },
    internal_error: {
      title: 'Un problème est survenu',
      intro: 'L’erreur vient de nous. Veuillez réessayer plus tard.',
    },
  },
};
