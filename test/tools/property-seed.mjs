// Loaded ahead of a test file (`node --import`): gives all its property tests one seed, so that a run of the tests
// repeats the one before and no build depends on luck. `npm run properties` hands in fresh ones.

import { isMainThread } from 'node:worker_threads';

const FIXED = 20_261_121;

// Threads and processes that a test starts inherit this import, and need no seed.
if (isMainThread && process.argv[1]?.endsWith('.test.js')) {
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? FIXED) });
}
