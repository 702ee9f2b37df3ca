// Carries out changes of the plan in one worker, while its other tasks go on.
//
//   prepareChange ─► what comes here is made, prepared and activated ─┬─► changePrepared ─► change ─► rewired
//                                                                     └─► changeRefused ─► cancelChange
//   change, between two turns: every sender marks its channels to old owners and sends by the new plan behind the marks
//   ─► each old owner lets go; who leaves is closed, and all that it sent is on its way ─► letGo
//   ─► letGo of all that are waited for: what was held is taken; openSpouts: spouts go on where others stopped
//   ─► changed: the old plan is forgotten
//
// Invariant: until `change` nothing that runs notices; after it, it cannot be called off.

import { toWire } from '../errors.js';
import { HAND_OVER_WAIT_MS_MAX } from '../limits.js';
import type { Link } from '../link/link.js';
import { cyclesOf } from '../model/cycles.js';
import type { TopologyDescription } from '../model/describe.js';
import type { CounterBlocks } from '../metrics/counter-blocks.js';
import { handOvers, type HandOvers } from '../plan/hand-overs.js';
import { tasksByComponent, type Plan, type TaskPlan } from '../plan/plan.js';
import { BoltTask } from '../task/bolt-task.js';
import { HandOver } from '../task/hand-over.js';
import { SpoutTask } from '../task/spout-task.js';
import { HOLDING } from '../task/gate.js';
import type { Task } from '../task/task.js';
import type { Activity } from './activity.js';
import { connect, reconnect } from './connecting.js';
import type { Crew } from './crew.js';
import type { Inlets } from './inlets.js';
import { Leavers } from './leavers.js';
import type { Checkpoint, FromWorker, LetGo, ToWorker, Transition, TransitionSoFar } from './messages.js';
import type { Reports } from './reports.js';
import type { WorkerLinks } from './worker-links.js';
import type { LivingTask } from './living-task.js';
import { makeTask, type WiringOptions } from './wiring.js';

/** What changes need of their worker. */
export interface ChangeHost {
  readonly worker: number;
  readonly description: TopologyDescription;
  readonly crew: Crew;
  readonly links: WorkerLinks;
  readonly counters: CounterBlocks;
  readonly inlets: Inlets;
  readonly reports: Reports;
  readonly activity: Activity;
  /** Resolves when the tasks that were there first take input. */
  readonly started: Promise<void>;
  wiringOf(plan: Plan, leaving: readonly TaskPlan[], incarnations: readonly number[]): WiringOptions;
  /** That plan holds from now on, at that revision. */
  adopt(plan: Plan, revision: number): void;
  /** Cycles of those components come to their end anew. */
  reopenCycles(components: ReadonlySet<string>, revision: number): void;
  /** Tasks or links are others now. */
  rewired(): void;
  schedule(task: Task): void;
  post(message: FromWorker): void;
}

interface Running {
  readonly transition: Transition;
  readonly over: HandOvers;
  readonly wiring: WiringOptions;
  /** The tasks of both plans, by number. */
  readonly places: ReadonlyMap<number, TaskPlan>;
  /** Whose place a task takes. */
  readonly predecessors: ReadonlyMap<number, number>;
  /** Bolt tasks that come here. */
  coming: readonly LivingTask[];
  ready: Promise<void>;
  /** The new plan holds. */
  carriedOut: boolean;
}

function runningOf(transition: Transition, over: HandOvers, wiring: WiringOptions): Running {
  const { before, after } = transition;
  return {
    transition,
    over,
    wiring,
    places: new Map([...before.tasks, ...after.tasks].map((task) => [task.task, task])),
    predecessors: new Map([...over.successors].map(([from, to]) => [to, from])),
    coming: [],
    ready: Promise.resolve(),
    carriedOut: false,
  };
}

export class Changes {
  private readonly host: ChangeHost;
  private running: Running | null = null;
  private readonly leavers: Leavers;
  /** Tasks that left in the change before: what they sent may still be coming. */
  private gone: readonly number[] = [];

  constructor(host: ChangeHost) {
    this.host = host;
    this.leavers = new Leavers(host);
  }

  /** Resolves when no task that left is still being closed. */
  async closed(): Promise<void> {
    await this.leavers.closed();
  }

  /** Makes ready what comes here, and answers. */
  async prepare(message: Extract<ToWorker, { readonly type: 'prepareChange' }>): Promise<void> {
    const { host } = this;
    const { transition, incarnations } = message;
    const { revision, before, after } = transition;
    const over = handOvers(host.description, before, after);
    host.counters.take(message.counters);
    host.links.know(after.tasks, incarnations);
    for (const peer of message.peers) host.links.add(peer).open();
    const wiring = host.wiringOf(after, [...over.leaving.values()], incarnations);
    const running = runningOf(transition, over, wiring);
    this.running = running;
    this.engage(running);
    host.rewired();
    running.ready = this.makeReady(running);
    try {
      await running.ready;
      if (this.running === running) host.post({ type: 'changePrepared', revision });
    } catch (error) {
      if (this.running === running) host.post({ type: 'changeRefused', revision, error: toWire(error) });
    }
  }

  /** Goes on in the middle of a change: this worker took the place of one that died, or is new. */
  join(transition: TransitionSoFar, wiring: WiringOptions): void {
    const over = handOvers(this.host.description, transition.before, transition.after);
    const running = runningOf(transition, over, wiring);
    this.running = running;
    for (const task of this.host.crew.bolts) {
      if (!over.waits.has(task.task)) continue;
      this.holdAll(running, task);
      for (const { task: owner, ended } of transition.letGo) task.handOver!.ownerLetGo(owner, ended);
    }
  }

  /** It does not take place: what came goes, and nobody else has noticed. */
  cancel(): void {
    const { host, running } = this;
    if (running === null) return;
    this.running = null;
    for (const bolt of host.crew.bolts) {
      bolt.handOver?.cancel();
      bolt.handOver = null;
    }
    for (const { task } of running.coming) host.crew.remove(task.task);
    for (const bolt of host.crew.bolts) {
      for (const task of running.over.coming.keys()) bolt.inputs.drop(task);
      for (const { task, component } of running.wiring.leaving)
        if (this.isTogether(component, bolt.component)) bolt.inputs.drop(task);
      host.schedule(bolt);
    }
    host.links.forget(running.over.coming.keys());
    const { before, after } = running.transition;
    host.links.part(before.workers, after.workers);
    host.counters.keep(new Set(before.tasks.map(({ task }) => task)), before.workers);
    host.rewired();
    const close = running.ready
      .catch(() => undefined)
      .then(() => Promise.all(running.coming.map((each) => this.leavers.close(each))));
    this.leavers.track(close.then(() => undefined));
  }

  /** The new plan holds: senders switch, who leaves begins to. Between two turns of the worker. */
  carryOut(): void {
    const { host, running } = this;
    if (running === null) return;
    const { over, transition, wiring } = running;
    running.carriedOut = true;
    const old = host.crew.living.filter(({ task }) => !over.coming.has(task.task));
    host.adopt(transition.after, transition.revision);
    host.reopenCycles(over.changed, transition.revision);
    for (const { task } of old) this.switchSender(running, task);
    const local = old.map(({ task }) => task.task);
    for (const { task } of old) if (task instanceof BoltTask) task.switchOver(local);
    host.crew.start(running.coming);
    for (const { task } of running.coming) host.schedule(task);
    const { messageTimeoutMs } = wiring.topology.config;
    for (const living of old) {
      const { task } = living;
      if (!(task instanceof SpoutTask) || !over.leaving.has(task.task)) continue;
      // It may still have to deactivate when it lets go; closing waits for that.
      this.leavers.track(host.activity.remove(living));
      task.depart(Math.min(messageTimeoutMs ?? Infinity, HAND_OVER_WAIT_MS_MAX));
    }
    host.rewired();
    host.post({ type: 'rewired', revision: transition.revision });
  }

  /** A task of this worker has let go. */
  letGo(task: Task, leaves: boolean): void {
    const said: LetGo = { task: task.task, ended: task.ended };
    const plan = this.running?.over.leaving.get(task.task);
    if (!leaves) this.host.post({ type: 'letGo', ...said });
    else if (plan !== undefined) this.leavers.take(plan, said);
  }

  /** Other tasks have let go. */
  ownersLetGo(owners: readonly LetGo[]): void {
    for (const bolt of this.host.crew.bolts) {
      if (bolt.handOver === null) continue;
      const { handOver } = bolt;
      // At once: what is told next may be that the change is over.
      if (owners.filter(({ task, ended }) => handOver.ownerLetGo(task, ended)).length > 0) handOver.step(bolt);
    }
  }

  /** Spouts of the new plan begin. */
  async openSpouts(spouts: readonly LetGo[], checkpoints: readonly Checkpoint[]): Promise<void> {
    const { host } = this;
    await host.started;
    const { running } = this;
    if (running === null) return;
    const components = new Set(spouts.map(({ task }) => running.over.coming.get(task)!.component));
    host.reports.restore(components, checkpoints);
    try {
      const made = spouts.map(({ task, ended }) => makeTask(running.wiring, running.over.coming.get(task)!, ended));
      for (const living of made) host.crew.add(living);
      for (const living of made) this.connect(running, living);
      await host.crew.prepare(made);
      await host.activity.add(made);
      host.crew.start(made);
      host.rewired();
      for (const { task } of made) host.schedule(task);
      const tasks = made.map(({ task }) => task.task);
      const ingestTasks = host.inlets.tasks.filter((task) => tasks.includes(task));
      host.post({ type: 'spoutsOpened', tasks, ingestTasks });
    } catch (error) {
      host.post({ type: 'refused', error: toWire(error) });
    }
  }

  /** It is carried out everywhere. */
  finish(): void {
    const { host, running } = this;
    if (running === null) return;
    this.running = null;
    this.leavers.left = [];
    const { over, transition } = running;
    for (const bolt of host.crew.bolts) {
      bolt.handOver = null;
      for (const task of over.leaving.keys()) bolt.inputs.dropEnded(task);
    }
    host.links.part(transition.after.workers, transition.before.workers);
    host.links.forget(this.gone);
    this.gone = [...over.leaving.keys()];
    host.counters.keep(new Set(transition.after.tasks.map(({ task }) => task)), transition.after.workers);
    host.rewired();
  }

  /** A worker died: nothing more comes from its tasks. Gives those of them that are not part of the new plan. */
  workerDied(worker: number): readonly number[] {
    const { host, running } = this;
    if (running === null) return [];
    const { before, after } = running.transition;
    const dead = [...before.tasks, ...after.tasks].filter((task) => task.worker === worker).map(({ task }) => task);
    const lost = dead.filter((task) => running.over.leaving.has(task));
    for (const bolt of host.crew.bolts) {
      for (const task of dead) bolt.handOver?.mark(task);
      for (const task of lost) bolt.inputs.drop(task);
      host.schedule(bolt);
    }
    return lost;
  }

  /** Those at that worker which are not part of the new plan, while it lives. */
  leavingAt(worker: number): readonly number[] {
    const leaving = this.running?.over.leaving.values() ?? [];
    return [...leaving].filter((task) => task.worker === worker).map(({ task }) => task);
  }

  /** A new link leads to a worker, whose tasks do not know that those that left here have nothing more to come. */
  sendEndsOfLeft(behind: ReadonlySet<number>, link: Link): void {
    const { running } = this;
    if (running === null) return;
    for (const source of this.leavers.left) {
      for (const target of running.transition.after.tasks) {
        if (!behind.has(target.task) || !this.takesFrom(target.component, source.component)) continue;
        link.channelTo(source.task, target.task, nobody).pushEnd(running.transition.revision);
      }
    }
  }

  /** A link was lost, and with it maybe markers to the owners behind it. */
  markAgain(worker: number, link: Link): void {
    const { running } = this;
    if (running === null || !running.carriedOut) return;
    const { over, transition } = running;
    const senders = transition.before.tasks.filter((task) => task.worker === this.host.worker);
    for (const owner of over.owners.values()) {
      if (owner.worker !== worker) continue;
      for (const { task, component } of senders) {
        if (!this.takesFrom(owner.component, component)) continue;
        link.channelTo(task, owner.task, this.host.crew.tasks.get(task) ?? nobody).pushMark(transition.revision);
      }
    }
  }

  private takesFrom(component: string, source: string): boolean {
    const definition = this.host.description.components.find(({ id }) => id === component);
    return definition?.kind === 'bolt' && definition.inputs.some(({ from }) => from === source);
  }

  private isTogether(one: string, other: string): boolean {
    return cyclesOf(this.host.description.components).some((ids) => ids.includes(one) && ids.includes(other));
  }

  /** After each turn: says of whom all has left. */
  turnEnded(): void {
    this.leavers.turnEnded();
  }

  /** Gives every task here its part. */
  private engage({ over, transition, wiring }: Running): void {
    const { crew, description } = this.host;
    const old = tasksByComponent(transition.before);
    const cycles = cyclesOf(description.components);
    for (const { task, definition } of crew.living) {
      if (!(task instanceof BoltTask) || definition.kind !== 'bolt') continue;
      const from = new Set(definition.inputs.map((input) => input.from));
      const leaves = over.leaving.has(task.task);
      const waits = over.waits.get(task.task);
      const isOwner = over.owners.has(task.task);
      if (isOwner || waits !== undefined) {
        const sources = isOwner ? [...from].flatMap((id) => old.get(id) ?? []).map((source) => source.task) : null;
        const { revision } = transition;
        task.handOver = new HandOver({ revision, sources, waits: waits ?? [], leaves, predecessor: null });
      }
      if (leaves) continue;
      // Who comes to a cycle ends with it; who leaves it says so.
      const together = cycles.find((ids) => ids.includes(definition.id)) ?? [];
      for (const { task: source, component } of over.coming.values()) {
        if (from.has(component) && !together.includes(component)) task.inputs.add(source);
      }
      for (const source of wiring.leaving) if (from.has(source.component)) task.inputs.add(source.task);
    }
  }

  private async makeReady(running: Running): Promise<void> {
    const { host } = this;
    const { over, wiring } = running;
    const kinds = new Map(host.description.components.map(({ id, kind }) => [id, kind]));
    const plans = [...over.coming.values()].filter(
      ({ worker, component }) => worker === host.worker && kinds.get(component) === 'bolt',
    );
    const coming: LivingTask[] = [];
    running.coming = coming;
    for (const plan of plans) {
      const living = makeTask(wiring, plan);
      coming.push(living);
      host.crew.add(living);
      if (living.task instanceof BoltTask) this.holdAll(running, living.task);
    }
    for (const living of coming) this.connect(running, living);
    await host.crew.prepare(coming);
    await host.activity.add(coming);
  }

  /** It owns nothing yet: all that comes waits for those who do. */
  private holdAll({ over, transition, predecessors }: Running, task: BoltTask): void {
    task.handOver = new HandOver({
      revision: transition.revision,
      sources: null,
      waits: over.waits.get(task.task) ?? [],
      leaves: false,
      predecessor: predecessors.get(task.task) ?? null,
    });
    task.inbox.holdLocal();
    task.gate |= HOLDING;
  }

  private connect({ wiring, places }: Running, { task }: LivingTask): void {
    const { crew, links } = this.host;
    const linkTo = (worker: number) => links.to(worker);
    connect({ options: wiring, tasks: crew.tasks, linkTo, task, plan: places.get(task.task)! });
  }

  private switchSender({ over, transition, wiring, places }: Running, task: Task): void {
    const { crew, links } = this.host;
    const { revision } = transition;
    const plan = places.get(task.task)!;
    for (const { task: number, channel } of task.targets()) {
      // More than one stream may go there, by the same channel: then it is marked twice, with nothing in between.
      if (channel !== null && over.owners.has(number)) channel.pushMark(revision);
    }
    const linkTo = (worker: number) => links.to(worker);
    const { changed, successors } = over;
    reconnect({ options: wiring, tasks: crew.tasks, linkTo, task, plan, changed, successors });
    if (task.ended) task.sendEnds(task.targets().filter((target) => over.coming.has(target.task)));
  }
}

/** The sender of markers of a task that is gone: nothing is left to be held up. */
const nobody = { block: () => undefined, unblock: () => undefined };
