// A host may be away for a while, because it is started again: what is asked of it now and then is asked again. Main
// thread.

import { isMillraceError } from '../../engine/errors.js';
import { HOST_LOOK_MS, HOST_MISSES_MAX } from '../../engine/limits.js';
import { pause } from '../../coordination/store/signals.js';
import { UNREACHABLE } from '../client/client.js';
import type { Remote } from './remote.js';

/**
 * What the host answers; it may be away `HOST_MISSES_MAX` times, one after the other.
 *
 * @throws why it is not there; the reason of the signal
 */
export async function patiently<T>(ask: () => Promise<T>, { client, clock, output, signal }: Remote): Promise<T> {
  for (let misses = 1; ; misses++) {
    try {
      return await ask();
    } catch (error) {
      if (!isAway(error) || misses === HOST_MISSES_MAX) throw error;
      if (misses === 1) output.say(`the host at ${client.url} is away; waiting for it`);
      await pause(clock, HOST_LOOK_MS, signal);
      signal.throwIfAborted();
    }
  }
}

/** The error says that the host is not there at present. */
export function isAway(error: unknown): boolean {
  if (!isMillraceError(error)) return false;
  return (
    UNREACHABLE.includes(error.code) || ['MILLRACE_API_CLOSING', 'MILLRACE_STORE_UNAVAILABLE'].includes(error.code)
  );
}
