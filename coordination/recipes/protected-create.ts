// Creates a sequential node once, though the answer may get lost: its name begins with an id of its own, so after an
// uncertain answer the children tell whether it is there. Bound to one session: a node that a former session left is
// never taken for ours. Main thread.

import type { Clock } from '../../engine/clock.js';
import { STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import type { CreateMode, Session } from '../store/contract.js';
import { childOf } from '../store/node-path.js';
import { pause } from '../store/signals.js';
import { hasCode, isPassing } from '../store/store-errors.js';

/**
 * Creates `PARENT/ID_0000000001`.
 *
 * @param id - unlike that of any other node; without `_`
 * @returns the name of the node
 * @throws what the store throws, but for passing failures, which are tried again as long as the session lasts
 */
export async function createProtected(
  session: Session,
  clock: Clock,
  parent: string,
  id: string,
  data: Uint8Array,
  mode: CreateMode & `${string}-sequential`,
): Promise<string> {
  const path = childOf(parent, `${id}_`);
  for (let unsure = false; ;) {
    try {
      if (unsure) {
        await session.sync(parent);
        const found = (await session.children(parent)).find((name) => name.startsWith(`${id}_`));
        if (found !== undefined) return found;
        unsure = false;
      }
      return (await session.create(path, data, mode)).slice(parent.length + 1);
    } catch (error) {
      if (!isPassing(error)) throw error;
      unsure ||= hasCode(error, 'MILLRACE_STORE_UNCERTAIN');
      await pause(clock, STORE_RETRY_MIN_MS, session.ended);
      session.ended.throwIfAborted();
    }
  }
}
