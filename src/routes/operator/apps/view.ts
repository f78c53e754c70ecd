import type * as z from 'zod';
import type { AppSettings, AppWithKey, SuperCredentials } from '../../../domain/apps.ts';
import type { appChanges, appObject, newApp, superCredentials } from './schema.ts';

/** An app without its token, which is told once, when it is made. */
export const viewApp = (app: AppWithKey): z.output<typeof appObject> => ({
  id: app.id,
  name: app.name,
  superkey: app.superKey,
  permissions: app.permissions,
  platforms: app.platforms,
  query_credentials: app.acceptsQueryCredentials,
  created_at: new Date(app.createdAt).toISOString(),
  updated_at: new Date(app.updatedAt).toISOString(),
});

export const viewSuperCredentials = (pair: SuperCredentials): z.output<typeof superCredentials> => ({
  id: pair.id,
  superkey: pair.superKey,
  supertoken: pair.superToken,
});

export const readApp = ({ query_credentials, ...same }: z.output<typeof newApp>): AppSettings => ({
  ...same,
  acceptsQueryCredentials: query_credentials,
});

export const readAppChanges = ({ query_credentials, ...same }: z.output<typeof appChanges>) => ({
  ...same,
  acceptsQueryCredentials: query_credentials,
});
