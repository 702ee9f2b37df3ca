// One call of user code, as far as emitting is concerned: who calls, what its emits are anchored to, and whether it is
// still under way. A task has one of these and uses it again for each synchronous call, so such a call makes no
// closure. A call that turns out to be asynchronous keeps it, and the task makes itself a new one.

import type { Emit, EmitOptions } from '../component/emit.js';
import type { Values } from '../component/tuple.js';
import type { Output } from './output.js';
import type { Root } from '../ack/root.js';
import type { Accumulator, TaskTuple } from './task-tuple.js';

/** The task that emits. */
export interface Emitter {
  emit(call: EmitCall, values: Values, options: EmitOptions | undefined): void;
  emitDirect(call: EmitCall, task: number, values: Values, options: EmitOptions | undefined): void;
  ready(call: EmitCall): Promise<void>;
  /** That call asked for its signal, which is no other call's: it is not used again. */
  signalled(call: EmitCall): void;
}

/** An emit that waits for its turn, because calls before this one are still under way (`ordered`). */
export interface HeldEmit {
  readonly output: Output;
  readonly values: Values;
  readonly root: Root | null;
  readonly acc: Accumulator;
}

/** Where an `emit` keeps the call that it belongs to. */
const CALL = Symbol('call');
const SIGNAL: PropertyDescriptor & ThisType<{ readonly [CALL]: EmitCall }> = {
  get() {
    return this[CALL].signal;
  },
};

export class EmitCall implements Accumulator {
  /** The tree of what the call works on; null when that is not tracked, in a tick, at the end and in a spout. */
  root: Root | null = null;
  /** The XOR of the edges that this call made, while its input is not held. */
  accHi = 0;
  accLo = 0;
  /** Where the edges of what it emits go: its held input, or the call itself. */
  sink: Accumulator = this;
  /** Emits are accepted. */
  open = false;
  /** Emits are kept here until the calls before this one have ended; null: they leave at once. */
  held: HeldEmit[] | null = null;
  /** What was kept, as estimated. */
  heldBytes = 0;
  /** When it began, if it is one that is measured and that outlives its call. */
  timedFromMs: number | null = null;
  /** When it is not waited for any longer, if it has such a time. */
  dueMs = 0;
  /** That time is over. */
  timedOut = false;
  private abortedFor: Error | undefined;
  /** Aborts what the call waits for; made when it is asked for. */
  private controller: AbortController | null = null;
  private readonly emitter: Emitter;
  /** How often its task had begun to let go (hand-over.ts) when the call turned out to be asynchronous. */
  lettingGo = 0;
  readonly emit: Emit;

  constructor(emitter: Emitter) {
    const emit = (values: Values, options?: EmitOptions): void => emitter.emit(this, values, options);
    const direct = (task: number, values: Values, options?: EmitOptions): void =>
      emitter.emitDirect(this, task, values, options);
    this.emitter = emitter;
    const whole = Object.assign(emit, { direct, ready: () => emitter.ready(this), [CALL]: this });
    // One getter for all of them: a getter of its own would give each `emit` a shape of its own.
    this.emit = Object.defineProperty(whole, 'signal', SIGNAL) as unknown as Emit;
  }

  /** Aborted when the call times out, and when its task closes while it is under way. */
  get signal(): AbortSignal {
    if (this.controller === null) {
      this.controller = new AbortController();
      if (this.open) this.emitter.signalled(this);
      else this.controller.abort(this.abortedFor);
    }
    return this.controller.signal;
  }

  /** What the call waits for is to end; it may go on by itself, but what it emits is refused. */
  abort(reason: Error): void {
    this.open = false;
    this.abortedFor = reason;
    this.controller?.abort(reason);
  }

  /** What it emits leaves at once and adds its edges to the call. */
  get simple(): boolean {
    return this.sink === this && this.held === null;
  }

  /** Begins to work on a tuple that lives inside its emitter's call, or on none. */
  begin(root: Root | null): void {
    // Young into old is dear for the garbage collector, and the tuples of one tree come together.
    if (this.root !== root) this.root = root;
    this.accHi = 0;
    this.accLo = 0;
    this.open = true;
  }

  /** Begins to work on a tuple that is an edge of its tree. */
  beginHeld(tuple: TaskTuple): void {
    this.begin(tuple.root);
    this.sink = tuple.held!;
  }

  /** The call has ended, or at least what it did synchronously. */
  end(): void {
    this.open = false;
    if (this.sink !== this) this.sink = this;
  }
}
