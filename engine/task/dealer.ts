// The half of a task that sends: checks what its component emits, and deals it to targets by their groupings.
//
// A tuple to an idle task of the same worker is a direct call; to a busy one it goes to its mailbox; to another worker,
// to a channel. `dealAtOnce` down to `deliver` is the hot path: no closure, no promise, no Map lookup for the default
// stream, one TaskTuple for each target. On the worker's thread.

import { SEVERAL, type Root } from '../ack/root.js';
import { treesOf } from '../ack/several-trees.js';
import type { EmitOptions } from '../component/emit.js';
import type { Values } from '../component/tuple.js';
import { areScalars, freezeValues, measureValues, measureWrapped, ValueRefused } from '../codec/values.js';
import { pack, unpack } from '../codec/pack.js';
import { TRACK_BYTES } from '../codec/data-frame.js';
import { failure } from '../errors.js';
import * as grouping from '../grouping/grouping.js';
import { DEAD_LETTER_BYTES_MAX, TUPLE_BYTES_MAX, VALUES_CHECKED_FIRST } from '../limits.js';
import { EMITTED, MISUSED, TRANSFERRED } from '../metrics/counters.js';
import { DEFAULT_STREAM } from '../model/definition.js';
import type { EmitCall } from './emit-call.js';
import {
  checkOverrun,
  needsTask,
  noSuchTarget,
  notDirect,
  tooLarge,
  unknownStream,
  wrongArity,
} from './emit-errors.js';
import * as gate from './gate.js';
import { DirectOutput, type Output, type Subscription, type Target } from './output.js';
import type { FullTarget } from './stalls.js';
import * as hosts from './task-host.js';
import type { TaskHost } from './task-host.js';
import { Held, TaskTuple, type Accumulator } from './task-tuple.js';

// Constants of this module are folded into what V8 compiles; imported ones are loaded and checked for each tuple.
const { ALL, NOBODY } = grouping;
const { BLOCKED, NOT_ACTIVE } = gate;
const { TIMED_DEPTH } = hosts;

/** What a task is made of, beyond its component's instance. */
export interface TaskSetup {
  readonly host: TaskHost;
  readonly task: number;
  readonly component: string;
  readonly incarnation: number;
  /** Where its counters are, and where its row starts in there. */
  readonly counters: Float64Array;
  readonly row: number;
}

export abstract class Dealer {
  readonly task: number;
  readonly component: string;
  readonly incarnation: number;
  /** Why it takes no input now; 0 when it may. */
  gate = NOT_ACTIVE;
  /** It is not part of the plan any more: what it would still emit goes nowhere. */
  protected left = false;
  protected readonly host: TaskHost;
  protected readonly row: number;
  protected readonly counters: Float64Array;
  protected readonly strict: boolean;
  /** Each emit needs a closer look: `strict`, or a target is full. */
  protected careful: boolean;
  protected overrun = 0;
  protected overrunBytes = 0;
  /** All that it emits on. */
  protected counted: Output[] = [];
  private readonly depthMax: number;
  private readonly callStack: Int32Array;
  private outputs = new Map<string, Output>();
  private defaultOutput: Output | undefined;
  private directOutputs = new Map<string, DirectOutput>();

  constructor(setup: TaskSetup) {
    this.host = setup.host;
    this.task = setup.task;
    this.component = setup.component;
    this.incarnation = setup.incarnation;
    this.row = setup.row;
    this.counters = setup.counters;
    this.strict = setup.host.strict;
    this.careful = this.strict;
    this.depthMax = setup.host.limits.directDepthMax;
    this.callStack = setup.host.callStack;
  }

  /** That mailbox or channel is full: no more input until it has room. False when that was known. */
  abstract block(by: FullTarget): boolean;
  abstract unblock(by: FullTarget): void;

  wire(outputs: ReadonlyMap<string, Output | DirectOutput>): void {
    this.publishCounts();
    this.outputs = new Map();
    this.directOutputs = new Map();
    this.counted = [];
    for (const [stream, output] of outputs) {
      if (output instanceof DirectOutput) {
        this.directOutputs.set(stream, output);
        this.counted.push(...output.outputs);
      } else {
        this.outputs.set(stream, output);
        this.counted.push(output);
      }
    }
    this.defaultOutput = this.outputs.get(DEFAULT_STREAM);
  }

  output(stream: string): Output | undefined {
    return this.outputs.get(stream);
  }

  direct(stream: string): DirectOutput | undefined {
    return this.directOutputs.get(stream);
  }

  /** Its outputs lead elsewhere now. */
  rewired(): void {
    this.wire(new Map<string, Output | DirectOutput>([...this.outputs, ...this.directOutputs]));
  }

  /** Every task that takes from this one. */
  targets(): Target[] {
    const all: Target[] = [];
    for (const output of this.outputs.values()) {
      for (const subscription of output.subscriptions) all.push(...subscription.targets);
    }
    for (const output of this.directOutputs.values()) all.push(...output.targets);
    return all;
  }

  /**
   * The way of most tuples: plain values on the default stream, with nothing in the way. False: nothing was done, and
   * `checked` and `send` have to look closer.
   */
  protected dealAtOnce(call: EmitCall, values: Values): boolean {
    const output = this.defaultOutput;
    if (output === undefined || this.careful || !call.open || !areScalars(values, output.arity)) return false;
    output.emitted++;
    if (output.only !== null) this.deliver(output.only, output, values, call.root, call);
    else if (output.subscriptions.length > 0) this.deal(output, values, call.root, call);
    return true;
  }

  /** Finds the stream and checks the values; what is wrong is thrown at the emitter. */
  protected checked(call: EmitCall, values: Values, options: EmitOptions | undefined): Output {
    const stream = options?.stream;
    const output = stream === undefined ? this.defaultOutput : this.outputs.get(stream);
    if (output === undefined || !call.open || !areScalars(values, output.arity)) this.checkValues(call, values, stream);
    output!.emitted++;
    return output!;
  }

  /** As `checked`, for an emit to one task of a direct stream. */
  protected checkedDirect(call: EmitCall, task: number, values: Values, options: EmitOptions | undefined): Output {
    if (!call.open || this.left) throw this.lateError();
    const stream = options?.stream ?? DEFAULT_STREAM;
    const direct = this.directOutputs.get(stream);
    if (direct === undefined)
      throw this.outputs.has(stream) ? notDirect(this.component, stream) : this.unknownStream(stream);
    const output = direct.to(task);
    if (output === undefined) throw noSuchTarget(direct, task);
    if (!areScalars(values, output.arity)) this.checkValuesFor(output, values);
    output.emitted++;
    return output;
  }

  private checkValues(call: EmitCall, values: Values, stream: string = DEFAULT_STREAM): void {
    if (!call.open || this.left) throw this.lateError();
    const output = this.outputs.get(stream);
    if (output === undefined) {
      throw this.directOutputs.has(stream) ? needsTask(this.component, stream) : this.unknownStream(stream);
    }
    this.checkValuesFor(output, values);
  }

  private checkValuesFor(output: Output, values: Values): void {
    if (!Array.isArray(values) || values.length !== output.arity) throw wrongArity(output, values);
    if (output.checked < VALUES_CHECKED_FIRST) {
      output.checked++;
      this.measure(output, values);
      return;
    }
    for (const value of values as readonly unknown[]) {
      if (typeof value === 'string' && value.length > TUPLE_BYTES_MAX) throw tooLarge(output, value.length);
      if (typeof value === 'function' || typeof value === 'symbol') this.measure(output, values);
    }
  }

  /** Deals one tuple to the subscribers of its stream. The edges of what outlives this call are XORed into `acc`. */
  protected send(output: Output, values: Values, root: Root | null, acc: Accumulator): void {
    const sent = this.careful ? this.beforeSend(output, values) : values;
    if (output.only !== null) this.deliver(output.only, output, sent, root, acc);
    else this.deal(output, sent, root, acc);
  }

  private beforeSend(output: Output, values: Values): Values {
    try {
      if ((this.gate & BLOCKED) !== 0) {
        checkOverrun(this.component, this.host.limits, this.overrun++, this.overrunBytes);
        this.overrunBytes += this.measure(output, values);
      }
      return this.strict ? this.throughCodec(output, values) : values;
    } catch (error) {
      output.keptBack(1);
      throw error;
    }
  }

  private deal(output: Output, values: Values, root: Root | null, acc: Accumulator): void {
    const { subscriptions } = output;
    for (let i = 0; i < subscriptions.length; i++) {
      const subscription = subscriptions[i]!;
      if (subscription.only !== null) {
        this.deliver(subscription.only, output, values, root, acc);
        output.transferred++;
        continue;
      }
      const index = subscription.grouping.select(values);
      if (index >= 0) {
        this.deliver(subscription.targets[index]!, output, values, root, acc);
        output.transferred++;
      } else if (index !== NOBODY) {
        this.dealToSeveral(subscription, index, output, values, root, acc);
      }
    }
  }

  private dealToSeveral(
    to: Subscription,
    which: number,
    of: Output,
    values: Values,
    root: Root | null,
    acc: Accumulator,
  ): void {
    const { targets, grouping } = to;
    const { chosen } = grouping;
    if (which === ALL) {
      for (const target of targets) this.deliver(target, of, values, root, acc);
      of.transferred += targets.length;
    } else {
      for (const index of chosen!) this.deliver(targets[index]!, of, values, root, acc);
      of.transferred += chosen!.length;
    }
  }

  private deliver(target: Target, output: Output, values: Values, root: Root | null, acc: Accumulator): void {
    const { callStack } = this;
    const { local } = target;
    const depth = callStack[0]!;
    if (local === null || local.gate !== 0 || local.mailbox.inFront !== 0 || depth >= this.depthMax) {
      this.queue(target, output, values, root, acc);
      return;
    }
    callStack[0] = depth + 1;
    callStack[depth + 2] = local.task;
    local.take(new TaskTuple(values, output.origin, root));
    callStack[0] = depth;
    if (root === null) return;
    acc.accHi ^= local.leftHi;
    acc.accLo ^= local.leftLo;
  }

  /** Inside of a call that is measured, a direct call is measured as well. False: it cannot be a direct one. */
  private deliverTimed(target: Target, output: Output, values: Values, root: Root | null, acc: Accumulator): boolean {
    const { callStack } = this;
    const { local } = target;
    if (local === null || local.gate !== 0 || local.mailbox.inFront !== 0) return false;
    const depth = callStack[0]! - TIMED_DEPTH;
    if (depth >= this.depthMax) return false;
    callStack[0]!++;
    callStack[depth + 2] = local.task;
    local.takeTimed(new TaskTuple(values, output.origin, root));
    callStack[0]!--;
    if (root !== null) {
      acc.accHi ^= local.leftHi;
      acc.accLo ^= local.leftLo;
    }
    return true;
  }

  /** The target is busy or elsewhere: the tuple waits for it, and is an edge of its tree. */
  private queue(target: Target, output: Output, values: Values, root: Root | null, acc: Accumulator): void {
    if (this.callStack[0]! >= TIMED_DEPTH && this.deliverTimed(target, output, values, root, acc)) return;
    let bytes = this.measureQueued(output, values);
    let edgeHi = 0;
    let edgeLo = 0;
    if (root !== null) {
      const { random } = this.host;
      edgeHi = random.nextInt32();
      edgeLo = random.nextInt32() | 1;
      acc.accHi ^= edgeHi;
      acc.accLo ^= edgeLo;
      if (root.hi === SEVERAL) bytes += (treesOf(root).length - 1) * TRACK_BYTES;
    }
    const { local } = target;
    if (local === null) {
      target.channel!.push(values, output.origin.streamIndex, root, edgeHi, edgeLo, bytes);
      return;
    }
    const tuple = new TaskTuple(values, output.origin, root);
    tuple.bytes = bytes;
    if (root !== null) tuple.held = new Held(edgeHi, edgeLo);
    local.mailbox.push(tuple);
    this.host.schedule(local);
    if (local.mailbox.crowded && this.block(local.mailbox)) local.mailbox.wait(this);
  }

  /** What is refused here was not delivered. */
  private measureQueued(output: Output, values: Values): number {
    try {
      return this.measure(output, values);
    } catch (error) {
      output.keptBack(1);
      throw error;
    }
  }

  /**
   * Adds what was counted since last time to the counters: tuples are counted in the objects that they go by anyhow,
   * which costs far less than shared memory does.
   */
  publishCounts(): void {
    let emitted = 0;
    let transferred = 0;
    for (const output of this.counted) {
      if (output.emitted === 0 && output.transferred === 0) continue;
      emitted += output.emitted;
      transferred += output.transferred + (output.only === null ? 0 : output.emitted);
      output.emitted = 0;
      output.transferred = 0;
    }
    this.counters[this.row + EMITTED]! += emitted;
    this.counters[this.row + TRANSFERRED]! += transferred;
  }

  /** The tuple outlives the call that emitted it: it becomes an edge of the tree. */
  protected hold(tuple: TaskTuple): Held {
    const { random } = this.host;
    const held = new Held(random.nextInt32(), random.nextInt32() | 1);
    tuple.held = held;
    return held;
  }

  /** The estimated size of the values; refuses what cannot travel. */
  protected measure(output: Output, values: Values): number {
    try {
      // A dead letter wraps values that were allowed by themselves, so they are measured by themselves.
      const bytes = output.wraps ? measureWrapped(values) : measureValues(values);
      if (bytes > TUPLE_BYTES_MAX + (output.wraps ? DEAD_LETTER_BYTES_MAX : 0)) throw tooLarge(output, bytes);
      return bytes;
    } catch (error) {
      if (!(error instanceof ValueRefused)) throw error;
      throw failure('MILLRACE_EMIT_VALUE', {
        component: this.component,
        stream: output.origin.stream,
        path: error.path,
        what: error.what,
      });
    }
  }

  private throughCodec(output: Output, values: Values): Values {
    this.measure(output, values);
    const copy = unpack(pack(values)) as Values;
    freezeValues(copy);
    return copy;
  }

  protected count(counter: number): void {
    this.counters[this.row + counter]!++;
  }

  protected lateError(): Error {
    this.count(MISUSED);
    return failure('MILLRACE_EMIT_LATE', { component: this.component });
  }

  private unknownStream(stream: string): Error {
    return unknownStream(this.component, stream, [...this.outputs.keys(), ...this.directOutputs.keys()]);
  }
}
