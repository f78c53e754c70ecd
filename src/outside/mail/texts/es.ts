import type { MailTexts } from '../mailer.ts';

export const es: MailTexts = {
  passcode: (tenant, code, minutes) => ({
    subject: `Su código de acceso para ${tenant}`,
    intro: `Utilice este código para iniciar sesión en ${tenant}:`,
    action: { kind: 'code', code },
    notes: [
      `Es válido durante ${minutes} minutos y solo se puede usar una vez.`,
      'Si no lo ha solicitado, puede ignorar este mensaje. No comparta el código con nadie.',
    ],
  }),
  activation: (tenant, url, days) => ({
    subject: `Active su cuenta en ${tenant}`,
    intro: `Se ha creado una cuenta para usted en ${tenant}. Elija una contraseña para activarla.`,
    action: { kind: 'link', label: 'Activar la cuenta', url },
    notes: [
      `El enlace es válido durante ${days} días y solo se puede usar una vez.`,
      'Si no esperaba este mensaje, puede ignorarlo: sin contraseña nadie puede iniciar sesión.',
    ],
  }),
  passwordReset: (tenant, url, minutes) => ({
    subject: `Elija una nueva contraseña para ${tenant}`,
    intro: `Se ha solicitado una nueva contraseña para su cuenta en ${tenant}, esperamos que por usted.`,
    action: { kind: 'link', label: 'Elegir una nueva contraseña', url },
    notes: [
      `El enlace es válido durante ${minutes} minutos y solo se puede usar una vez.`,
      'Si no ha sido usted, puede ignorar este mensaje: su contraseña no cambia.',
    ],
  }),
  passwordChanged: (tenant) => ({
    subject: `Su contraseña para ${tenant} ha cambiado`,
    intro: `La contraseña de su cuenta en ${tenant} acaba de cambiar. Se ha cerrado su sesión en todos los lugares donde estaba abierta.`,
    action: null,
    notes: ['Si no ha sido usted, solicite enseguida una nueva contraseña y avísenos.'],
  }),
  emailChange: (tenant, url, hours) => ({
    subject: `Confirme su nueva dirección de correo para ${tenant}`,
    intro: `Su cuenta en ${tenant} usará a partir de ahora esta dirección de correo. Confirme que es suya.`,
    action: { kind: 'link', label: 'Confirmar la dirección', url },
    notes: [
      `El enlace es válido durante ${hours} horas y solo se puede usar una vez.`,
      'Si no lo ha solicitado, puede ignorar este mensaje: nada cambia.',
    ],
  }),
  emailChangeNotice: (tenant) => ({
    subject: `Una nueva dirección de correo para su cuenta en ${tenant}`,
    intro: `Se ha solicitado otra dirección de correo para su cuenta en ${tenant}, esperamos que por usted. Cambiará cuando se confirme la nueva dirección.`,
    action: null,
    notes: ['Si no ha sido usted, cambie enseguida su contraseña y avísenos.'],
  }),
};
