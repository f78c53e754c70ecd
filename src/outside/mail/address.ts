const SYNTAX = /^[^\s\p{Cc},;:<>()[\]"\\@]+@[^\s\p{Cc},;:<>()[\]"\\@]+$/u;

/** Whether a text is a bare address: not a list, a group or a name with an address, which mail libraries take apart. */
export const isMailAddress = (text: string): boolean => SYNTAX.test(text);
