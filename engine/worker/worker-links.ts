// All that connects a worker's tasks with those of other workers: its links, the ledgers of its own spout tasks, and
// what stands for the ledgers of others. Knows which incarnation of each task is the living one, and drops what names
// another. On the worker's thread.

import type { AckTarget } from '../ack/ack-target.js';
import type { Ledger } from '../ack/ledger.js';
import { ACK_ROW_INTS, RemoteLedger } from '../ack/remote-ledger.js';
import { ROOT_INTS } from '../codec/control-frame.js';
import type { TreeFailure } from '../component/spout.js';
import type { RuntimeLimits } from '../limits.js';
import type { InboundChannel } from '../link/inbound-channel.js';
import { Link } from '../link/link.js';
import type { LinkHost, LinkName } from '../link/link-host.js';
import { PortWire } from '../link/port-wire.js';
import type { TcpEndpoint } from '../link/tcp/endpoint.js';
import type { Wire } from '../link/wire.js';
import type { CounterBlocks } from '../metrics/counter-blocks.js';
import { OUTBOX, STALE } from '../metrics/counters.js';
import type { Topology } from '../model/definition.js';
import type { Plan, TaskPlan } from '../plan/plan.js';
import { isBolt } from '../task/copies.js';
import type { Task } from '../task/task.js';
import type { InboundBatch } from '../task/inbound-batch.js';
import { Origin } from '../task/task-tuple.js';
import type { Clock } from '../clock.js';
import type { PeerLink } from './messages.js';
import type { Turns } from './turns.js';

export interface WorkerLinksOptions {
  readonly topology: Topology;
  readonly plan: Plan;
  readonly limits: RuntimeLimits;
  readonly counters: CounterBlocks;
  /** The incarnation of each task, by its number. */
  readonly incarnations: readonly number[];
  /** The tasks of this worker, by number. */
  readonly tasks: ReadonlyMap<number, Task>;
  /** The ledgers of this worker's spout tasks. */
  readonly ledgers: ReadonlyMap<number, Ledger>;
  readonly turns: Turns;
  readonly clock: Clock;
  /** Where TCP links of this worker end; null when it has none. */
  readonly endpoint: TcpEndpoint | null;
  readonly frameRefused: (error: unknown) => void;
  readonly linkLost: (link: LinkName, reason: string) => void;
}

export class WorkerLinks implements LinkHost {
  readonly limits: RuntimeLimits;
  private readonly options: WorkerLinksOptions;
  /** Every task that may send or take, by its number. */
  private readonly places = new Map<number, TaskPlan>();
  private readonly incarnations = new Map<number, number>();
  /** Between which components tuples are led back: all streams of the one to the other, or none. */
  private readonly feedback = new Set<string>();
  private readonly byWorker = new Map<number, Link>();
  /** Those to workers that end, which may still bring something. */
  private readonly parted: Link[] = [];
  private readonly remoteLedgers = new Map<number, RemoteLedger>();

  constructor(options: WorkerLinksOptions) {
    this.options = options;
    this.limits = options.limits;
    this.know(options.plan.tasks, options.incarnations);
    for (const component of options.topology.components) {
      if (component.kind === 'spout') continue;
      for (const input of component.inputs) {
        if (input.feedback === true) this.feedback.add(edgeKey(input.from, component.id));
      }
    }
  }

  get saturated(): boolean {
    return this.options.turns.saturated;
  }

  now(): number {
    return this.options.clock.now();
  }

  /** The links of now, in the order in which they were made. */
  all(): readonly Link[] {
    return [...this.byWorker.values()];
  }

  /** All that went and came in frames, for tests that wait until nothing is under way. */
  get frames(): { readonly sentFrames: number; readonly receivedFrames: number } {
    const sum = { sentFrames: 0, receivedFrames: 0 };
    for (const link of this.byWorker.values()) {
      sum.sentFrames += link.sentFrames;
      sum.receivedFrames += link.receivedFrames;
    }
    return sum;
  }

  /** Makes the link to another worker; it receives nothing until it is opened. */
  add(peer: PeerLink): Link {
    const link = new Link(this, this.wireOf(peer), { id: peer.link, worker: peer.worker });
    this.byWorker.set(peer.worker, link);
    return link;
  }

  to(worker: number): Link {
    return this.byWorker.get(worker)!;
  }

  /** Those tasks may send and take as well; one that has begun anew has other trees. */
  know(tasks: readonly TaskPlan[], incarnations: readonly number[]): void {
    for (const task of tasks) {
      this.places.set(task.task, task);
      if (this.incarnations.get(task.task) !== incarnations[task.task]) this.dropLedger(task.task);
      this.incarnations.set(task.task, incarnations[task.task]!);
    }
  }

  /** Those tasks are gone: what still names them is stale. */
  forget(tasks: Iterable<number>): void {
    for (const task of tasks) {
      this.places.delete(task);
      this.incarnations.delete(task);
      this.dropLedger(task);
    }
  }

  /** The link to another worker is gone; what its tasks were told and what they told before is gone with it. */
  cut(worker: number, tasks: Iterable<number>, incarnations: readonly number[]): void {
    this.byWorker.get(worker)?.close();
    this.byWorker.delete(worker);
    for (const task of tasks) {
      this.incarnations.set(task, incarnations[task]!);
      this.dropLedger(task);
    }
  }

  /**
   * The workers with those numbers end, and have sent all that they had to send. What of it has not come yet still
   * does: links are closed by who ends, or here when the next ones part.
   */
  part(firstWorker: number, endWorker: number): void {
    for (const link of this.parted.splice(0)) link.close();
    for (let worker = firstWorker; worker < endWorker; worker++) {
      const link = this.byWorker.get(worker);
      if (link !== undefined) this.parted.push(link);
      this.byWorker.delete(worker);
    }
  }

  /** The tasks of this worker of which not all that they sent has left it. */
  unsent(): Set<number> {
    const sources = new Set<number>();
    for (const link of this.byWorker.values()) link.addUnsent(sources);
    return sources;
  }

  private wireOf(peer: PeerLink): Wire {
    if (peer.kind === 'ports') return new PortWire(peer);
    const { endpoint } = this.options;
    if (peer.kind === 'tcp' && endpoint !== null) return endpoint.wire(peer);
    throw new Error(`the link to worker ${peer.worker} leads over nothing`);
  }

  close(): void {
    for (const link of [...this.byWorker.values(), ...this.parted]) link.close();
  }

  ledgerOf(spoutTask: number, incarnation: number): AckTarget | null {
    const ledger = this.options.ledgers.get(spoutTask);
    if (ledger !== undefined) return ledger.incarnation === incarnation ? ledger : null;
    if (this.incarnations.get(spoutTask) !== incarnation) return null;
    let remote = this.remoteLedgers.get(spoutTask);
    if (remote === undefined) {
      const link = this.byWorker.get(this.places.get(spoutTask)!.worker);
      if (link === undefined) return null;
      remote = new RemoteLedger(spoutTask, incarnation, link);
      this.remoteLedgers.set(spoutTask, remote);
    }
    return remote;
  }

  accepts(sourceTask: number, targetTask: number): boolean {
    const { topology } = this.options;
    const source = this.places.get(sourceTask);
    const target = this.places.get(targetTask);
    if (source === undefined || target === undefined) return false;
    const component = topology.components.find(({ id }) => id === target.component);
    return component?.kind === 'bolt' && component.inputs.some(({ from }) => from === source.component);
  }

  fillOrigins(channel: InboundChannel): void {
    const source = this.places.get(channel.sourceTask)!;
    const definition = this.options.topology.components.find((component) => component.id === source.component)!;
    Object.entries(definition.outputs).forEach(([stream, fields], index) => {
      channel.origins.push(new Origin(definition.id, stream, index, source.task, fields, channel));
    });
  }

  receive(task: number, batch: InboundBatch): void {
    const target = this.options.tasks.get(task);
    if (!isBolt(target)) return;
    const isFeedback = target.inbox.feedback !== null && this.isFeedback(batch.origin.component, target.component);
    target.receive(batch, isFeedback);
    this.options.turns.schedule(target);
  }

  private isFeedback(source: string, target: string): boolean {
    return this.feedback.has(edgeKey(source, target));
  }

  receiveEnd(sourceTask: number, targetTask: number, revision: number): void {
    const target = this.options.tasks.get(targetTask);
    if (!isBolt(target)) return;
    target.inputs.end(sourceTask, revision);
    target.handOver?.sourceEnded(sourceTask);
    this.options.turns.schedule(target);
  }

  receiveMark(sourceTask: number, targetTask: number, revision: number): void {
    const target = this.options.tasks.get(targetTask);
    if (!isBolt(target) || target.handOver?.revision !== revision) return;
    target.handOver.mark(sourceTask);
    this.options.turns.schedule(target);
  }

  outboxChanged(sourceTask: number, by: number): void {
    this.countFor(sourceTask, OUTBOX, by);
  }

  requestTurn(): void {
    this.options.turns.request();
  }

  frameRefused(error: unknown): void {
    this.options.frameRefused(error);
  }

  linkLost(link: LinkName, reason: string): void {
    this.options.linkLost(link, reason);
  }

  acked(spoutTask: number, incarnation: number, rows: Int32Array): void {
    const ledger = this.ledgerHere(spoutTask, incarnation, rows.length / ACK_ROW_INTS);
    if (ledger === null) return;
    for (let at = 0; at < rows.length; at += ACK_ROW_INTS) {
      ledger.ack(rows[at]!, rows[at + 1]!, rows[at + 2]!, rows[at + 3]!);
    }
  }

  failed(spoutTask: number, incarnation: number, rows: Int32Array, failures: readonly TreeFailure[]): void {
    const ledger = this.ledgerHere(spoutTask, incarnation, rows.length / ROOT_INTS);
    if (ledger === null) return;
    failures.forEach((failure, row) => ledger.fail(rows[row * ROOT_INTS]!, rows[row * ROOT_INTS + 1]!, failure));
  }

  touched(spoutTask: number, incarnation: number, rows: Int32Array): void {
    const ledger = this.ledgerHere(spoutTask, incarnation, rows.length / ROOT_INTS);
    if (ledger === null) return;
    for (let at = 0; at < rows.length; at += ROOT_INTS) ledger.touch(rows[at]!, rows[at + 1]!);
  }

  /** The ledger that so many rows are for; those for another incarnation than the living one are counted. */
  private ledgerHere(spoutTask: number, incarnation: number, rows: number): Ledger | null {
    const ledger = this.options.ledgers.get(spoutTask);
    if (ledger !== undefined && ledger.incarnation === incarnation) return ledger;
    if (ledger !== undefined) this.countFor(spoutTask, STALE, rows);
    return null;
  }

  private countFor(task: number, counter: number, by: number): void {
    this.options.counters.add(task, counter, by);
  }

  private dropLedger(task: number): void {
    const ledger = this.remoteLedgers.get(task);
    if (ledger !== undefined) ledger.dead = true;
    this.remoteLedgers.delete(task);
  }
}

/** No id has a line break. */
function edgeKey(source: string, target: string): string {
  return `${source}\n${target}`;
}
