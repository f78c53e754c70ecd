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
};
