import { createWorker } from './worker.ts';

export default createWorker({ now: Date.now, fetch: (...request) => fetch(...request) });
