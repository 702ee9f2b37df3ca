// Carries out changes of the plan in one worker, while its other tasks go on.
//
//   prepareChange ─► what comes here is made, prepared and activated ─► changePrepared
//   ─► moveSpouts: those that leave let go, then those that come are opened (spout-moves.ts) ─► change ─► rewired
//   anything fails until then ─► changeRefused ─► cancelChange, revive: nothing has changed
//   change, between two turns: every sender marks its channels to old owners and sends by the new plan behind the marks
//   ─► each old owner lets go; who leaves is closed, and all that it sent is on its way ─► letGo
//   ─► letGo of all that are waited for: what was held is taken
//   ─► changed: the old plan is forgotten
//
// Invariant: until `change` nothing that runs notices; after it, it cannot be called off.

import { toWire } from '../errors.js';
import type { Link } from '../link/link.js';
import type { TopologyDescription } from '../model/describe.js';
import type { CounterBlocks } from '../metrics/counter-blocks.js';
import { handOvers } from '../plan/hand-overs.js';
import type { Plan, TaskPlan } from '../plan/plan.js';
import { isBolt } from '../task/copies.js';
import type { Task } from '../task/task.js';
import { boltsOf, engage, holdAll, isTogether, runningOf, type Running } from './change-state.js';
import { makeComing } from './coming.js';
import { connect, reconnect } from './connecting.js';
import { Leavers, type LeaversHost } from './leavers.js';
import type { Checkpoint, LetGo, ToWorker, TransitionSoFar } from './messages.js';
import type { LivingTask } from './living-task.js';
import { SpoutMoves } from './spout-moves.js';
import type { WiringOptions } from './wiring.js';

/** What changes need of their worker. */
export interface ChangeHost extends LeaversHost {
  readonly worker: number;
  readonly description: TopologyDescription;
  readonly counters: CounterBlocks;
  /** Resolves when the tasks that were there first take input. */
  readonly started: Promise<void>;
  wiringOf(plan: Plan, leaving: readonly TaskPlan[], incarnations: readonly number[]): WiringOptions;
  /** That plan holds from now on, at that revision. */
  adopt(plan: Plan, revision: number): void;
  /** Cycles of those components come to their end anew. */
  reopenCycles(components: ReadonlySet<string>, revision: number): void;
  schedule(task: Task): void;
}

export class Changes {
  private readonly host: ChangeHost;
  private running: Running | null = null;
  private readonly leavers: Leavers;
  private readonly spouts: SpoutMoves;
  /** Tasks of a change that was called off: bolts take them for sources until those that had left are there again. */
  private unwanted: readonly number[] = [];
  /** What spouts are made with that begin anew. */
  private revived: Pick<Running, 'wiring' | 'places'> | null = null;
  /** Tasks that left in the change before: what they sent may still be coming. */
  private gone: readonly number[] = [];

  constructor(host: ChangeHost) {
    this.host = host;
    this.leavers = new Leavers(host);
    this.spouts = new SpoutMoves(host, this.leavers);
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
    const wiring = host.wiringOf(after, boltsOf(host.description, [...over.leaving.values()]), incarnations);
    const running = runningOf(transition, over, wiring);
    this.running = running;
    this.revived = null;
    engage(running, host.description, host.crew.living);
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
    const running = runningOf(transition, over, wiring, true);
    this.running = running;
    for (const task of this.host.crew.bolts) {
      if (!over.waits.has(task.task)) continue;
      holdAll(running, task);
      for (const { task: owner, ended } of transition.letGo) task.handOver!.ownerLetGo(owner, ended);
    }
  }

  /** Every worker is ready: spouts that leave begin to. */
  moveSpouts(): void {
    const { running } = this;
    if (running === null) return;
    running.movesSpouts = true;
    this.spouts.depart(running.over.leaving, running.wiring.topology.config.messageTimeoutMs);
  }

  /** It does not take place: what came goes, and nobody else has noticed. */
  cancel(): void {
    const { host, running } = this;
    if (running === null) return;
    this.running = null;
    this.leavers.left = [];
    for (const bolt of host.crew.bolts) {
      bolt.handOver?.cancel();
      bolt.handOver = null;
    }
    for (const { task } of running.coming) host.crew.remove(task.task);
    for (const bolt of host.crew.bolts) {
      for (const { task, component } of running.wiring.leaving) {
        if (isTogether(host.description, component, bolt.component)) bolt.inputs.drop(task);
      }
    }
    this.unwanted = [...running.over.coming.keys()];
    const { stayed, again } = this.spouts.cancel();
    if (!running.movesSpouts) this.dropUnwanted();
    again.catch((error: unknown) => host.post({ type: 'refused', error: toWire(error) }));
    host.links.forget(running.over.coming.keys());
    const { before, after } = running.transition;
    host.links.part(before.workers, after.workers);
    host.counters.keep(new Set(before.tasks.map(({ task }) => task)), before.workers);
    host.rewired();
    this.leavers.discard(running.coming, running.ready);
    // What came may hold what those that left want again.
    if (running.movesSpouts) void this.closed().then(() => this.say('stayed', stayed));
  }

  /**
   * After a change that was called off: spouts that had left are to begin anew. Until then no bolt took what they said
   * of their end for an end.
   */
  revive(message: Extract<ToWorker, { readonly type: 'revive' }>): void {
    const { host } = this;
    const { plan, incarnations, revision } = message;
    host.links.know(plan.tasks, incarnations);
    const places = new Map(plan.tasks.map((task) => [task.task, task]));
    this.revived = { wiring: host.wiringOf(plan, [], incarnations), places };
    host.adopt(plan, revision);
    const spouts = new Set(message.spouts);
    for (const bolt of host.crew.bolts) bolt.inputs.forget(spouts, revision);
    this.dropUnwanted();
    host.post({ type: 'rewired', revision });
  }

  private dropUnwanted(): void {
    for (const bolt of this.host.crew.bolts) {
      for (const task of this.unwanted) bolt.inputs.drop(task);
      this.host.schedule(bolt);
    }
    this.unwanted = [];
  }

  /** The new plan holds: senders switch, who leaves begins to. Between two turns of the worker. */
  carryOut(): void {
    const { host, running } = this;
    if (running === null) return;
    if (running.joined) {
      this.spouts.begin();
      return;
    }
    const { over, transition } = running;
    running.carriedOut = true;
    const old = host.crew.living.filter(({ task }) => !over.coming.has(task.task));
    host.adopt(transition.after, transition.revision);
    host.reopenCycles(over.changed, transition.revision);
    for (const { task } of old) this.switchSender(running, task);
    const local = old.map(({ task }) => task.task);
    for (const { task } of old) if (isBolt(task)) task.switchOver(local);
    host.crew.start(running.coming);
    for (const { task } of running.coming) host.schedule(task);
    this.spouts.begin();
    host.post({ type: 'rewired', revision: transition.revision });
  }

  /** A task of this worker has let go. */
  letGo(task: Task, leaves: boolean): void {
    const said: LetGo = { task: task.task, ended: task.ended };
    this.spouts.left(task.task);
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

  /**
   * Those before them have let go: spouts are opened; they begin with the change, or at once when it was called off.
   */
  async openSpouts(spouts: readonly LetGo[], checkpoints: readonly Checkpoint[]): Promise<void> {
    const { host } = this;
    await host.started;
    const { running, revived } = this;
    const { wiring, places } = running ?? revived ?? {};
    if (wiring === undefined || places === undefined) return;
    try {
      await this.spouts.open(wiring, places, spouts, checkpoints);
      if (this.running !== running || this.revived !== revived) return;
      if (running === null) this.spouts.begin();
      this.say(
        'spoutsOpened',
        spouts.map(({ task }) => task),
      );
    } catch (error) {
      if (running === null) host.post({ type: 'refused', error: toWire(error) });
      else if (this.running === running) {
        host.post({ type: 'changeRefused', revision: running.transition.revision, error: toWire(error) });
      }
    }
  }

  private say(type: 'stayed' | 'spoutsOpened', tasks: readonly number[]): void {
    const ingestTasks = this.host.inlets.tasks.filter((task) => tasks.includes(task));
    this.host.post({ type, tasks, ingestTasks });
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
      for (const target of running.places.values()) {
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

  /** After each turn: says of whom all has left. */
  turnEnded(): void {
    this.leavers.turnEnded();
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
      const living = makeComing(wiring, plan);
      coming.push(living);
      host.crew.add(living);
      if (isBolt(living.task)) holdAll(running, living.task);
    }
    for (const living of coming) this.connect(running, living);
    await host.crew.prepare(coming);
    await host.activity.add(coming);
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
