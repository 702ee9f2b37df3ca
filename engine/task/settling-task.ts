// What a bolt task does with tuples that outlive the call they came to: acks and fails them, by itself or as the bolt
// says by hand, and finds those that new tuples are anchored to. On the worker's thread.

import type { Tuple } from '../component/tuple.js';
import { TreeUnion } from '../ack/several-trees.js';
import { taskFailure } from '../ack/tree-failure.js';
import type { Root } from '../ack/root.js';
import type { TreeFailure } from '../component/spout.js';
import { failure, reasonOf } from '../errors.js';
import { TREES_PER_TUPLE_MAX } from '../limits.js';
import { ACKED as ACKED_COUNT, DUPLICATES, FAILED as FAILED_COUNT, MISUSED, STALE } from '../metrics/counters.js';
import type { BoltBehavior } from '../model/definition.js';
import type { CallTimes } from './call-times.js';
import type { EmitCall } from './emit-call.js';
import { RUNNING, Task, type TaskSetup } from './task.js';
import { ACKED, FAILED, PENDING, TaskTuple } from './task-tuple.js';

export abstract class SettlingTask extends Task {
  protected readonly behavior: BoltBehavior;
  protected readonly times: CallTimes;

  constructor(setup: TaskSetup, behavior: BoltBehavior, times: CallTimes) {
    super(setup);
    this.behavior = behavior;
    this.times = times;
  }

  ack(tuple: Tuple): void {
    this.byHand('ack', tuple, (held) => this.settle(held, ACKED));
  }

  fail(tuple: Tuple, reason: unknown): void {
    this.byHand('fail', tuple, (held) => {
      const why = reason === undefined ? 'no reason given' : reasonOf(reason);
      const error = failure('MILLRACE_TASK_FAILED_TUPLE', { component: this.component, reason: why }, { cause: reason });
      this.settleFailed(held, error);
      if (reason !== undefined) this.report('execute', error);
    });
  }

  resetTimeout(tuple: Tuple): void {
    this.byHand('resetTimeout', tuple, ({ root }) => root?.touch());
  }

  /** The tuple fails here, because of whatever was thrown. */
  protected settleFailed(tuple: TaskTuple, thrown: unknown): void {
    this.settle(tuple, FAILED, tuple.root === null ? undefined : taskFailure(this.component, this.task, thrown));
  }

  /** Ends the tuple here and tells its ledger. One that is not held leaves its edges to its emitter (`left`). */
  protected settle(tuple: TaskTuple, state: typeof ACKED | typeof FAILED, why?: TreeFailure): void {
    this.count(state === ACKED ? ACKED_COUNT : FAILED_COUNT);
    const { held, root } = tuple;
    if (held !== null) {
      held.state = state;
      if (held.timed) this.times.processed(held);
    }
    if (root === null) return;
    if (state === FAILED) {
      if (root.ledger.dead) this.count(STALE);
      else root.fail(why);
    } else if (held !== null) {
      if (root.ledger.dead) this.count(STALE);
      else root.ack(held.edgeHi ^ held.accHi, held.edgeLo ^ held.accLo);
    }
  }

  private byHand(call: string, tuple: Tuple, then: (held: TaskTuple) => void): void {
    if (!this.behavior.manualAck) throw failure('MILLRACE_TASK_MANUAL_ACK', { component: this.component, call });
    if (!(tuple instanceof TaskTuple) || tuple.held?.state !== PENDING) {
      this.count(MISUSED);
      if (call !== 'resetTimeout') this.count(DUPLICATES);
      return;
    }
    then(tuple);
    // Outside of a call nothing else would have the spout hear of it.
    if ((this.gate & RUNNING) === 0) this.host.schedule(this);
  }

  /** A tuple that this bolt still holds, or the input of the call, to anchor another one to. */
  protected anchorOf(call: EmitCall, anchor: Tuple): TaskTuple {
    if (anchor instanceof TaskTuple) {
      if (anchor.held !== null) return anchor;
      // Not held: the input of this call, or an older tuple, whose tree is only known to be open if it is the same.
      if (call.sink === call && anchor.root === call.root) return anchor;
    }
    throw this.anchorError();
  }

  /**
   * The root of a tuple that is anchored to all of these, each of which has to be pending: their trees, each once. Null
   * when none of them is tracked.
   */
  protected rootOfAll(call: EmitCall, anchors: readonly Tuple[]): Root | null {
    const union = new TreeUnion();
    for (const each of anchors) {
      const { held, root } = this.anchorOf(call, each);
      if (held !== null && held.state !== PENDING) throw this.anchorError();
      if (root !== null) union.add(root);
      if (union.size > TREES_PER_TUPLE_MAX) {
        const details = { component: this.component, trees: union.size, treesMax: TREES_PER_TUPLE_MAX };
        throw failure('MILLRACE_EMIT_TREES', details);
      }
    }
    return union.root();
  }

  protected anchorError(): Error {
    this.count(MISUSED);
    return failure('MILLRACE_EMIT_ANCHOR', { component: this.component });
  }
}
