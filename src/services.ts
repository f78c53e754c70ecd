import type { Afterwork } from './afterwork.ts';
import type { MasterKeys } from './crypto/master-key.ts';
import type { Sealer } from './crypto/sealing.ts';
import { createAccess } from './domain/access.ts';
import { createAccessTokens } from './domain/access-tokens.ts';
import { createAccounts } from './domain/accounts.ts';
import { createActivations } from './domain/activations.ts';
import { createAdmissions } from './domain/admissions.ts';
import { createApiKeys } from './domain/api-keys.ts';
import { createApps } from './domain/apps.ts';
import { createAudit, type Origin, type RecordLater } from './domain/audit.ts';
import { createAuthentications } from './domain/authentications.ts';
import { createAuthorizationCodes } from './domain/authorization-codes.ts';
import { createAwsVault } from './domain/aws-credentials.ts';
import { createChallengeAnswers } from './domain/challenge-answers.ts';
import { type ConnectionMemory, createConnections } from './domain/connections.ts';
import { createCustomers } from './domain/customers.ts';
import { createDeliveries } from './domain/deliveries.ts';
import { createEmailChanges } from './domain/email-changes.ts';
import { createEnrichment } from './domain/enrichment.ts';
import { createEnrolments } from './domain/enrolments.ts';
import { createEventLog } from './domain/event-log.ts';
import { createExports } from './domain/exports.ts';
import { createFederation } from './domain/federation.ts';
import { createFlowRuns } from './domain/flow-runs.ts';
import { createFlows } from './domain/flows.ts';
import { createHeldChanges } from './domain/held-changes.ts';
import { createImports } from './domain/imports.ts';
import { createKeyring, type KeyMemory } from './domain/keyring.ts';
import { createLimits } from './domain/limits.ts';
import { createLoginStates } from './domain/login-states.ts';
import { createLogins } from './domain/logins.ts';
import { createLogouts } from './domain/logouts.ts';
import { createMembers } from './domain/members.ts';
import { createOneTimeSecrets } from './domain/one-time-secrets.ts';
import { createPasscodes } from './domain/passcodes.ts';
import { createPasswordResets } from './domain/password-resets.ts';
import { createPasswordSignIns } from './domain/password-sign-ins.ts';
import { createProfiles } from './domain/profiles.ts';
import { createProviders, type ProviderMemory } from './domain/providers.ts';
import { createRedemptions } from './domain/redemptions.ts';
import { createSessions } from './domain/sessions.ts';
import { createSignInChallenges } from './domain/sign-in-challenges.ts';
import { createSignups } from './domain/signups.ts';
import { createSso } from './domain/sso.ts';
import { createSubscriptions } from './domain/subscriptions.ts';
import { createSupport } from './domain/support.ts';
import { createTenantAccounts } from './domain/tenant-accounts.ts';
import { createWebhookMessages } from './domain/webhook-messages.ts';
import { createWebhooks, type WebhookMemory } from './domain/webhooks.ts';
import type { OidcRelyingParty } from './outside/identity-providers/oidc.ts';
import type { ProviderCheck } from './outside/identity-providers/provider-checks.ts';
import type { SamlLoader } from './outside/identity-providers/saml.ts';
import type { createMailer } from './outside/mail/mailer.ts';
import type { Texter } from './outside/texts/texter.ts';
import type { CallReceiver } from './outside/webhooks/receivers.ts';
import { signMessage, writeSecret } from './outside/webhooks/standard-webhooks.ts';
import { createAccessStore } from './storage/access.ts';
import { createAccountStore } from './storage/accounts.ts';
import { createApiKeyStore } from './storage/api-keys.ts';
import { createAppStore } from './storage/apps.ts';
import { createChallengeStore } from './storage/challenges.ts';
import { createConnectionStore } from './storage/connections.ts';
import { createCustomerStore } from './storage/customers.ts';
import { type Database, guarded, StorageError } from './storage/database.ts';
import { createDeliveryStore } from './storage/deliveries.ts';
import { createEnrolmentStore } from './storage/enrolments.ts';
import { createEventLogStore } from './storage/event-log.ts';
import { createExportStore } from './storage/exports.ts';
import { createFlowStore } from './storage/flows.ts';
import { createHeldChangeStore } from './storage/held-changes.ts';
import { createIdentityStore } from './storage/identities.ts';
import { createImportStore } from './storage/imports.ts';
import { createRefreshTokenStore, createSecretStore } from './storage/kv.ts';
import { createLoginStateStore } from './storage/login-states.ts';
import { createMemberStore } from './storage/members.ts';
import { createPostalCodeStore } from './storage/postal-codes.ts';
import { createProfileStore } from './storage/profiles.ts';
import { createProviderStore } from './storage/providers.ts';
import type { DeliveryQueue } from './storage/queue.ts';
import { createSessionStore } from './storage/sessions.ts';
import type { SigningKeyStore } from './storage/signing-keys.ts';
import { createSubscriptionStore } from './storage/subscriptions.ts';
import { createSupportStore } from './storage/support.ts';
import { createTenantAccountStore } from './storage/tenant-accounts.ts';
import type { Tenant } from './storage/tenants.ts';
import { createUserStore } from './storage/users.ts';
import { createWebhookStore } from './storage/webhooks.ts';

export { isSecret as isWebhookSecret } from './outside/webhooks/standard-webhooks.ts';
export type { Tenant } from './storage/tenants.ts';

/**
 * What a request brings along: where it came from, where it came in, and ways to go on with work after its answer.
 * `host` is one that is known to be ours; null stands for any other.
 */
export type RequestContext = { origin: Origin; ownOrigin: string | null } & Pick<Afterwork, 'defer' | 'afterwards'>;

export type TenantServices = ReturnType<typeof createTenantServices>;

/** Whether something that was thrown means that storage did not answer as it should. */
export const isStorageFailure = (error: unknown): boolean => error instanceof StorageError;

type TenantResources = {
  tenant: Tenant;
  database: Database;
  kv: KVNamespace;
  masterKeys: MasterKeys;
  sealer: () => Promise<Sealer>;
  mailer: ReturnType<typeof createMailer>;
  /** Null: text messages are not set up. */
  texter: Texter | null;
  issuer: string;
  signingKeys: SigningKeyStore;
  keyMemory: KeyMemory;
  connectionMemory: ConnectionMemory;
  /** Whether the Worker may be told to call a URL. */
  isCallable: (url: string) => boolean;
  /** Whether a call of it would come back to us. */
  isOurs: (url: string) => boolean;
  relyingParty: OidcRelyingParty;
  providerMemory: ProviderMemory;
  checkProvider: ProviderCheck;
  webhookMemory: WebhookMemory;
  deliveryQueue: DeliveryQueue;
  callReceiver: CallReceiver;
  /** Refuses with `tenant_not_found` once the tenant is removed, of which nothing is left then. */
  requireKept: () => Promise<void>;
  request: RequestContext;
  now: () => number;
};

/** What one tenant's requests are served with: the tenant is named here, and nowhere below. */
export const createTenantServices = (resources: TenantResources) => {
  const { tenant, database, kv, masterKeys, sealer, mailer, issuer, signingKeys, isCallable, request, now } = resources;
  const tenantId = tenant.id;
  const { name: tenantName, settings, origins } = tenant;
  const { keyedHash } = masterKeys;
  const { origin, defer } = request;
  const ownOrigin = request.ownOrigin ?? issuer;
  const site = tenant.siteUrl ?? issuer;
  const audit = createAudit({ origin, now, onEntry: (entry) => deliveries.note(entry) });
  const limits = createLimits({ tenantId, settings: settings.rateLimits, keyedHash, now });
  const challenges = guarded(createChallengeStore(database, tenantId));
  const apiKeyStore = guarded(createApiKeyStore(database, tenantId));
  const customerStore = guarded(createCustomerStore(database, tenantId));
  const subscriptionStore = guarded(createSubscriptionStore(database, tenantId));
  const users = guarded(createUserStore(database, tenantId));
  const secrets = guarded(createSecretStore(kv));
  const oneTimeSecrets = createOneTimeSecrets({ tenantId, challenges, secrets, keyedHash, limits, now });
  const recordLater: RecordLater = (entry) => defer(users.record(entry));
  const redemptions = createRedemptions({ users, oneTimeSecrets, limits, audit, recordLater, origin, now });
  const activations = createActivations({ oneTimeSecrets, redemptions, mailer, audit, site, tenantName, now });
  const keyring = createKeyring({
    tenantId,
    store: signingKeys,
    sealer,
    memory: resources.keyMemory,
    audit,
    settings,
    now,
  });
  const accessTokens = createAccessTokens({ issuer, tenantId, keyring, now });
  const { lifetimes } = settings;
  const signIns = createPasswordSignIns({ users, tokens: accessTokens, limits, lifetimes, audit, origin, defer, now });
  const emailChanges = createEmailChanges({ oneTimeSecrets, redemptions, keyedHash, mailer, audit, site, defer, now });
  const vault = createAwsVault({ tenantId, sealer });
  const enrolmentStore = guarded(createEnrolmentStore(database, tenantId));
  const enrolments = createEnrolments({ store: enrolmentStore, activations, vault });
  const authorizationCodes = createAuthorizationCodes({ tenantId, challenges, secrets, keyedHash, now });
  const loginStates = createLoginStates({
    store: guarded(createLoginStateStore(database, tenantId)),
    sealer,
    now,
  });
  const sessions = createSessions({
    ...{ tenantId, accessTokens, lifetimes, keyedHash, audit, recordLater, origin, now },
    store: guarded(createSessionStore(database, tenantId)),
    refreshTokens: guarded(createRefreshTokenStore(kv, tenantId)),
  });
  const connectionStore = guarded(createConnectionStore(database, tenantId));
  const connections = createConnections({
    ...{ tenantId, sealer, audit, now },
    host: new URL(issuer).hostname,
    store: connectionStore,
    memory: resources.connectionMemory,
    isCallable,
    loadSaml,
  });
  const federation = createFederation({
    ...{ tenantId, issuer, connections, loginStates, authorizationCodes, sealer, audit, now },
    ownOrigin,
    identities: guarded(createIdentityStore(database, tenantId)),
    relyingParty: resources.relyingParty,
    loadSaml,
    record: users.record,
  });
  const ownPage = `${ownOrigin}/login`;
  const afterwards = tenant.logoutUri ?? tenant.siteUrl ?? ownPage;
  const logouts = createLogouts({ sessions, federation, afterwards });
  const logins = createLogins({
    ...{ users, loginStates, oneTimeSecrets, authorizationCodes, sessions, federation, challenges },
    ownPage,
    ...{ limits, mailer, audit, recordLater, origin, defer, now },
    redirectUris: tenant.redirectUris,
  });
  const access = createAccess({
    store: guarded(createAccessStore(database, tenantId)),
    users,
    tokens: accessTokens,
    now,
  });
  const accountStore = guarded(createAccountStore(database, tenantId));
  const providerStore = guarded(createProviderStore(database, tenantId));
  const providers = createProviders({
    ...{ tenantId, isCallable, sealer, audit, now },
    store: providerStore,
    memory: resources.providerMemory,
  });
  const tenantAccountStore = guarded(createTenantAccountStore(database, tenantId));
  const heldChanges = createHeldChanges({
    ...{ tenantId, oneTimeSecrets, keyedHash, sealer, mailer, audit, defer, now },
    store: guarded(createHeldChangeStore(database, tenantId)),
    texter: resources.texter,
  });
  const flowRuns = createFlowRuns({ accounts: accountStore, heldChanges, activations, emailChanges, defer });
  const challengeAnswers = createChallengeAnswers({
    ...{
      tenantId,
      users,
      challenges,
      heldChanges,
      flowRuns,
      oneTimeSecrets,
      limits,
      audit,
      recordLater,
      origin,
      settings,
      now,
    },
    store: tenantAccountStore,
    accounts: accountStore,
  });
  const messages = createWebhookMessages({
    ...{ slug: tenant.slug, sealer, now },
    sign: signMessage,
    callReceiver: resources.callReceiver,
  });
  const webhooks = createWebhooks({
    ...{ tenantId, messages, sealer, audit, now },
    store: guarded(createWebhookStore(database, tenantId)),
    memory: resources.webhookMemory,
    isCallable: (url) => isCallable(url) && !resources.isOurs(url),
    writeSecret,
  });
  const deliveries = createDeliveries({
    ...{ tenantId, webhooks, messages, audit, now },
    store: guarded(createDeliveryStore(database, tenantId)),
    queue: resources.deliveryQueue,
    afterwards: request.afterwards,
  });
  return {
    tenant,
    issuer,
    access,
    eventLog: createEventLog({ store: guarded(createEventLogStore(database, tenantId)) }),
    apps: createApps({ tenantId, store: guarded(createAppStore(database, tenantId)), audit, now }),
    apiKeys: createApiKeys({ tenantId, store: apiKeyStore, audit, now }),
    customers: createCustomers({ tenantId, store: customerStore, activations, sealer, keyedHash, audit, now }),
    support: createSupport({ store: guarded(createSupportStore(database, tenantId)), activations, audit, now }),
    passcodes: createPasscodes({
      ...{ tenantId, oneTimeSecrets, limits, mailer, audit, recordLater, now },
      apiKeys: apiKeyStore,
    }),
    sso: createSso({ authorizationCodes, audit }),
    connections,
    federation,
    logins,
    logouts,
    sessions,
    keyring,
    accessTokens,
    signIns,
    activations,
    emailChanges,
    passwordResets: createPasswordResets({
      ...{ users, oneTimeSecrets, redemptions, limits, mailer, audit, origin, site, origins, tenantName, defer, now },
      passphraseLifetimeSeconds: settings.resetPassphraseLifetime ?? null,
    }),
    accounts: createAccounts({
      ...{ customers: customerStore, signIns, emailChanges, mailer, audit, tenantName, defer, now },
      store: accountStore,
      subscriptions: subscriptionStore,
    }),
    profiles: createProfiles({ store: guarded(createProfileStore(database, tenantId)), vault, now }),
    signups: createSignups({ store: enrolmentStore, customers: customerStore, enrolments, limits, audit, origin, now }),
    members: createMembers({
      ...{ enrolments, emailChanges, vault, limits, audit, origin, now },
      store: guarded(createMemberStore(database, tenantId)),
    }),
    subscriptions: createSubscriptions({ store: subscriptionStore, audit }),
    webhooks,
    deliveries,
    flows: createFlows({
      ...{ tenantId, subscriptions: subscriptionStore, audit },
      store: guarded(createFlowStore(database, tenantId)),
      attributesSchema: settings.attributesSchema ?? null,
    }),
    providers,
    challengeAnswers,
    tenantAccounts: createTenantAccounts({
      ...{ heldChanges, flowRuns, oneTimeSecrets, limits, audit, origin, settings, now },
      store: tenantAccountStore,
      accounts: accountStore,
      subscriptions: subscriptionStore,
      admissions: createAdmissions({ access, users }),
      enrich: createEnrichment({ store: guarded(createPostalCodeStore(database)) }),
    }),
    imports: createImports({
      ...{ connections: connectionStore, providers: providerStore, subscriptions: subscriptionStore, now },
      store: guarded(createImportStore(database, tenantId)),
      attributesSchema: settings.attributesSchema ?? null,
      // Most of a repeated import is there already, and its entries come to nothing.
      audit: createAudit({ origin, now }),
      note: deliveries.note,
      requireKept: resources.requireKept,
    }),
    exports: createExports({ tenantId, store: guarded(createExportStore(database, tenantId)), audit }),
    authentications: createAuthentications({
      ...{ tenantId, providers, users, signIns, challengeAnswers, lifetimes, keyedHash, limits, audit, origin },
      ...{ defer, now },
      signInChallenges: createSignInChallenges({
        ...{ store: tenantAccountStore, heldChanges, limits, origin, now },
        defaults: settings.profileDefaults ?? {},
      }),
      check: resources.checkProvider,
      identities: guarded(createIdentityStore(database, tenantId)),
      tokens: accessTokens,
    }),
  };
};

const loadSaml: SamlLoader = () => import('./outside/identity-providers/saml.ts');
