// What spout and bolt tasks share: an actor that sends (dealer.ts). It handles one thing at a time on its worker's
// thread, and takes no more input while one of its targets is full. `gate` is 0 exactly when it may take input now.

import type { EmitOptions } from '../component/emit.js';
import type { Values } from '../component/tuple.js';
import { isMillraceError } from '../errors.js';
import * as counters from '../metrics/counters.js';
import { sameCopy } from './same-copy.js';
import type * as dealers from './dealer.js';
import type { TaskSetup } from './dealer.js';
import type { EmitCall, Emitter } from './emit-call.js';
import { BLOCKED, BROKEN, NOT_ACTIVE, RESTARTING } from './gate.js';
import type { Target } from './output.js';
import { Stalls, type FullTarget } from './stalls.js';
import type { RunnableTask } from './task-host.js';

const { Dealer } = await sameCopy<typeof dealers>('./dealer.js', import.meta.url);

export abstract class Task extends Dealer implements Emitter, RunnableTask {
  abstract readonly kind: 'bolt' | 'spout';
  /** It stands in the worker's queue of tasks to run. */
  scheduled = false;
  /** It stands among those whose batch is to be committed. */
  commitScheduled = false;
  ended = false;
  /** It has no instance of its component now: one is closed, the next one is not made. */
  absent = false;
  private readonly becameQuiet: (() => void)[] = [];
  private readonly stalls: Stalls;
  private readyCallbacks: (() => void)[] = [];

  constructor(setup: TaskSetup) {
    super(setup);
    this.stalls = new Stalls(setup.host.clock, this.counters, this.row);
    counters.beginRow(this.counters, this.row);
  }

  /** Runs one slice of what there is to do. */
  abstract run(): void;
  /** The tuples of a slice have been executed; makes their acks leave. */
  abstract commit(): void;
  abstract emit(call: EmitCall, values: Values, options: EmitOptions | undefined): void;
  abstract signalled(call: EmitCall): void;
  /** The task closes: the signals of its calls under way are aborted. */
  abstract abortCalls(reason: Error): void;

  /** Calls that did what they were made for: those that threw between two equal numbers are a run of errors. */
  abstract get successes(): number;
  /** No asynchronous call of its component is under way. */
  abstract get isQuiet(): boolean;

  abstract emitDirect(call: EmitCall, task: number, values: Values, options: EmitOptions | undefined): void;

  ready(call: EmitCall): Promise<void> {
    if (!call.open) return Promise.reject(this.lateError());
    if ((this.gate & BLOCKED) === 0) return Promise.resolve();
    return new Promise((resolve) => this.readyCallbacks.push(resolve));
  }

  /** Resolves when no asynchronous call is under way; its gate has to be closed. */
  quiet(): Promise<void> {
    if (this.isQuiet) return Promise.resolve();
    return new Promise((resolve) => this.becameQuiet.push(resolve));
  }

  /** An asynchronous call has settled. */
  protected callEnded(): void {
    if (this.becameQuiet.length === 0 || !this.isQuiet) return;
    for (const tell of this.becameQuiet.splice(0)) tell();
  }

  /** Its next instance threw what no replay can help: it does nothing any more but to fail what comes. */
  breakDown(call: string, error: unknown): void {
    this.report(call, error);
    this.gate &= ~RESTARTING;
    this.host.schedule(this);
  }

  /** Nothing more comes from here: end markers go the way of the tuples. */
  protected passEndOn(): void {
    this.setEnded(true);
    this.sendEnds(this.targets());
    this.host.taskEnded(this);
  }

  /** Tells those targets that nothing more comes from here. */
  sendEnds(targets: readonly Target[], leaves = false): void {
    for (const target of targets) {
      if (target.local !== null) this.host.endLocal(this.task, target.local);
      else target.channel!.pushEnd(this.host.revision, leaves);
    }
  }

  /** It leaves the plan: whoever takes from it hears so behind its last tuple, and it does nothing any more. */
  protected leave(): void {
    this.sendEnds(this.targets(), true);
    this.left = true;
    this.gate |= NOT_ACTIVE;
    for (const output of this.counted) output.rewire([]);
    this.wire(new Map());
  }

  protected setEnded(ended: boolean): void {
    this.ended = ended;
    this.counters[this.row + counters.ENDED] = ended ? 1 : 0;
  }

  /** That mailbox or channel is full: no more input until it has room. False when that was known. */
  block(by: FullTarget): boolean {
    if (!this.stalls.add(by)) return false;
    this.gate |= BLOCKED;
    this.careful = true;
    return true;
  }

  unblock(by: FullTarget): void {
    if (!this.stalls.remove(by)) return;
    this.gate &= ~BLOCKED;
    this.careful = this.strict;
    this.overrun = 0;
    this.overrunBytes = 0;
    const callbacks = this.readyCallbacks;
    this.readyCallbacks = [];
    for (const callback of callbacks) callback();
    this.host.schedule(this);
  }

  /** A call of its component threw. */
  report(call: string, error: unknown): void {
    this.counters[this.row + counters.ERRORS]!++;
    this.host.reportError(this, call, error);
    if (!isMillraceError(error) || !error.fatal) return;
    this.gate |= BROKEN;
    this.counters[this.row + counters.BROKEN] = 1;
  }
}
