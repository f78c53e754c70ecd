import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

/** A text as it was taken. `from` is a number or the SID of a messaging service. */
export type ReceivedText = { to: string; from: string; body: string };

type Login = { accountSid: string; authToken: string };

const NUMBER = /^\+[1-9]\d{1,14}$/;

const SERVICE_SID = /^MG[0-9a-f]{32}$/;

const LONGEST_BODY = 1600;

/** The path that texts are posted to. */
export const messagesPath = (accountSid: string): string => `/2010-04-01/Accounts/${accountSid}/Messages.json`;

/**
 * Answers as Twilio's message API does (https://www.twilio.com/docs/messaging/api/message-resource), its error documents
 * and the numbers that its test credentials refuse included.
 */
export const createMessageApi = (
  { accountSid, authToken }: Login,
  newSid: () => string,
  take: (text: ReceivedText) => void,
) => {
  const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = await readForm(request).catch(() => null);
    // The caller broke off in the middle.
    if (form === null) return void response.destroy();
    const answer = (status: number, document: object) =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(document));
    if (request.headers.authorization !== authorization) {
      response.setHeader('WWW-Authenticate', 'Basic realm="Twilio API"');
      return void answer(401, faultOf(401, 20003, 'Authenticate'));
    }
    const path = messagesPath(accountSid);
    if (request.url !== path) return void answer(404, faultOf(404, 20404, 'The requested resource was not found'));
    if (request.method !== 'POST') return void answer(405, faultOf(405, 20004, 'Method not allowed'));
    const message = readMessage(form);
    if ('code' in message) return void answer(400, message);
    const { to, from, body } = message;
    take(message);
    const sid = newSid();
    answer(201, {
      sid,
      account_sid: accountSid,
      api_version: '2010-04-01',
      to,
      from: SERVICE_SID.test(from) ? null : from,
      messaging_service_sid: SERVICE_SID.test(from) ? from : null,
      body,
      status: 'queued',
      direction: 'outbound-api',
      date_created: new Date().toUTCString(),
      error_code: null,
      error_message: null,
      uri: path.replace('Messages.json', `Messages/${sid}.json`),
    });
  };
};

const readForm = async (request: IncomingMessage): Promise<URLSearchParams> => {
  const body = await text(request);
  const isForm = /^application\/x-www-form-urlencoded\s*(;|$)/i.test(request.headers['content-type'] ?? '');
  return new URLSearchParams(isForm ? body : '');
};

const readMessage = (form: URLSearchParams): ReceivedText | Fault => {
  const [to, body] = [form.get('To') ?? '', form.get('Body') ?? ''];
  const [number, service] = [form.get('From') ?? '', form.get('MessagingServiceSid') ?? ''];
  if (to === '') return faultOf(400, 21604, "A 'To' phone number is required.");
  if (number === '' && service === '') return faultOf(400, 21603, "A 'From' phone number is required.");
  if (body === '') return faultOf(400, 21602, 'Message body is required.');
  if (body.length > LONGEST_BODY) return faultOf(400, 21617, 'The message body exceeds the 1600 character limit.');
  if (service !== '' ? !SERVICE_SID.test(service) : !NUMBER.test(number) || number === '+15005550001') {
    return faultOf(400, 21212, "The 'From' number is not a valid phone number.");
  }
  if (!NUMBER.test(to) || to === '+15005550001') {
    return faultOf(400, 21211, "The 'To' number is not a valid phone number.");
  }
  if (to === '+15005550009') return faultOf(400, 21614, "'To' number is not a valid mobile number");
  return { to, from: service === '' ? number : service, body };
};

type Fault = { status: number; code: number; message: string; more_info: string };

const faultOf = (status: number, code: number, message: string): Fault => ({
  status,
  code,
  message,
  more_info: `https://www.twilio.com/docs/errors/${code}`,
});
