// The rebalances of one run, one after the other, and who waits for which. What is asked for before the run has started
// is carried out when it has; of several that wait only the last one counts. Main thread.
//
//   add ─► waits ─► the run carries it out ─► done        refused ─► told, whoever waited hears why
//                     └─ a worker died ─► asked again

import type { RebalanceOrder, RunOrder } from '../../coordination/host/runner.js';
import { failure, isMillraceError, reasonOf } from '../../engine/errors.js';
import { pause } from '../../coordination/store/signals.js';
import type { Clock } from '../../engine/clock.js';
import { REBALANCE_TRIES_MAX, RESIZE_RETRY_MS } from '../../engine/limits.js';
import type { TopologyRun } from '../../engine/worker/topology-run.js';

/** Told how each ended: null when it was carried out. */
export type Told = (order: RebalanceOrder, error: unknown) => void;

interface Waiting {
  readonly change: number;
  readonly settle: (error: unknown) => void;
}

export class RunRebalances {
  private readonly order: Pick<RunOrder, 'name' | 'description'>;
  private readonly told: Told;
  private readonly clock: Clock;
  private readonly ending = new AbortController();
  private run: TopologyRun | null = null;
  private next: RebalanceOrder | null = null;
  private busy = false;
  private over = false;
  /** The last one that is over, and why it was refused, if it was. */
  private last: { readonly change: number; readonly error: unknown };
  private waiting: Waiting[] = [];

  constructor(order: Pick<RunOrder, 'name' | 'description' | 'change'>, clock: Clock, told: Told) {
    this.order = order;
    this.clock = clock;
    this.told = told;
    this.last = { change: order.change, error: null };
  }

  add(order: RebalanceOrder): void {
    this.next = order;
    void this.carryOut();
  }

  /** The run takes rebalances from now on. */
  started(run: TopologyRun): void {
    this.run = run;
    void this.carryOut();
  }

  /**
   * Resolves when that one, or a later one, is carried out.
   *
   * @throws why it was refused; MILLRACE_REBALANCE_ENDED; the reason of the signal
   */
  async done(change: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.last.change < change) {
      if (this.over) throw this.ended();
      await this.wait(change, signal);
    } else if (this.last.change === change && this.last.error !== null) {
      throw this.last.error as Error;
    }
  }

  /** It runs no more. */
  end(): void {
    this.over = true;
    this.ending.abort();
    for (const { settle } of this.waiting.splice(0)) settle(this.ended());
  }

  private wait(change: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const give = (): void => {
        this.waiting = this.waiting.filter((each) => each !== waiting);
        waiting.settle(signal.reason);
      };
      const waiting: Waiting = {
        change,
        settle: (error) => {
          signal.removeEventListener('abort', give);
          if (error === null) resolve();
          else reject(error instanceof Error ? error : new Error(reasonOf(error)));
        },
      };
      this.waiting.push(waiting);
      signal.addEventListener('abort', give, { once: true });
    });
  }

  private async carryOut(): Promise<void> {
    if (this.busy || this.run === null) return;
    this.busy = true;
    while (this.next !== null && !this.over) {
      const order = this.next;
      this.next = null;
      const error = await this.tryOut(this.run, order);
      if (this.over) break;
      this.last = { change: order.change, error };
      this.told(order, error);
      const done = this.waiting.filter(({ change }) => change <= order.change);
      this.waiting = this.waiting.filter(({ change }) => change > order.change);
      for (const { settle } of done) settle(error);
    }
    this.busy = false;
  }

  /** Gives why it was refused, or null. A worker that dies before all are ready is no reason to give it up. */
  private async tryOut(run: TopologyRun, { workers, parallelism }: RebalanceOrder): Promise<unknown> {
    const components = this.order.description.components.map(
      ({ id, parallelism: defined }) => [id, parallelism[id] ?? defined] as const,
    );
    for (let tries = 1; ; tries++) {
      try {
        await run.rebalance({ workers, parallelism: Object.fromEntries(components) });
        return null;
      } catch (error) {
        const code = isMillraceError(error) ? error.code : null;
        // Its spouts stand aside for another version, which may not come.
        const isLater = code === 'MILLRACE_REBALANCE_BUSY';
        if (isLater) await pause(this.clock, RESIZE_RETRY_MS, this.ending.signal);
        if (this.over) return this.ended();
        const died = code === 'MILLRACE_REBALANCE_WORKER_DIED';
        if (!isLater && (!died || tries >= REBALANCE_TRIES_MAX)) return error;
      }
    }
  }

  private ended(): Error {
    return failure('MILLRACE_REBALANCE_ENDED', { topology: this.order.name });
  }
}
