const SYNTAX = /^\+[1-9]\d{1,14}$/;

/** Whether a text is one bare number in E.164, which message APIs take for nothing else: no channel, name or short code. */
export const isNumber = (text: string): boolean => SYNTAX.test(text);
