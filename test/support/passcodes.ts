import { expect } from 'vitest';
import { lastMailTo } from './mailbox.ts';
import type { Service } from './service.ts';
import { type AppPair, appHeaders } from './tenants.ts';

/** The passcode that a mail carries. */
export const passcodeIn = ({ text }: { text: string }): string => {
  const [passcode = ''] = /\b\d{6}\b/.exec(text) ?? [];
  expect(passcode).toHaveLength(6);
  return passcode;
};

/** Has the app mail a passcode, and reads it from the mailbox. `address` is the customer's, as it was first written. */
export const mailPasscode = async (service: Service, app: AppPair, address: string): Promise<string> => {
  const asked = await service.call('GET', `/customer/${address}/passcode`, { headers: appHeaders(app) });
  expect(asked.status).toBe(200);
  return passcodeIn(await lastMailTo(address));
};

/** As many six-digit codes that are not this one. */
export const wrongCodes = (passcode: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => String((Number(passcode) + 1 + i) % 1_000_000).padStart(6, '0'));
