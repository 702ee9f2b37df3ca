// Reads the value of `--wait` on the command line: what durations are everywhere, and 0 for no wait at all, which is no
// duration. Pure.

import { failure } from '../../engine/errors.js';
import { readDurationMs } from '../../engine/model/duration.js';

/**
 * The value of `--wait`: a duration, or 0 for none.
 *
 * @throws MILLRACE_CLI_USAGE
 */
export function parseWait(text: string): number {
  const waitMs = /^0+(?:ms|s|m|h|d)?$/.test(text) ? 0 : readDurationMs(/^\d+$/.test(text) ? Number(text) : text);
  if (waitMs !== null) return waitMs;
  throw failure('MILLRACE_CLI_USAGE', {
    reason: `--wait is "${text}", which is not a duration`,
    advice: 'give something like 500ms, 10s, 2m, or 0 for no wait at all',
  });
}
