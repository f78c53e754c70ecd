import type { Context } from 'hono';
import type { AppEnv } from '../../env.ts';
import { type Brand, brandOf } from './branding.ts';
import { type Language, languageOf, type PageTexts, textsOf } from './texts.ts';

/** In which language and whose colours a page is. `tenantName` is null where the tenant could not be found out. */
export type View = { language: Language; texts: PageTexts; tenantName: string | null; brand: Brand };

export const viewOf = <E extends AppEnv>(c: Context<E>): View => {
  const tenant = c.get('hostTenant')?.tenant ?? null;
  const language = languageOf(c);
  return {
    language,
    texts: textsOf(language),
    tenantName: tenant?.name ?? null,
    brand: brandOf(tenant?.branding ?? null),
  };
};
