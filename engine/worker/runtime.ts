// One worker: its tasks, links and turns, steered by control messages of the supervisor. Runs in a thread of the pool,
// or in the calling thread of a test: it is the same code.
//
//   prepare ─► prepared ─► start ─► active ─┬─► switch: spouts are asked no more, or again (activity.ts)
//                                           ├─► drain ─► (all tasks end) ─► stop
//                                           └─► rewire (another worker died) ─► rewired ─► lost: open trees fail

import type { Ledger } from '../ack/ledger.js';
import { RealClock, VirtualClock, type Clock, type Timer } from '../clock.js';
import { failure, toWire } from '../errors.js';
import { CLOSE_TIMEOUT_MS, COUNTS_PUBLISHED_MS, tcpLinkLimits, type RuntimeLimits } from '../limits.js';
import type { Link } from '../link/link.js';
import { TcpEndpoint } from '../link/tcp/endpoint.js';
import { Counters } from '../metrics/counters.js';
import { canonicalJson, describe } from '../model/describe.js';
import type { Topology } from '../model/definition.js';
import { downstreamOf, tasksOf } from '../plan/plan.js';
import { Random } from '../random.js';
import { BoltTask } from '../task/bolt-task.js';
import { SpoutTask } from '../task/spout-task.js';
import type { ReportingTask, RunnableTask, TaskHost } from '../task/task-host.js';
import { NOT_ACTIVE, type Task } from '../task/task.js';
import { ErrorReporter, startError } from './error-reporter.js';
import type { FromWorker, PeerLink, ToWorker, WorkerInit } from './messages.js';
import { Activity } from './activity.js';
import { CycleMembers } from './cycle-members.js';
import { withDeadline } from './deadline.js';
import { Inlets } from './inlets.js';
import { Reports } from './reports.js';
import { Pulse } from './supervision/pulse.js';
import type { ComponentCode } from './supervision/suspect.js';
import { Turns } from './turns.js';
import { WorkerLinks } from './worker-links.js';
import { connect, makeTasks, type LivingTask, type WiringOptions } from './wiring.js';

/** What a thread lends to the worker that it is for. */
export interface ThreadParts {
  /** Told how many characters it logged; may hold its thread up. */
  readonly said: (characters: number) => void;
  readonly pulse: Pulse;
  /** Filled with the code of its components, for the thread's last words. */
  readonly code: ComponentCode[];
}

export class WorkerRuntime implements TaskHost {
  readonly topology: string;
  readonly limits: RuntimeLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: Float64Array;
  readonly strict: boolean;
  readonly callStack: Int32Array;
  nestedMs = 0;
  revision: number;
  /** Resolves when everything is closed. */
  readonly stopped: Promise<void>;

  private readonly init: WorkerInit;
  private readonly definition: Topology;
  private readonly allCounters: Counters;
  private readonly pulse: Pulse;
  private readonly code: ComponentCode[];
  private readonly turns: Turns;
  private readonly errors: ErrorReporter;
  private readonly reports: Reports;
  private readonly inlets = new Inlets((message) => this.post(message));
  private readonly closing = new AbortController();
  private readonly links: WorkerLinks;
  private readonly endpoint: TcpEndpoint | null;
  private readonly tasks = new Map<number, Task>();
  private readonly ledgers = new Map<number, Ledger>();
  private readonly wiring: WiringOptions;
  private living: LivingTask[] = [];
  private readonly spouts: SpoutTask[] = [];
  private readonly cycles: CycleMembers;
  private ticks: Timer[] = [];
  private activity: Activity | null = null;
  private active = false;
  private publishedMs = 0;
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
    const { plan } = init;
    this.allCounters = new Counters(plan.tasks.length, plan.workers, init.counters);
    this.counters = this.allCounters.words;
    const { said = () => undefined, code = [] } = thread;
    this.code = code;
    this.pulse = thread.pulse ?? new Pulse(init.limits.directDepthMax, init.pulse);
    this.callStack = this.pulse.callStack;
    this.turns = new Turns(
      this.clock,
      init.limits.turnMs,
      this.pulse,
      () => this.allCounters.beat(init.worker),
      (tookMs, nowMs, isLast) => this.turnOver(tookMs, nowMs, isLast),
    );
    this.errors = new ErrorReporter(this.clock, (report) => this.post({ type: 'error', report }));
    this.reports = new Reports(this.clock, init.checkpoints, (message) => this.post(message));
    this.stopped = new Promise((resolve) => (this.confirmStopped = resolve));
    this.endpoint =
      init.tcp === null
        ? null
        : // Sockets know no virtual time.
          new TcpEndpoint({ ...init.tcp, worker: init.worker, limits: tcpLinkLimits, clock: new RealClock() });
    this.links = new WorkerLinks({
      topology: definition,
      plan,
      limits: init.limits,
      counters: this.allCounters,
      incarnations: init.incarnations,
      tasks: this.tasks,
      ledgers: this.ledgers,
      turns: this.turns,
      endpoint: this.endpoint,
      frameRefused: (error) => this.errors.report('(link)', -1, 'receive', error),
      linkLost: ({ id, worker }, reason) => this.post({ type: 'linkLost', link: id, worker, reason }),
    });
    this.cycles = new CycleMembers({
      topology: definition,
      init,
      living: () => this.living,
      links: () => this.links.all(),
      turns: this.turns,
      post: (report) => this.post(report),
    });
    this.wiring = {
      topology: definition,
      plan,
      worker: init.worker,
      incarnations: init.incarnations,
      counters: this.allCounters,
      taskHost: this,
      inlets: this.inlets,
      pulse: this.pulse,
      contextHost: {
        topology: definition.name,
        filesRoot: init.filesRoot,
        signal: this.closing.signal,
        now: () => this.clock.now(),
        tasksOf: (component) => tasksOf(this.init.plan, component).map(({ task }) => task),
        print: (line) => this.reports.print(line),
        log: (level, component, message) => {
          this.post({ type: 'log', level, component, message });
          said(message.length);
        },
        checkpoint: (checkpoint) => this.reports.checkpoint(checkpoint),
        restored: (component, partition) => this.reports.restored(component, partition),
        metricsOf: (component, task, incarnation) => this.reports.metricsOf(component, task, incarnation),
      },
    };
  }

  /** Makes and prepares all tasks and listens to the supervisor; answers `prepared` or `refused`. */
  async run(told: readonly ToWorker[] = []): Promise<void> {
    this.init.control.on('message', (message: ToWorker) => this.onMessage(message));
    try {
      this.checkDefinition();
      this.makeTasks();
      for (const message of told) this.onMessage(message);
      await this.listen();
      // Who is told to stop meanwhile does not wait for an `open` that may never end.
      await Promise.race([this.prepareAll(), this.stopped]);
      this.post({ type: 'prepared', ingestTasks: this.inlets.tasks });
    } catch (error) {
      this.post({ type: 'refused', error: toWire(error) });
    }
    await this.stopped;
  }

  /** Counts are told when nothing more is to be done, and every few milliseconds. */
  private turnOver(tookMs: number, nowMs: number, isLast: boolean): void {
    this.allCounters.addBusy(this.init.worker, tookMs);
    if (isLast || nowMs - this.publishedMs >= COUNTS_PUBLISHED_MS) this.publishCounts(nowMs);
  }

  private publishCounts(nowMs: number): void {
    this.publishedMs = nowMs;
    for (const { task } of this.living) task.publishCounts();
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
  }

  taskEnded(task: ReportingTask): void {
    // What became of its records is heard before its end.
    this.inlets.flush();
    this.post({ type: 'taskEnded', task: task.task, revision: this.revision });
  }

  endLocal(sourceTask: number, target: { readonly task: number }): void {
    this.links.receiveEnd(sourceTask, target.task, this.revision);
  }

  // --- the supervisor -----------------------------------------------------------------------------------------------

  private post(message: FromWorker): void {
    this.init.control.postMessage(message);
  }

  private onMessage(message: ToWorker): void {
    switch (message.type) {
      case 'start':
        void this.start(message.spouts, message.round);
        return;
      case 'switch':
        void this.carryOut(this.activity?.switch(message.spouts), message.round);
        return;
      case 'rewire':
        this.rewire(message);
        return;
      case 'reach':
        this.endpoint?.reach(message.worker, message.address);
        return;
      case 'lost':
        for (const spout of this.spouts) spout.failOpen();
        return;
      case 'ingest':
        this.inlets.receive(message.records);
        return;
      case 'drain':
        this.activity?.drain();
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

  private checkDefinition(): void {
    if (canonicalJson(describe(this.definition)) === canonicalJson(this.init.description)) return;
    const { worker } = this.init;
    throw failure('MILLRACE_WORKER_DEFINITION', { worker, topology: this.init.description.name });
  }

  private makeTasks(): void {
    for (const peer of this.init.peers) this.links.add(peer);
    this.living = makeTasks(this.wiring);
    for (const { task, className } of this.living) {
      this.code.push({ component: task.component, task: task.task, className });
      this.tasks.set(task.task, task);
      if (!(task instanceof SpoutTask)) continue;
      this.spouts.push(task);
      this.ledgers.set(task.task, task.ledger);
    }
    this.activity = new Activity(this.living, ({ task }, call, error) => this.reportError(task, call, error));
    connect(this.wiring, this.tasks, (worker) => this.links.to(worker));
    for (const link of this.links.all()) link.open();
    this.turns.serve(this.links.all(), this.spouts);
  }

  private async listen(): Promise<void> {
    if (this.endpoint !== null) this.post({ type: 'listening', address: await this.endpoint.listen() });
  }

  /** Calls `open` or `prepare` of every task at once; the first failure names its component. */
  private async prepareAll(): Promise<void> {
    await Promise.all(
      this.living.map(async (living) => {
        try {
          await living.prepare();
        } catch (error) {
          throw startError(living.definition.kind === 'spout' ? 'open' : 'prepare', living.definition.id, error);
        }
      }),
    );
  }

  private async start(spouts: boolean, round: number): Promise<void> {
    await this.carryOut(
      this.activity?.start(spouts).then(() => this.openGates()),
      round,
    );
  }

  private openGates(): void {
    this.active = true;
    for (const { task, definition } of this.living) {
      task.gate &= ~NOT_ACTIVE;
      this.turns.schedule(task);
      const tickMs = definition.kind === 'bolt' ? definition.behavior.tickMs : null;
      if (tickMs !== null && task instanceof BoltTask) this.startTicks(task, tickMs);
    }
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

  private startTicks(task: BoltTask, tickMs: number): void {
    const place = this.ticks.length;
    let dueMs = this.clock.now();
    const next = (): void => {
      dueMs += tickMs;
      this.ticks[place] = this.clock.after(dueMs - this.clock.now(), () => {
        task.tick();
        next();
      });
    };
    next();
  }

  /**
   * A worker died: its tasks are new ones behind a new link, and what they and those below them ended is open again. Or
   * only the link to it was lost.
   */
  private rewire({ revision, peer, restarted, incarnations }: Extract<ToWorker, { readonly type: 'rewire' }>): void {
    this.revision = revision;
    if (peer !== null) this.relink(peer, restarted, incarnations);
    this.post({ type: 'rewired', revision });
  }

  private relink(peer: PeerLink, restarted: boolean, incarnations: readonly number[]): void {
    const behind = this.init.plan.tasks.filter((task) => task.worker === peer.worker);
    const tasks = new Set(behind.map((task) => task.task));
    const link = this.links.replace(peer, incarnations, tasks);
    // First who runs again: an end that is undone must not be told to the new tasks.
    if (restarted) this.reopen(new Set(behind.map((task) => task.component)), tasks);
    this.redirect(tasks, link);
    link.open();
    this.turns.serve(this.links.all(), this.spouts);
    this.turns.request();
  }

  /** Sends to the new link what went to the dead worker; who had ended tells the new tasks so. */
  private redirect(restarted: ReadonlySet<number>, link: Link): void {
    for (const { task } of this.living) {
      const told = new Set<number>();
      for (const target of task.targets()) {
        if (!restarted.has(target.task)) continue;
        target.redirect(link, task);
        if (!task.ended || told.has(target.task)) continue;
        told.add(target.task);
        target.channel!.pushEnd(this.revision);
      }
    }
  }

  private reopen(components: ReadonlySet<string>, restarted: ReadonlySet<number>): void {
    const below = downstreamOf(this.init.description, components);
    const running = new Set(restarted);
    for (const task of this.init.plan.tasks) if (below.has(task.component)) running.add(task.task);
    this.cycles.reopen(new Set([...components, ...below]), this.revision);
    for (const { task } of this.living) {
      if (!(task instanceof BoltTask)) continue;
      task.resumeInput(running, this.revision, below.has(task.component));
    }
  }

  /** Ends it as a crash would: nothing is closed, what is under way is lost. */
  abandon(): void {
    this.turns.stop();
    for (const tick of this.ticks) tick.cancel();
    for (const spout of this.spouts) spout.stopTimers();
    this.links.close();
    this.endpoint?.close();
    this.init.control.close();
  }

  private advance(toMs: number): void {
    if (!(this.clock instanceof VirtualClock)) return;
    while (this.clock.step(toMs));
    this.turns.request();
  }

  private probed(round: number): void {
    let sentFrames = 0;
    let receivedFrames = 0;
    for (const link of this.links.all()) {
      sentFrames += link.sentFrames;
      receivedFrames += link.receivedFrames;
    }
    const nextDueMs = this.clock instanceof VirtualClock ? (this.clock.nextDueMs() ?? null) : null;
    this.post({ type: 'probed', round, idle: this.turns.idle, sentFrames, receivedFrames, nextDueMs });
  }

  private async stop(): Promise<void> {
    this.turns.stop();
    for (const tick of this.ticks) tick.cancel();
    for (const spout of this.spouts) spout.stopTimers();
    for (const { task } of this.living) task.gate |= NOT_ACTIVE;
    this.closing.abort();
    for (const { task } of this.living) task.abortCalls(failure('MILLRACE_TASK_CLOSED', { component: task.component }));
    await Promise.all(this.living.map((living) => this.closeTask(living)));
    this.links.close();
    this.endpoint?.close();
    this.reports.flush();
    this.publishCounts(this.clock.now());
    this.post({ type: 'stopped' });
    this.init.control.close();
    this.confirmStopped();
  }

  private async closeTask(living: LivingTask): Promise<void> {
    if (this.active) await this.lastCall(living, 'endBatch', () => lastBatch(living.task));
    await this.activity?.deactivate(living);
    await this.lastCall(living, 'close', () => living.close());
  }

  private async lastCall(living: LivingTask, call: 'endBatch' | 'close', invoke: () => Promise<void>): Promise<void> {
    try {
      await withDeadline(invoke(), CLOSE_TIMEOUT_MS, call);
    } catch (error) {
      this.reportError(living.task, call, error);
    }
  }
}

/** What a bolt has executed and not yet committed is committed before it closes. */
async function lastBatch(task: Task): Promise<void> {
  if (!(task instanceof BoltTask)) return;
  await task.committing;
  task.commit();
  await task.committing;
}
