// The part of the package that is used here; it has no types of its own.
declare module 'samlp' {
  import type { IncomingMessage } from 'node:http';

  type Request = IncomingMessage & { query: Record<string, string>; body: object; protocol: string };
  type Response = {
    set: (name: string, value: string) => void;
    send: (body: string | number) => void;
    redirect: (url: string) => void;
  };
  type Handler = (request: Request, response: Response, next: (error?: unknown) => void) => void;
  type Done<Value> = (error: unknown, value?: Value) => void;

  type Session = { serviceProviderId: string; sessionIndex: string; nameId: string };
  type LogoutOptions = {
    issuer: string;
    cert: string;
    key: string;
    deflate: boolean;
    protocolBinding: string;
    sessionParticipants: {
      get: (
        issuer: string,
        sessionIndices: string[],
        nameId: string,
        done: Done<Session & { serviceProviderLogoutURL: string; cert: string }>,
      ) => void;
      remove: (issuer: string, sessionIndex: string, nameId: string, done: Done<undefined>) => void;
      hasElements: () => boolean;
    };
    store: {
      save: (request: Request, state: unknown, done: Done<string>) => void;
      load: (request: Request, id: string, options: object, done: Done<unknown>) => void;
    };
  };
  type AuthnRequest = { id: string; issuer: string; destination: string; assertionConsumerServiceURL: string };

  const samlp: {
    metadata: (options: object) => Handler;
    logout: (options: LogoutOptions) => Handler;
    auth: (options: object) => Handler;
    parseRequest: (request: Request, options: { signingCert?: string }, done: Done<AuthnRequest>) => void;
    getSamlResponse: (options: object, user: object, done: Done<string>) => void;
  };
  // biome-ignore lint/style/noDefaultExport: CommonJS
  export default samlp;
}
