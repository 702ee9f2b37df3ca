// What a rebalance does to the wish of a topology, and how it is taken back when it was refused where it runs: then
// what is wished is again what runs. Main thread.

import type { TopologyDescription } from '../engine/model/describe.js';
import { checkChange } from '../engine/plan/check-change.js';
import { planTasks, type Parallelism } from '../engine/plan/plan.js';
import type { PlanChange } from '../engine/plan/replan.js';
import { wishPath } from './paths.js';
import { loadPayload } from './payload.js';
import { fromNode, toData } from './store/json-node.js';
import type { Session } from './store/contract.js';
import { hasCode } from './store/store-errors.js';
import { changesOf, isWish, type Wish } from './topology-records.js';

/**
 * The wish with that change in it; the same one when it asks for what is so already. An empty change has what runs
 * evened out over the hosts.
 *
 * @throws MILLRACE_REBALANCE_WORKERS, MILLRACE_REBALANCE_APART, MILLRACE_REBALANCE_COMPONENT,
 * MILLRACE_REBALANCE_PARALLELISM,
 *   MILLRACE_REBALANCE_TASKS
 */
export function rebalancedWish(wish: Wish, description: TopologyDescription, change: PlanChange): Wish {
  const before = planTasks(description, wish.workers, wish.parallelism);
  checkChange(description, before, change);
  // Who asks for nothing else asks for what runs to be evened out over the hosts.
  const isEvening = change.workers === undefined && change.parallelism === undefined;
  const workers = change.workers ?? wish.workers;
  const parallelism: Record<string, number> = { ...wish.parallelism };
  for (const { id, parallelism: defined } of description.components) {
    const wished = change.parallelism?.[id] ?? parallelism[id];
    if (wished === undefined || wished === defined) delete parallelism[id];
    else parallelism[id] = wished;
  }
  const tasks = planTasks(description, workers, parallelism).tasks.length;
  if (!isEvening && workers === wish.workers && isSame(parallelism, wish.parallelism ?? {})) return wish;
  return { ...wish, workers, tasks, parallelism, change: changesOf(wish) + 1 };
}

/** A rebalance that was refused, and how the topology is spread instead. */
export interface Refused {
  readonly id: string;
  readonly change: number;
  readonly workers: number;
  readonly parallelism: Parallelism;
}

/** Takes the wish for a rebalance back, unless another one was made meanwhile. */
export async function takeBack(session: Session, name: string, refused: Refused): Promise<void> {
  const { id, change, workers, parallelism } = refused;
  for (;;) {
    const node = await session.get(wishPath(name));
    const wish = fromNode(node, isWish);
    if (wish.id !== id || changesOf(wish) !== change) return;
    const { description } = await loadPayload(session, wish);
    const tasks = planTasks(description, workers, parallelism).tasks.length;
    // The number goes on: who runs it is told of what it does already, and nothing happens.
    const back: Wish = { ...wish, workers, tasks, parallelism, change: change + 1 };
    try {
      await session.set(wishPath(name), toData(back), node.stat.version);
      return;
    } catch (error) {
      if (!hasCode(error, 'MILLRACE_STORE_BAD_VERSION')) throw error;
    }
  }
}

function isSame(one: Parallelism, other: Parallelism): boolean {
  const ids = Object.keys(one);
  return ids.length === Object.keys(other).length && ids.every((id) => one[id] === other[id]);
}
