// Reads durations on the command line: what they are everywhere, and with `--wait` 0 for no wait at all, which is no
// duration. Pure.

import { failure } from '../../engine/errors.js';
import { readDurationMs } from '../../engine/model/duration.js';

/**
 * The value of `--wait`: a duration, or 0 for none.
 *
 * @throws MILLRACE_CLI_USAGE
 */
export function parseWait(text: string): number {
  const waitMs = /^0+(?:ms|s|m|h|d)?$/.test(text) ? 0 : durationOf(text);
  if (waitMs !== null) return waitMs;
  throw failure('MILLRACE_CLI_USAGE', {
    reason: `--wait is "${text}", which is not a duration`,
    advice: 'give something like 500ms, 10s, 2m, or 0 for no wait at all',
  });
}

/**
 * The value of `--session-timeout`.
 *
 * @throws MILLRACE_CLI_USAGE
 */
export function parseSessionTimeout(text: string): number {
  const timeoutMs = durationOf(text);
  if (timeoutMs !== null) return timeoutMs;
  throw failure('MILLRACE_CLI_USAGE', {
    reason: `--session-timeout is "${text}", which is not a duration`,
    advice: 'give something like 500ms or 10s',
  });
}

function durationOf(text: string): number | null {
  return readDurationMs(/^\d+$/.test(text) ? Number(text) : text);
}
