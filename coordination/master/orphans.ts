// Deletes what no topology needs: payloads of submissions that never became a wish, and what is left of topologies
// whose master died while it cleaned up. A submission under way looks the same as an orphan, so only what was one at
// two looks far apart is deleted. Main thread.

import type { Clock } from '../../engine/clock.js';
import { reasonOf } from '../../engine/errors.js';
import { ORPHAN_LOOK_MS } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import { CHECKPOINTS, CLUSTER_PARAMETERS, FINALS, PARAMETERS, PAYLOADS, TOPOLOGIES, wishPath } from '../paths.js';
import { deleteFlat } from '../payload.js';
import type { Term } from '../recipes/election.js';
import { fromNode } from '../store/json-node.js';
import type { Session } from '../store/contract.js';
import { childOf, nameOf } from '../store/node-path.js';
import { pause } from '../store/signals.js';
import { isWish, type Wish } from '../topology-records.js';
import { stateIdOf, submittedOf } from '../versions.js';

export interface OrphanOptions {
  readonly session: Session;
  readonly term: Term;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Looks again and again until the signal is aborted. */
export async function sweepOrphans(
  { session, term, clock, logger }: OrphanOptions,
  signal: AbortSignal,
): Promise<void> {
  let before: ReadonlySet<string> = new Set();
  while (!signal.aborted) {
    try {
      const now = await orphans(session);
      for (const path of now) {
        if (before.has(path)) await deleteFlat(session, path, (deletes) => term.act(deletes));
      }
      before = new Set(now);
    } catch (error) {
      if (!signal.aborted) logger.debug(`orphans in the store are looked for later: ${reasonOf(error)}`);
    }
    await pause(clock, ORPHAN_LOOK_MS, signal);
  }
}

async function orphans(session: Session): Promise<readonly string[]> {
  // First what may be orphans, then who needs them: what is wished meanwhile is none.
  const directories = [PAYLOADS, CHECKPOINTS, PARAMETERS, FINALS];
  const found = await Promise.all(
    directories.map(async (directory) => (await session.children(directory)).map((id) => ({ directory, id }))),
  );
  const names = await session.children(TOPOLOGIES);
  const wishes = await Promise.all(names.map(async (name) => fromNode(await session.get(wishPath(name)), isWish)));
  const needed = new Set([nameOf(CLUSTER_PARAMETERS), ...wishes.flatMap(idsOf)]);
  return found.flat().flatMap(({ directory, id }) => (needed.has(id) ? [] : childOf(directory, id)));
}

function idsOf(wish: Wish): readonly string[] {
  return [stateIdOf(wish), ...submittedOf(wish).map(({ id }) => id)];
}
