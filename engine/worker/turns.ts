// Runs the tasks of a worker in cooperative turns on its thread: slices of ready tasks, one after the other, for about
// a millisecond; then commits, so that acks may leave; then the links, so that batches leave; then ports and timers get
// their time. Nothing runs while nothing is ready: an idle worker sleeps on its ports.
//
//   ready [ a b c ] ─slice─► a  b  c  a … (1 ms) ─► endBatch ─► flush links ─► setImmediate ─► next turn

import type { Clock } from '../clock.js';
import { SATURATED_TURNS } from '../limits.js';
import type { Link } from '../link/link.js';
import type { SpoutTask } from '../task/spout-task.js';
import { NO_TASK, type RunnableTask } from '../task/task-host.js';
import type { Pulse } from './supervision/pulse.js';

/** Slices in a turn at most: bounds a turn when the clock stands still, as it does in tests. */
const SLICES_MAX = 64;

/** Is told how long a turn took, when it ended, and whether no other one follows by itself. */
export type TurnOver = (tookMs: number, nowMs: number, isLast: boolean) => void;

export class Turns {
  private readonly clock: Clock;
  private readonly turnMs: number;
  private readonly pulse: Pulse;
  private readonly beat: () => void;
  private readonly over: TurnOver;
  private readonly ready: RunnableTask[] = [];
  private first = 0;
  private commits: RunnableTask[] = [];
  private requested = false;
  private stopped = false;
  private look: (() => void) | null = null;
  private busyTurns = 0;
  private isSaturated = false;
  private links: readonly Link[] = [];
  private spouts: readonly SpoutTask[] = [];

  /**
   * @param beat - called when a turn begins
   * @param over - called when it has ended
   */
  constructor(clock: Clock, turnMs: number, pulse: Pulse, beat: () => void, over: TurnOver) {
    this.clock = clock;
    this.turnMs = turnMs;
    this.pulse = pulse;
    this.beat = beat;
    this.over = over;
  }

  /** There has been more to do than its turns hold, for a while and until it no longer is so. */
  get saturated(): boolean {
    return this.isSaturated;
  }

  /** Nothing is to be done until something comes in. */
  get idle(): boolean {
    return !this.requested;
  }

  /** Has that called at the end of each turn, when everything that could leave has left. */
  afterEach(look: () => void): void {
    this.look = look;
  }

  serve(links: readonly Link[], spouts: readonly SpoutTask[]): void {
    this.links = links;
    this.spouts = spouts;
  }

  schedule(task: RunnableTask): void {
    if (task.scheduled) return;
    task.scheduled = true;
    this.ready.push(task);
    this.request();
  }

  scheduleCommit(task: RunnableTask): void {
    if (task.commitScheduled) return;
    task.commitScheduled = true;
    this.commits.push(task);
    this.request();
  }

  request(): void {
    if (this.requested || this.stopped) return;
    this.requested = true;
    setImmediate(this.turn);
  }

  stop(): void {
    this.stopped = true;
    this.requested = false;
  }

  private readonly turn = (): void => {
    if (this.stopped) return;
    this.requested = false;
    this.beat();
    const startMs = this.clock.now();
    this.runSlices(startMs);
    this.finishTurn();
    if (this.look !== null) this.look();
    const leftWork = this.first < this.ready.length;
    this.watchLoad(leftWork);
    if (leftWork || this.commits.length > 0) this.request();
    const nowMs = this.clock.now();
    this.over(nowMs - startMs, nowMs, !this.requested);
  };

  private watchLoad(leftWork: boolean): void {
    this.busyTurns = leftWork ? Math.min(this.busyTurns + 1, SATURATED_TURNS) : this.busyTurns >> 1;
    if (this.busyTurns === SATURATED_TURNS) this.isSaturated = true;
    else if (this.busyTurns === 0) this.isSaturated = false;
  }

  private runSlices(startMs: number): void {
    const untilMs = startMs + this.turnMs;
    for (let slices = 0; slices < SLICES_MAX && this.first < this.ready.length; slices++) {
      const task = this.ready[this.first++]!;
      if (this.first === this.ready.length) {
        this.ready.length = 0;
        this.first = 0;
      }
      task.scheduled = false;
      this.pulse.slice(task.task);
      task.run();
      if (this.clock.now() >= untilMs) break;
    }
    this.pulse.slice(NO_TASK);
    if (this.first > 1024) {
      this.ready.splice(0, this.first);
      this.first = 0;
    }
  }

  private finishTurn(): void {
    const commits = this.commits;
    this.commits = [];
    for (const task of commits) {
      task.commitScheduled = false;
      this.pulse.slice(task.task);
      task.commit();
    }
    if (commits.length > 0) this.pulse.slice(NO_TASK);
    for (const link of this.links) link.flush();
    for (const spout of this.spouts) if (spout.hasNews) this.schedule(spout);
  }
}
