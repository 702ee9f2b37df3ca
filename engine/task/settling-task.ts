// What a bolt task does with tuples that outlive the call they came to: acks and fails them, by itself or as the bolt
// says by hand, and anchors to them what it emits. On the worker's thread.

import type { Bolt } from '../component/bolt.js';
import type { EmitOptions } from '../component/emit.js';
import type { Tuple, Values } from '../component/tuple.js';
import { TreeUnion } from '../ack/several-trees.js';
import { taskFailure } from '../ack/tree-failure.js';
import type { Root } from '../ack/root.js';
import type { TreeFailure } from '../component/spout.js';
import { failure, reasonOf } from '../errors.js';
import { TREES_PER_TUPLE_MAX } from '../limits.js';
import {
  ACKED as ACKED_COUNT,
  DUPLICATES,
  EXECUTED,
  FAILED as FAILED_COUNT,
  MISUSED,
  STALE,
} from '../metrics/counters.js';
import type { BoltBehavior } from '../model/definition.js';
import { BatchCommits } from './batch-commits.js';
import type { CallTimes } from './call-times.js';
import { CallsInOrder } from './calls-in-order.js';
import { sameCopy } from './same-copy.js';
import type { EmitCall } from './emit-call.js';
import { checkOverrun } from './emit-errors.js';
import type { Output } from './output.js';
import { isPending } from './settling.js';
import type { TaskSetup } from './dealer.js';
import { COMMITTING, RUNNING } from './gate.js';
import type * as tasks from './task.js';
import { ACKED, FAILED, PENDING, TaskTuple, type Accumulator, type Held } from './task-tuple.js';

const { Task } = await sameCopy<typeof tasks>('./task.js', import.meta.url);

export abstract class SettlingTask extends Task {
  protected readonly behavior: BoltBehavior;
  protected readonly times: CallTimes;
  /** With `ordered`: the calls whose output waits for its turn. */
  protected readonly order: CallsInOrder | null;
  /** With `manualAck`: the tuples that the bolt has taken and not settled yet. */
  protected readonly heldByHand: Set<TaskTuple> | null;
  protected bolt: Bolt;
  /** Tuples that were executed and acked at once since the counts were told last. */
  protected done = 0;
  /** Those before, and all others that were executed, or with `endBatch` committed. */
  private succeeded = 0;

  protected readonly commits: BatchCommits | null;
  /** Calls that wait for their turn to emit. */
  private awaitingTurn: { readonly call: EmitCall; readonly come: () => void }[] = [];

  constructor(setup: TaskSetup, bolt: Bolt, behavior: BoltBehavior, times: CallTimes) {
    super(setup);
    this.behavior = behavior;
    this.times = times;
    this.bolt = bolt;
    this.heldByHand = behavior.manualAck ? new Set() : null;
    this.order = behavior.ordered && behavior.concurrency > 1 ? new CallsInOrder() : null;
    this.commits =
      bolt.endBatch === undefined
        ? null
        : new BatchCommits(
            () => this.bolt.endBatch!(),
            (batch, failed) => this.committed(batch, failed),
          );
  }

  ack(tuple: Tuple): void {
    // Of a task that has left the plan nothing counts any more: another one has its place.
    this.byHand('ack', tuple, (held) => this.settle(held, this.left ? FAILED : ACKED));
  }

  fail(tuple: Tuple, reason: unknown): void {
    this.byHand('fail', tuple, (held) => {
      const why = reason === undefined ? 'no reason given' : reasonOf(reason);
      const error = failure(
        'MILLRACE_TASK_FAILED_TUPLE',
        { component: this.component, reason: why },
        { cause: reason },
      );
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
    if (this.heldByHand !== null) this.heldByHand.delete(tuple);
    if (state === ACKED) {
      if (tuple.held !== null) this.tellAcked(tuple);
      return;
    }
    const { held, root } = tuple;
    if (held !== null) {
      held.state = FAILED;
      if (held.timed) this.times.processed(held);
    }
    if (root === null) return;
    if (root.ledger.dead) this.count(STALE);
    else root.fail(why);
  }

  /** A tuple that is held is done: its ledger is told. */
  protected tellAcked({ held, root }: TaskTuple): void {
    held!.state = ACKED;
    if (held!.timed) this.times.processed(held!);
    if (root === null) return;
    if (root.ledger.dead) this.count(STALE);
    else root.ack(held!.edgeHi ^ held!.accHi, held!.edgeLo ^ held!.accLo);
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

  /** Has `endBatch` called; then the acks of the batch leave. */
  commit(): void {
    this.commits?.commit();
    if (this.commits?.running === true) this.gate |= COMMITTING;
  }

  /** Resolves when no `endBatch` is under way. */
  get committing(): Promise<void> {
    return this.commits?.done ?? Promise.resolve();
  }

  /** Its call has returned, and what it emitted has left. */
  protected executed(tuple: TaskTuple): void {
    if (this.commits !== null) {
      if (this.commits.add(tuple)) this.commit();
      else this.host.scheduleCommit(this);
      return;
    }
    this.succeeded++;
    if (!this.behavior.manualAck) this.settle(tuple, ACKED);
  }

  get successes(): number {
    return this.succeeded + this.done;
  }

  override publishCounts(): void {
    super.publishCounts();
    this.counters[this.row + EXECUTED]! += this.done;
    this.counters[this.row + ACKED_COUNT]! += this.done;
    this.succeeded += this.done;
    this.done = 0;
  }

  /** What its instance has taken and not settled fails: another one takes its place. */
  giveUpHeld(): void {
    if (this.heldByHand === null || this.heldByHand.size === 0) return;
    const error = failure('MILLRACE_TASK_CLOSED', { component: this.component });
    for (const tuple of [...this.heldByHand]) this.settleFailed(tuple, error);
    this.host.schedule(this);
  }

  protected failed(tuple: TaskTuple, error: unknown): void {
    if (isPending(tuple)) this.settleFailed(tuple, error);
    this.report('execute', error);
  }

  private committed(batch: readonly TaskTuple[], failed: { readonly error: unknown } | null): void {
    this.gate &= ~COMMITTING;
    for (const tuple of batch) {
      if (!isPending(tuple)) continue;
      if (failed !== null) this.settleFailed(tuple, failed.error);
      else if (!this.behavior.manualAck) this.settle(tuple, ACKED);
    }
    if (failed === null) this.succeeded += batch.length;
    else this.report('endBatch', failed.error);
    this.callEnded();
    if (this.commits!.waiting) this.host.scheduleCommit(this);
    this.host.schedule(this);
  }

  emit(call: EmitCall, values: Values, options: EmitOptions | undefined): void {
    if (options === undefined && call.simple && this.dealAtOnce(call, values)) return;
    this.emitAnchored(call, this.checked(call, values, options), values, options);
  }

  emitDirect(call: EmitCall, task: number, values: Values, options: EmitOptions | undefined): void {
    this.emitAnchored(call, this.checkedDirect(call, task, values, options), values, options);
  }

  /** What is anchored to a tuple that is held, waits until calls before it have ended, or needs a closer look. */
  private emitAnchored(call: EmitCall, output: Output, values: Values, options: EmitOptions | undefined): void {
    let { root } = call;
    let acc = call.sink;
    if (options?.id !== undefined) throw failure('MILLRACE_EMIT_ID_IN_BOLT', { component: this.component });
    if (options?.anchor === null) {
      root = null;
    } else if (options?.anchor !== undefined) {
      const given = onlyOne(options.anchor);
      if (given === null) {
        this.emitJoined(call, output, values, options.anchor as readonly Tuple[]);
        return;
      }
      const anchor = this.anchorOf(call, given);
      root = anchor.root;
      acc = anchor.held ?? call;
    }
    if (root !== null && acc !== call && (acc as Held).state !== PENDING) throw this.anchorError();
    if (call.held === null) {
      if ((this.gate & RUNNING) === 0) this.sendOutside(output, values, root, acc);
      else this.send(output, values, root, acc);
    } else {
      output.keptBack(1);
      checkOverrun(this.component, this.host.limits, call.held.length, call.heldBytes);
      call.heldBytes += this.measure(output, values);
      call.held.push({ output, values, root, acc });
    }
  }

  /** A call emits after it has waited for something: outside of every turn, so that one is needed to tell of it. */
  private sendOutside(output: Output, values: Values, root: Root | null, acc: Accumulator): void {
    this.host.schedule(this);
    const measured = this.times.openOutside();
    try {
      this.send(output, values, root, acc);
    } finally {
      if (measured) this.times.closeOutside();
    }
  }

  /**
   * What is anchored to several tuples adds its edges to their trees at once: in each of them the edge of its anchor is
   * still open, and the same edge must not go through two anchors into one tree.
   */
  private emitJoined(call: EmitCall, output: Output, values: Values, anchors: readonly Tuple[]): void {
    // Emits of an ordered bolt leave later, when the other tuples may be settled.
    if (this.order !== null) throw this.anchorError();
    const root = this.rootOfAll(call, anchors);
    const joined: Accumulator = { accHi: 0, accLo: 0 };
    try {
      this.send(output, values, root, joined);
    } finally {
      root?.ack(joined.accHi, joined.accLo);
    }
  }

  /** Resolves when nothing holds its emits back: neither calls before it nor a full target. */
  override async ready(call: EmitCall): Promise<void> {
    if (call.open && call.held !== null && call.held.length > 0) {
      await new Promise<void>((come) => this.awaitingTurn.push({ call, come }));
    }
    await super.ready(call);
  }

  protected releaseInOrder(): void {
    this.order!.release((held) => {
      held.output.keptBack(-1);
      try {
        this.send(held.output, held.values, held.root, held.acc);
      } catch (error) {
        held.root?.fail(taskFailure(this.component, this.task, error));
        this.report('execute', error);
      }
    });
    if (this.awaitingTurn.length === 0) return;
    const waiting = this.awaitingTurn;
    this.awaitingTurn = [];
    for (const each of waiting) {
      if (each.call.held === null) each.come();
      else this.awaitingTurn.push(each);
    }
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

/** The one tuple of an anchor; null when there are several, or none. */
function onlyOne(anchor: Tuple | readonly Tuple[]): Tuple | null {
  if (!Array.isArray(anchor)) return anchor as Tuple;
  const [first] = anchor as readonly Tuple[];
  return first !== undefined && anchor.every((each) => each === first) ? first : null;
}
