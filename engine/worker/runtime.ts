// One worker: its tasks, links and turns, steered by control messages of the supervisor. Runs in a thread of the pool,
// or in the calling thread of a test: it is the same code.
//
//   prepare ─► prepared ─► start ─► active ─┬─► switch: spouts are asked no more, or again (activity.ts)
//                                           ├─► drain ─► (all tasks end) ─► stop
//                                           ├─► rewire (another worker died) ─► rewired ─► lost: open trees fail
//                                           └─► prepareChange … changed: the plan becomes another one (changes.ts)

import { RealClock, VirtualClock, type Clock } from '../clock.js';
import { toWire } from '../errors.js';
import { COUNTS_PUBLISHED_MS, tcpLinkLimits, type RuntimeLimits } from '../limits.js';
import { TcpEndpoint } from '../link/tcp/endpoint.js';
import { CounterBlocks } from '../metrics/counter-blocks.js';
import type { Topology } from '../model/definition.js';
import { tasksByComponent, type Plan, type TaskPlan } from '../plan/plan.js';
import { Random } from '../random.js';
import type { ReportingTask, RunnableTask, TaskHost } from '../task/task-host.js';
import { Activity } from './activity.js';
import { leavingOf, tellChanges } from './change-messages.js';
import { Changes } from './changes.js';
import { connect } from './connecting.js';
import { contextHostOf } from './context-host.js';
import type { ContextHost } from './contexts.js';
import { Crew } from './crew.js';
import { CycleMembers } from './cycle-members.js';
import { Ending } from './ending.js';
import { ErrorReporter } from './error-reporter.js';
import type { FromWorker, ToWorker, WorkerInit } from './messages.js';
import { Inlets } from './inlets.js';
import { checkDefinition } from './module.js';
import { WorkerParameters } from './parameters.js';
import { Reports } from './reports.js';
import { Rewiring } from './rewiring.js';
import { Pulse } from './supervision/pulse.js';
import type { ComponentCode } from './supervision/suspect.js';
import { TaskRestarts } from './supervision/task-restarts.js';
import type { ThreadParts } from './thread-parts.js';
import { Turns } from './turns.js';
import { WorkerLinks } from './worker-links.js';
import { makeTask, type WiringOptions } from './wiring.js';

export class WorkerRuntime implements TaskHost {
  readonly topology: string;
  readonly limits: RuntimeLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly strict: boolean;
  readonly callStack: Int32Array;
  nestedMs = 0;
  revision: number;
  /** Resolves when everything is closed. */
  readonly stopped: Promise<void>;

  private readonly init: WorkerInit;
  private readonly definition: Topology;
  private plan: Plan;
  private readonly counters: CounterBlocks;
  private readonly pulse: Pulse;
  private readonly code: ComponentCode[];
  private readonly turns: Turns;
  private readonly errors: ErrorReporter;
  private readonly reports: Reports;
  private readonly inlets = new Inlets((message) => this.post(message));
  private readonly links: WorkerLinks;
  private readonly endpoint: TcpEndpoint | null;
  private readonly contextHost: ContextHost;
  private readonly parameters: WorkerParameters;
  private readonly crew: Crew;
  private readonly cycles: CycleMembers;
  private readonly activity: Activity;
  private readonly changes: Changes;
  private readonly rewiring: Rewiring;
  private readonly restarts: TaskRestarts;
  private readonly ending: Ending;
  private active = false;
  private publishedMs = 0;
  private confirmStarted: () => void = () => undefined;
  private confirmStopped: () => void = () => undefined;

  /** @param thread - what it is lent by the thread that it has for itself; left out where it has none */
  constructor(init: WorkerInit, definition: Topology, thread: Partial<ThreadParts> = {}) {
    this.init = init;
    this.definition = definition;
    this.topology = definition.name;
    this.limits = init.limits;
    this.strict = init.strict;
    this.revision = init.revision;
    this.clock = init.virtualTimeMs === null ? new RealClock() : new VirtualClock(init.virtualTimeMs);
    this.random = new Random(init.seed ^ Math.imul(init.worker + 1, 0x9e3779b9));
    this.plan = init.plan;
    this.counters = new CounterBlocks(init.counters);
    const { said = () => undefined, code = [] } = thread;
    this.code = code;
    this.pulse = thread.pulse ?? new Pulse(init.limits.directDepthMax, init.pulse);
    this.callStack = this.pulse.callStack;
    this.turns = new Turns(
      this.clock,
      init.limits.turnMs,
      this.pulse,
      () => this.counters.beat(init.worker),
      (tookMs, nowMs, isLast) => this.turnOver(tookMs, nowMs, isLast),
    );
    this.errors = new ErrorReporter(this.clock, (report) => this.post({ type: 'error', report }));
    this.reports = new Reports(this.clock, init.checkpoints, (message) => this.post(message));
    this.contextHost = contextHostOf({
      topology: definition.name,
      filesRoot: init.filesRoot,
      clock: this.clock,
      plan: () => this.plan,
      reports: this.reports,
      parameters: () => this.parameters.now,
      post: (message) => this.post(message),
      said,
    });
    this.stopped = new Promise((resolve) => (this.confirmStopped = resolve));
    this.endpoint =
      init.tcp === null
        ? null
        : // Sockets know no virtual time.
          new TcpEndpoint({ ...init.tcp, worker: init.worker, limits: tcpLinkLimits, clock: new RealClock() });
    this.parameters = new WorkerParameters(init.parameters, this);
    this.crew = new Crew(this.clock, this.parameters, (task, call, error) => this.reportError(task, call, error));
    this.activity = new Activity(({ task }, call, error) => this.reportError(task, call, error));
    this.links = new WorkerLinks({
      topology: definition,
      plan: init.plan,
      limits: init.limits,
      counters: this.counters,
      incarnations: init.incarnations,
      tasks: this.crew.tasks,
      ledgers: this.crew.ledgers,
      turns: this.turns,
      clock: this.clock,
      endpoint: this.endpoint,
      frameRefused: (error) => this.errors.report('(link)', -1, 'receive', error),
      linkLost: ({ id, worker }, reason) => this.post({ type: 'linkLost', link: id, worker, reason }),
    });
    this.cycles = new CycleMembers({
      topology: definition,
      revision: init.revision,
      plan: () => this.plan,
      living: () => this.crew.living,
      links: () => this.links.all(),
      turns: this.turns,
      post: (report) => this.post(report),
    });
    if (init.transition !== null) this.links.know(init.transition.before.tasks, init.incarnations);
    this.changes = new Changes({
      worker: init.worker,
      clock: this.clock,
      description: init.description,
      crew: this.crew,
      links: this.links,
      counters: this.counters,
      inlets: this.inlets,
      reports: this.reports,
      activity: this.activity,
      started: new Promise((resolve) => (this.confirmStarted = resolve)),
      wiringOf: (plan, leaving, incarnations) => this.wiringOf(plan, leaving, incarnations),
      adopt: (plan, revision) => {
        this.plan = plan;
        this.revision = revision;
      },
      reopenCycles: (components, revision) => this.cycles.reopen(components, revision),
      rewired: () => this.rewired(),
      schedule: (task) => this.turns.schedule(task),
      post: (message) => this.post(message),
    });
    const { description } = init;
    const { clock, turns, crew, links, changes, cycles, activity, parameters, errors, reports, endpoint } = this;
    this.rewiring = new Rewiring({ description, crew, links, changes, cycles });
    const post = (message: FromWorker): void => this.post(message);
    const log: ContextHost['log'] = (...said) => this.contextHost.log(...said);
    this.restarts = new TaskRestarts({ clock, crew, activity, parameters, errors, turns, post, log });
    const { restarts } = this;
    const publishCounts = (): void => this.publishCounts(this.clock.now());
    const { control } = init;
    const parts = { control, turns, crew, restarts, activity, changes, links, endpoint, reports, publishCounts, post };
    this.ending = new Ending(parts);
  }

  /** All that tasks of that plan are made and connected with. */
  private wiringOf(plan: Plan, leaving: readonly TaskPlan[], incarnations: readonly number[]): WiringOptions {
    return {
      topology: this.definition,
      tasks: tasksByComponent(plan),
      leaving,
      incarnations,
      counters: this.counters,
      taskHost: this,
      inlets: this.inlets,
      pulse: this.pulse,
      contextHost: this.contextHost,
    };
  }

  /** Makes and prepares all tasks and listens to the supervisor; answers `prepared` or `refused`. */
  async run(told: readonly ToWorker[] = []): Promise<void> {
    this.init.control.on('message', (message: ToWorker) => this.onMessage(message));
    try {
      checkDefinition(this.definition, this.init);
      this.makeTasks();
      for (const message of told) this.onMessage(message);
      if (this.endpoint !== null) this.post({ type: 'listening', address: await this.endpoint.listen() });
      // Who is told to stop meanwhile does not wait for an `open` that may never end.
      await Promise.race([this.crew.prepare(this.crew.living), this.stopped]);
      this.post({ type: 'prepared', ingestTasks: this.inlets.tasks });
    } catch (error) {
      this.post({ type: 'refused', error: toWire(error) });
    }
    await this.stopped;
  }

  /** Counts are told when nothing more is to be done, and every few milliseconds. */
  private turnOver(tookMs: number, nowMs: number, isLast: boolean): void {
    this.changes.turnEnded();
    this.counters.addBusy(this.init.worker, tookMs);
    if (isLast || nowMs - this.publishedMs >= COUNTS_PUBLISHED_MS) this.publishCounts(nowMs);
  }

  private publishCounts(nowMs: number): void {
    this.publishedMs = nowMs;
    for (const { task } of this.crew.living) task.publishCounts();
  }

  // --- what tasks ask for -------------------------------------------------------------------------------------------

  schedule(task: RunnableTask): void {
    this.turns.schedule(task);
  }

  get saturated(): boolean {
    return this.turns.saturated;
  }

  scheduleCommit(task: RunnableTask): void {
    this.turns.scheduleCommit(task);
  }

  reportError(task: ReportingTask, call: string, error: unknown): void {
    this.errors.report(task.component, task.task, call, error);
    this.restarts.threw(task.task, call, error);
  }

  taskEnded(task: ReportingTask): void {
    // What became of its records is heard before its end.
    this.inlets.flush();
    this.post({ type: 'taskEnded', task: task.task, revision: this.revision });
  }

  letGo(task: ReportingTask, leaves: boolean): void {
    this.changes.letGo(this.crew.tasks.get(task.task)!, leaves);
  }

  endLocal(sourceTask: number, target: { readonly task: number }): void {
    this.links.receiveEnd(sourceTask, target.task, this.revision);
  }

  // --- the supervisor -----------------------------------------------------------------------------------------------

  private post(message: FromWorker): void {
    this.init.control.postMessage(message);
  }

  private onMessage(message: ToWorker): void {
    if (tellChanges(this.changes, message)) return;
    switch (message.type) {
      case 'start':
        void this.start(message.spouts, message.round);
        return;
      case 'switch':
        void this.carryOut(this.activity.switch(message.spouts), message.round);
        return;
      case 'rewire':
        this.rewire(message);
        return;
      case 'reach':
        this.endpoint?.reach(message.worker, message.address);
        return;
      case 'lost':
        for (const spout of this.crew.spouts) spout.failOpen();
        return;
      case 'workerGone':
        this.revision = message.revision;
        this.rewiring.gone(message.worker);
        this.rewired();
        this.post({ type: 'rewired', revision: message.revision });
        return;
      case 'ingest':
        this.inlets.receive(message.records);
        return;
      case 'parameters':
        this.parameters.change(message.parameters, this.crew.living);
        return;
      case 'drain':
        this.activity.drain();
        return;
      case 'stop':
        void this.stop();
        return;
      case 'printed':
        this.reports.printed(message.count);
        return;
      case 'cycle':
        this.cycles.told(message);
        return;
      case 'advance':
        this.advance(message.toMs);
        return;
      case 'probe':
        this.probed(message.round);
        return;
    }
  }

  private makeTasks(): void {
    const { init, crew } = this;
    const { transition } = init;
    for (const peer of init.peers) this.links.add(peer);
    const wiring = this.wiringOf(
      init.plan,
      transition === null ? [] : leavingOf(init.description, transition),
      init.incarnations,
    );
    const waiting = new Set(transition?.waitingSpouts);
    const own = init.plan.tasks.filter(({ task, worker }) => worker === init.worker && !waiting.has(task));
    for (const plan of own) {
      const living = makeTask(wiring, plan, init.spoutsEnded);
      this.code.push({ component: plan.component, task: plan.task, className: living.className });
      crew.add(living);
    }
    this.activity.enlist(crew.living);
    const linkTo = (worker: number) => this.links.to(worker);
    for (const plan of own)
      connect({ options: wiring, tasks: crew.tasks, linkTo, task: crew.tasks.get(plan.task)!, plan });
    if (transition !== null) this.changes.join(transition, wiring);
    for (const link of this.links.all()) link.open();
    this.rewired();
  }

  private rewired(): void {
    this.turns.serve(this.links.all(), this.crew.spouts);
    this.turns.request();
  }

  private async start(spouts: boolean, round: number): Promise<void> {
    await this.carryOut(
      this.activity.start(spouts).then(() => this.openGates()),
      round,
    );
  }

  private openGates(): void {
    this.active = true;
    this.crew.start(this.crew.living);
    for (const { task } of this.crew.living) this.turns.schedule(task);
    this.confirmStarted();
  }

  /** Says when a switch of the spouts is carried out, or why it cannot be. */
  private async carryOut(change: Promise<void> | undefined, round: number): Promise<void> {
    try {
      await change;
      this.post({ type: 'switched', round });
    } catch (error) {
      this.post({ type: 'refused', error: toWire(error) });
    }
  }

  /** A worker died, or only the link to it was lost; or none of both, as far as this one is concerned. */
  private rewire({ revision, peer, restarted, incarnations }: Extract<ToWorker, { readonly type: 'rewire' }>): void {
    this.revision = revision;
    if (peer !== null) this.rewiring.relink(this.plan, revision, peer, restarted, incarnations);
    this.rewired();
    this.post({ type: 'rewired', revision });
  }

  /** Ends it as a crash would: nothing is closed, what is under way is lost. */
  abandon(): void {
    this.ending.abandon();
  }

  private advance(toMs: number): void {
    if (!(this.clock instanceof VirtualClock)) return;
    while (this.clock.step(toMs));
    this.turns.request();
  }

  private probed(round: number): void {
    const { sentFrames, receivedFrames } = this.links.frames;
    const nextDueMs = this.clock instanceof VirtualClock ? (this.clock.nextDueMs() ?? null) : null;
    this.post({ type: 'probed', round, idle: this.turns.idle, sentFrames, receivedFrames, nextDueMs });
  }

  private async stop(): Promise<void> {
    await this.ending.stop(this.active);
    this.confirmStopped();
  }
}
