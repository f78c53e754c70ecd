import { expect } from 'vitest';

/** The passcode that a mail carries. */
export const passcodeIn = ({ text }: { text: string }): string => {
  const [passcode = ''] = /\b\d{6}\b/.exec(text) ?? [];
  expect(passcode).toHaveLength(6);
  return passcode;
};
