// What a spout task does with the trees of its tuples: opens them in its ledger, has what finds no room there wait
// unsent, in order, and tells the spout when they have ended, never inside of a call of it. On the worker's thread.
//
//   room in the ledger ─► open: begin in the ledger, send, close the opening
//   none               ─► keep: unsent, and all that is emitted later behind it

import type { EndedReceiver, Ledger } from '../ack/ledger.js';
import { Root } from '../ack/root.js';
import { LOST, taskFailure } from '../ack/tree-failure.js';
import type { Timer } from '../clock.js';
import type { TreeFailure } from '../component/spout.js';
import type { Values } from '../component/tuple.js';
import { sameCopy } from './same-copy.js';
import type { TaskSetup } from './dealer.js';
import { FAILED, OPEN_TREES, QUEUED, STALE } from '../metrics/counters.js';
import { checkOverrun } from './emit-errors.js';
import { NOT_ACTIVE } from './gate.js';
import type { Output } from './output.js';
import { NO_TASK } from './task-host.js';
import type * as tasks from './task.js';
import type { Accumulator } from './task-tuple.js';
import { UnsentQueue } from './unsent.js';

const { Task } = await sameCopy<typeof tasks>('./task.js', import.meta.url);

export abstract class RootingTask extends Task implements EndedReceiver {
  readonly ledger: Ledger;
  protected readonly unsent = new UnsentQueue();
  private readonly tracking: boolean;
  /** The XOR of the edges that the tree which is being opened has so far. */
  private readonly opening: Accumulator = { accHi: 0, accLo: 0 };
  private expiry: Timer | null = null;
  private stalePublished = 0;

  constructor(setup: TaskSetup, ledger: Ledger, tracking: boolean) {
    super(setup);
    this.ledger = ledger;
    this.tracking = tracking;
  }

  /** There is an `ack` or `fail` to call, or room again for what waits unsent, or a count to tell. */
  get hasNews(): boolean {
    return this.ledger.ended > 0 || this.ledger.stale !== this.stalePublished;
  }

  abstract treeEnded(id: unknown, failure: TreeFailure | null): void;

  /** All that is open fails, and what waits for room in the ledger with it. */
  protected giveUp(): void {
    while (this.unsent.waiting > 0) {
      const { output, values, id } = this.unsent.shift();
      if (this.opensTree(id)) this.ledger.addEnded(id, LOST);
      else this.sendUntracked(output, values, id);
    }
    this.failOpen();
  }

  /**
   * Its instance is closed next: it hears of what has ended, and of nothing more; what is open begins anew elsewhere.
   */
  forget(): void {
    this.hearEnded();
    while (this.unsent.waiting > 0) {
      const { output, values, id } = this.unsent.shift();
      if (this.opensTree(id)) continue;
      output.keptBack(-1);
      try {
        this.sendUntracked(output, values, undefined);
      } catch (error) {
        this.report('nextTuple', error);
      }
    }
    this.ledger.failAll();
    this.ledger.takeEnded({ treeEnded: () => this.count(FAILED) });
  }

  /** Writes how many trees are open, and what waits, into its row of counters. */
  protected publish(): void {
    this.counters[this.row + OPEN_TREES] = this.ledger.open;
    this.counters[this.row + QUEUED] = this.unsent.waiting;
    this.counters[this.row + STALE]! += this.ledger.stale - this.stalePublished;
    this.stalePublished = this.ledger.stale;
  }

  stopTimers(): void {
    this.expiry?.cancel();
  }

  /** Tuples may be lost: every open tree fails. */
  failOpen(): void {
    this.ledger.failAll();
    this.tellEnded();
  }

  /** Calls `ack` and `fail` of the spout for trees that ended outside of any call of it. */
  private tellEnded(): void {
    if ((this.gate & NOT_ACTIVE) === 0) this.hearEnded();
    this.host.schedule(this);
  }

  private hearEnded(): void {
    const { callStack } = this.host;
    callStack[1] = this.task;
    this.ledger.takeEnded(this);
    callStack[1] = NO_TASK;
  }

  protected opensTree(id: unknown): boolean {
    return this.tracking && id !== undefined && id !== null;
  }

  /** It waits unsent for room in the ledger, or until the spout is asked again. */
  protected keep(output: Output, values: Values, id: unknown): void {
    output.keptBack(1);
    checkOverrun(this.component, this.host.limits, this.unsent.waiting, this.unsent.bytes);
    this.unsent.push(output, values, id, this.measure(output, values));
  }

  protected open(output: Output, values: Values, id: unknown): void {
    const { ledger, opening } = this;
    ledger.begin(id);
    const root = new Root(ledger, ledger.rootHi, ledger.rootLo);
    opening.accHi = 0;
    opening.accLo = 0;
    try {
      this.send(output, values, root, opening);
    } catch (error) {
      root.fail(taskFailure(this.component, this.task, error));
      ledger.opened(0, 0);
      throw error;
    }
    ledger.opened(opening.accHi, opening.accLo);
    if (this.expiry === null && ledger.tickMs !== null && ledger.open > 0) this.watchDeadlines(ledger.tickMs);
  }

  /** Emitted without an id, or with one that counts as acked at once. */
  protected sendUntracked(output: Output, values: Values, id: unknown): void {
    this.send(output, values, null, this.opening);
    if (id !== undefined && id !== null) this.ledger.addEnded(id, null);
  }

  private watchDeadlines(tickMs: number): void {
    this.expiry = this.host.clock.after(tickMs, () => {
      this.expiry = null;
      this.ledger.expire(this.host.clock.now());
      this.tellEnded();
      if (this.ledger.open > 0) this.watchDeadlines(tickMs);
    });
  }
}
