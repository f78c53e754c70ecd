// Stands for `zod/v4/core` in the bundle (see wrangler.toml): a library imports all of that for this one function, and
// with it the messages of zod in fifty languages.
export { toJSONSchema } from 'zod';
