// A process that outlives a test process and ends its ensemble: also when that was killed with signal 9, nothing stays
// behind. Its standard input is a pipe from the test process, whose end is the end of that process.
//   node guard.js DIRECTORY

import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Ensemble } from '../../../coordination/ensemble/ensemble.js';
import { isMillraceError } from '../../../engine/errors.js';

const directory = process.argv[2]!;
for await (const _ of process.stdin);
try {
  await (await Ensemble.open(directory)).destroy();
} catch (error) {
  // The test has taken everything away, or nothing was started.
  if (!isMillraceError(error) || error.code !== 'MILLRACE_ENSEMBLE_UNKNOWN') throw error;
}
await rm(dirname(directory), { recursive: true, force: true });
