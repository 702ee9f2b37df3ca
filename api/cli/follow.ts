// Follows a topology of a host until it ends: looks now and then, and tells the progress. A host that is away for a
// while, because it was restarted, is waited for. Main thread.

import type { Clock } from '../../engine/clock.js';
import { failure, isMillraceError } from '../../engine/errors.js';
import { HOST_LOOK_MS, HOST_MISSES_MAX } from '../../engine/limits.js';
import type { Latency } from '../../engine/metrics/histogram.js';
import { UNREACHABLE, type MillraceClient } from '../client/client.js';
import type { TopologyDetails, TopologyState } from '../host/service.js';
import type { Output } from './output.js';
import { formatProgress, progressObject, Rate, totalsOf } from './progress.js';
import type { RunEnd } from './summary.js';

const LOOKS_PER_OBJECT = 2;
const NO_LATENCY: Latency = { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 };

export interface FollowOptions {
  readonly client: MillraceClient;
  readonly output: Output;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The end that a state is; null for those that are none. */
export function endOf(state: TopologyState): RunEnd | null {
  return state === 'completed' || state === 'killed' || state === 'failed' ? state : null;
}

/**
 * Resolves with the details at its end.
 *
 * @throws MILLRACE_TOPOLOGY_UNKNOWN when another topology has its name by then, and what the client throws
 */
export async function follow(details: TopologyDetails, options: FollowOptions): Promise<TopologyDetails> {
  const { output, clock, signal } = options;
  const rate = new Rate();
  let latest = details;
  for (let looks = 1; endOf(latest.state) === null; looks++) {
    await pause(clock, signal);
    latest = await look(latest, options);
    const status = { ...latest, completeLatency: latencyOf(latest) };
    const ratePerSecond = rate.next(status.seconds, totalsOf(status).executed);
    const columns = output.progressColumns;
    if (columns !== null) output.showProgress(formatProgress(status, ratePerSecond, columns));
    if (looks % LOOKS_PER_OBJECT === 0) await output.data(progressObject(status, ratePerSecond));
  }
  output.wipeProgress();
  return latest;
}

/** From emit to the end of the tree, of the spout where that takes longest. */
export function latencyOf({ components }: TopologyDetails): Latency {
  return Object.values(components)
    .filter(({ kind }) => kind === 'spout')
    .map(({ latency }) => latency)
    .reduce((worst, each) => (each.p99Ms > worst.p99Ms ? each : worst), NO_LATENCY);
}

async function look({ name, id }: TopologyDetails, options: FollowOptions): Promise<TopologyDetails> {
  const { client, output, clock, signal } = options;
  for (let misses = 1; ; misses++) {
    try {
      const details = await client.describe(name, { signal });
      if (details.id === id) return details;
      throw failure('MILLRACE_TOPOLOGY_UNKNOWN', { name: id });
    } catch (error) {
      if (!isAway(error) || misses === HOST_MISSES_MAX) throw error;
      if (misses === 1) output.say('the host is away; waiting for it');
      await pause(clock, signal);
    }
  }
}

function isAway(error: unknown): boolean {
  return isMillraceError(error) && (UNREACHABLE.includes(error.code) || error.code === 'MILLRACE_API_CLOSING');
}

async function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      timer.cancel();
      reject(signal.reason as Error);
    };
    const timer = clock.after(HOST_LOOK_MS, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    signal.addEventListener('abort', abort, { once: true });
  });
}
