// A machine of the simulated cluster: one host process after the other, each with a clock, a session and runs of its
// own, and the small parent that ends the session of a process that died and starts the next one.
//
//   down ─► starting ─► up ─┬─ killed ─► down ─ parent: session closed, started again
//              ▲            ├─ stopped ─► goes on
//              └────────────┴─ left

import type { Logger } from '../../engine/log.js';
import { Random } from '../../engine/random.js';
import { ClusterHost } from '../../coordination/host/cluster-host.js';
import { memberOf } from '../../coordination/paths.js';
import type { TopologyRunner } from '../../coordination/host/runner.js';
import type { Session, Store } from '../../coordination/store/contract.js';
import type { SimulatedStore } from '../../coordination/store/simulated/simulated-store.js';
import type { Journal } from './journal.js';
import { SimRunner } from './runner.js';
import type { RunHabits, RunWitness } from './witness.js';
import { ProcessClock, type WorldTime } from './time.js';

/** What is built otherwise to prove that a rule bites; nothing in a true simulation. */
export interface Wiring {
  /** What a host sees of the store, and how it reaches it. */
  readonly session?: (session: Session, host: string) => Session;
  readonly runner?: (runner: SimRunner) => TopologyRunner;
}

export interface MachineOptions {
  readonly name: string;
  readonly slots: number;
  readonly seed: number;
  /** How far its wall clock is off. */
  readonly offMs: number;
  readonly time: WorldTime;
  readonly store: SimulatedStore;
  readonly journal: Journal;
  readonly witness: RunWitness;
  readonly habits: () => RunHabits;
  readonly wiring: Wiring;
  readonly isStoreAway: () => boolean;
}

/** One process. */
export interface Life {
  readonly host: ClusterHost;
  readonly clock: ProcessClock;
  readonly runner: SimRunner;
  /** The sessions that it opened; the last one may live. */
  readonly sessions: string[];
  isUp: boolean;
  isLeaving: boolean;
}

export class Machine {
  readonly name: string;
  readonly slots: number;
  life: Life | null = null;
  /** Nothing passes between it and the store. */
  isCut = false;
  /** Nothing passes between it and the other machines. */
  isApart = false;
  private readonly options: MachineOptions;
  private lives = 0;

  constructor(options: MachineOptions) {
    this.options = options;
    this.name = options.name;
    this.slots = options.slots;
  }

  /** Its process is there, and is not stopped. */
  get isRunning(): boolean {
    return this.life !== null && !this.life.clock.isStopped;
  }

  get isUp(): boolean {
    return this.isRunning && this.life!.isUp && !this.life!.isLeaving;
  }

  /** As the store knows its present process. */
  get member(): string | null {
    return this.life === null ? null : memberOf(this.name, this.life.host.boot);
  }

  start(): void {
    if (this.life !== null) return;
    const { name, slots, seed, time, store, journal, witness, habits, wiring, offMs } = this.options;
    const clock = new ProcessClock(time);
    const random = new Random(seed + 7919 * ++this.lives);
    const runner = new SimRunner(name, clock, new Random(random.nextInt32()), witness, habits);
    const sessions: string[] = [];
    const client = store.client(name, clock);
    const seen: Store = {
      connect: async (options) => {
        const session = await client.connect(options);
        sessions.push(session.id);
        return wiring.session?.(session, name) ?? session;
      },
    };
    const host = new ClusterHost({
      store: seen,
      host: name,
      slots,
      runner: wiring.runner?.(runner) ?? runner,
      door: () => `${name}:7071`,
      clock,
      logger: this.logger(),
      random,
      wallMs: () => 1.7e12 + offMs + time.now(),
    });
    const life: Life = { host, clock, runner, sessions, isUp: false, isLeaving: false };
    this.life = life;
    journal.note(`${name} is started as ${host.boot.slice(0, 6)}`);
    host.start().then(
      () => (life.isUp = true),
      (error: unknown) => {
        journal.note(`${name} did not start: ${String(error)}`);
        if (this.life === life) this.gone(life, 2_000);
      },
    );
  }

  /**
   * SIGKILL. The parent ends its session, if it is there to do that, and the next process is started (Infinity: never).
   */
  kill(parent: 'alive' | 'dead', startAgainMs: number): void {
    const { life } = this;
    if (life === null) return;
    const { journal, store, time } = this.options;
    journal.note(`${this.name} is killed, its parent is ${parent}`);
    store.disconnect(this.name);
    this.gone(life, startAgainMs);
    const session = life.sessions.at(-1);
    if (parent === 'alive' && session !== undefined) time.after(20, () => this.closeSession(session));
  }

  /** What the parent does, as soon as it reaches the store. */
  private closeSession(session: string): void {
    const { store, time, isStoreAway } = this.options;
    if (this.isCut || isStoreAway()) time.after(500, () => this.closeSession(session));
    else void store.expire(session);
  }

  stop(ms: number): void {
    const { life } = this;
    if (life === null || life.clock.isStopped) return;
    const { journal, time } = this.options;
    journal.note(`${this.name} is stopped for ${Math.round(ms)} ms`);
    life.clock.stop();
    time.after(ms, () => this.goOn(life));
  }

  goOn(life: Life | null = this.life): void {
    if (life === null || life.clock.isDead || !life.clock.isStopped) return;
    this.options.journal.note(`${this.name} goes on`);
    life.clock.goOn();
  }

  /** Leaves in good order, and starts again. */
  leave(startAgainMs: number): void {
    const { life } = this;
    if (life === null || life.isLeaving || life.clock.isStopped) return;
    this.options.journal.note(`${this.name} leaves`);
    life.isLeaving = true;
    void life.host.close().then(() => this.gone(life, startAgainMs));
  }

  cut(): void {
    this.isCut = true;
    this.options.store.partition(this.name);
  }

  heal(): void {
    this.isCut = false;
    this.options.store.heal(this.name);
  }

  private gone(life: Life, startAgainMs: number): void {
    life.clock.die();
    if (this.life !== life) return;
    this.life = null;
    if (startAgainMs !== Infinity) this.options.time.after(startAgainMs, () => this.start());
  }

  private logger(): Logger {
    const { journal, name } = this.options;
    const say =
      (level: string) =>
      (message: string): void =>
        journal.note(`${name} ${level}: ${message}`);
    return { debug: (message) => journal.mark(message), info: say('info'), warn: say('warn'), error: say('error') };
  }
}
