import * as z from 'zod';

/** A body that says nothing more. A request may as well have none. */
export const nothing = z.strictObject({});
