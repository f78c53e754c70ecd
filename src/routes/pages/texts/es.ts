import type { PageTexts } from '../texts.ts';

export const es: PageTexts = {
  faultyTitle: (title) => `Error: ${title}`,
  checkFields: 'Compruebe lo que ha escrito.',
  tryAgainIn: (wait) => `Inténtelo de nuevo dentro de ${wait}.`,
  fields: {
    code: 'Código',
    email: 'Dirección de correo',
    password: 'Nueva contraseña',
    passwordCheck: 'Repita la nueva contraseña',
  },
  passwordHint: '8 caracteres como mínimo. Varias palabras son fáciles de recordar y difíciles de adivinar.',
  fieldFaults: {
    code: 'Escriba las seis cifras del código.',
    email: 'Escriba una dirección de correo, por ejemplo nombre@example.com.',
    password: 'Escriba una contraseña de 8 a 256 caracteres.',
    passwordCheck: 'No coincide con la contraseña de arriba.',
  },
  passwordFaults: {
    too_short: 'Esta contraseña es demasiado corta: debe tener 8 caracteres como mínimo.',
    too_long: 'Esta contraseña es demasiado larga: puede tener 256 caracteres como máximo.',
    common: 'Muchas personas usan esta contraseña y es fácil de adivinar. Elija otra.',
    context: 'La contraseña no debe ser su nombre, su dirección de correo ni el nombre de este sitio.',
  },
  signIn: 'Iniciar sesión',
  askForLink: 'Solicitar un nuevo enlace',
  activation: {
    form: (tenant) => ({
      title: 'Active su cuenta',
      intro: `Elija una contraseña para su cuenta en ${tenant}.`,
    }),
    submit: 'Activar la cuenta',
    done: (tenant) => ({
      title: 'Su cuenta está activada',
      intro: `Ya puede iniciar sesión en ${tenant} con su dirección de correo y su contraseña.`,
    }),
  },
  resetRequest: {
    form: (tenant) => ({
      title: '¿Ha olvidado su contraseña?',
      intro: `Escriba la dirección de correo de su cuenta en ${tenant}. Le enviaremos un enlace para elegir una nueva contraseña.`,
    }),
    submit: 'Enviar el enlace',
    done: {
      title: 'Consulte su correo',
      intro:
        'Si existe una cuenta con esta dirección, un mensaje con un enlace está en camino. El enlace es válido durante 30 minutos.',
    },
  },
  reset: {
    form: (tenant) => ({ title: 'Elija una nueva contraseña', intro: `Para su cuenta en ${tenant}.` }),
    submit: 'Guardar la contraseña',
    done: (tenant) => ({
      title: 'Su contraseña ha cambiado',
      intro: `Ya puede iniciar sesión en ${tenant} con ella. Se ha cerrado su sesión en todos los lugares donde estaba abierta.`,
    }),
  },
  emailConfirmation: {
    form: (tenant) => ({
      title: 'Confirme su nueva dirección de correo',
      intro: `En cuanto la confirme, su cuenta en ${tenant} usará esta dirección de correo.`,
    }),
    submit: 'Confirmar la dirección',
    done: (tenant) => ({
      title: 'Su dirección de correo ha cambiado',
      intro: `A partir de ahora, inicie sesión en ${tenant} con la nueva dirección.`,
    }),
  },
  login: {
    form: (tenant) => ({
      title: 'Iniciar sesión',
      intro: `Escriba la dirección de correo electrónico de su cuenta en ${tenant}.`,
    }),
    submit: 'Continuar',
    startAgain: 'Empezar de nuevo',
    goOn: 'Continuar',
    code: {
      form: (tenant, email) => ({
        title: 'Escriba el código',
        intro: `Si ${email} tiene una cuenta en ${tenant}, le hemos enviado un código. Es válido durante 10 minutos.`,
      }),
      wrong: 'El código es incorrecto, ya se usó o ha caducado.',
      submit: 'Iniciar sesión',
    },
    provider: {
      title: 'Inicio de sesión en su empresa',
      intro: 'Su empresa inicia la sesión por su cuenta. Ahora le llevamos allí.',
      goOn: 'Ir a su empresa',
    },
    done: (tenant) => ({ title: 'Ha iniciado sesión', intro: `Ha iniciado sesión en ${tenant}.` }),
    signOut: 'Cerrar sesión',
    signedOut: (tenant) => ({ title: 'Ha cerrado la sesión', intro: `Ha cerrado la sesión en ${tenant}.` }),
  },
  refusals: {
    login_failed: {
      title: 'Este inicio de sesión no puede continuar',
      intro: 'El código es incorrecto, ya se usó o ha caducado, o el inicio de sesión se empezó en otro navegador.',
    },
    login_denied: {
      title: 'No se ha iniciado la sesión',
      intro:
        'Lo ha cancelado allí, o el inicio de sesión de su empresa no conoce esta cuenta. Su administrador puede ayudarle.',
    },
    identity_provider_failed: {
      title: 'El inicio de sesión de su empresa no responde',
      intro: 'Vuelva a intentarlo dentro de unos minutos.',
    },
    malformed_request: {
      title: 'No ha funcionado',
      intro: 'No hemos podido leer la solicitud. Vuelva atrás e inténtelo de nuevo.',
    },
    payload_too_large: {
      title: 'Era demasiado largo',
      intro: 'Lo que ha escrito es demasiado largo. Vuelva atrás y acórtelo.',
    },
    forbidden_origin: {
      title: 'Esto venía de otro sitio',
      intro:
        'Por su seguridad, solo aceptamos lo que se escribe en nuestras propias páginas. Abra de nuevo el enlace del mensaje.',
    },
    not_found: {
      title: 'Aquí no hay nada',
      intro:
        'Si ha seguido un enlace de un mensaje, compruebe que está completo: algunos programas cortan los enlaces largos.',
    },
    invalid_or_expired_code: {
      title: 'Este enlace ya no es válido',
      intro:
        'Ha caducado, ya se ha usado o lo sustituye uno más reciente, o algo en el enlace o en la dirección no es correcto.',
    },
    email_taken: {
      title: 'Esta dirección ya está en uso',
      intro: 'Mientras tanto, otra cuenta usa esta dirección de correo. No se ha cambiado nada.',
    },
    rate_limited: { title: 'Demasiados intentos', intro: 'Ha habido demasiados intentos.' },
    storage_unavailable: {
      title: 'No disponible por el momento',
      intro: 'No se ha cambiado nada. Inténtelo de nuevo en unos instantes.',
    },
    internal_error: {
      title: 'Algo ha fallado',
      intro: 'El error es nuestro. Inténtelo de nuevo más tarde.',
    },
  },
};
