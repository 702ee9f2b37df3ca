// One member as its lead sees it: the connection to it, and the workers that are to run there. What is said to a worker
// before its member is there waits.
//
//   awaited ── joined ──► there ── broken: its workers are dead ──► lost ─┬─ joined again ──► there
//                                                                        └─ too long ─► its workers are refused,
//                                                                           or somebody is told, who moves them
//
// On the main thread of the lead.

import type { CounterBlock } from '../../metrics/counter-blocks.js';
import type { MessagePort } from 'node:worker_threads';
import type { Clock, Timer } from '../../clock.js';
import { failure, toWire } from '../../errors.js';
import { MEMBER_LEAVING_SILENT_MS } from '../../limits.js';
import { charactersOf } from '../backlog.js';
import type { FromWorker, ToWorker, WorkerInit } from '../messages.js';
import type { WorkerHandle } from '../pool.js';
import type { Ended } from '../supervision/cause.js';
import type { MemberSocket } from './door.js';
import type { MemberToLead, RemoteTold, SharedBlock } from './messages.js';
import type { LeadWords } from './shared-words.js';

/** How often it is looked what of a worker's output is written out. */
const TAKEN_MS = 50;

/** A worker that runs there, or will. */
interface RemoteRun {
  readonly run: number;
  readonly init: WorkerInit;
  /** What it said that is not written out, as the supervisor counts it down. */
  readonly said: Int32Array;
  untold: number;
  /** The member has it. */
  started: boolean;
  /** What became of it, for those who ask why. */
  by: Ended | null;
  /** What it is to be told once it has. */
  held: ToWorker[];
  over: boolean;
  readonly finish: (reason: string | null) => void;
}

export interface MemberDeskOptions {
  readonly name: string;
  readonly words: LeadWords;
  readonly clock: Clock;
  /** Tells the user whom is waited for. */
  readonly say: (line: string) => void;
  /** A member that is needed is away when nothing was heard of it for so long … */
  readonly awayMs: number;
  /** … or when it did not come for so long after it began to be needed. */
  readonly comingMs: number;
  /** Told when it is away, and when it is there again. Default: its workers are refused then. */
  readonly onAway?: (isAway: boolean) => void;
}

export class MemberDesk {
  private readonly options: MemberDeskOptions;
  private readonly runs = new Map<number, RemoteRun>();
  private socket: MemberSocket | null = null;
  private nextRun = 0;
  private wasThere = false;
  private isAwaited = false;
  private deadline: Timer | null = null;
  private ticking: Timer | null = null;
  private leaving: Timer | null = null;

  constructor(options: MemberDeskOptions) {
    this.options = options;
  }

  get isThere(): boolean {
    return this.socket !== null;
  }

  /** Something is to run there. */
  get isNeeded(): boolean {
    return this.runs.size > 0;
  }

  start(init: WorkerInit): WorkerHandle {
    if (init.instrument !== null) throw new TypeError('an instrument cannot look into another process');
    const run = this.nextRun++;
    const { control } = init;
    let finish: (reason: string | null) => void = () => undefined;
    const ended = new Promise<string | null>((resolve) => (finish = resolve));
    const entry: RemoteRun = {
      run,
      init,
      said: new Int32Array(init.backlog),
      untold: 0,
      started: false,
      by: null,
      held: [],
      over: false,
      finish: (reason) => {
        if (entry.over) return;
        entry.over = true;
        this.runs.delete(run);
        control.close();
        finish(reason);
      },
    };
    this.runs.set(run, entry);
    control.on('message', (message: ToWorker) => this.tell(entry, message));
    if (this.socket !== null) this.begin(entry, this.socket);
    else if (!this.wasThere && !this.isAwaited) this.await();
    // It was given up when nothing was to run there.
    else if (this.deadline === null && (this.wasThere || this.options.onAway !== undefined)) this.awaitComing();
    return {
      ended,
      threadId: null,
      get endedBy() {
        return entry.by;
      },
      kill: () => Promise.resolve(this.kill(entry)),
    };
  }

  /** It is there: what was to run there runs. */
  joined(socket: MemberSocket): void {
    this.socket = socket;
    this.deadline?.cancel();
    this.deadline = null;
    const { onAway, say } = this.options;
    if (this.isAwaited || this.wasThere) say(`member "${this.options.name}" is there`);
    this.wasThere = true;
    this.isAwaited = false;
    onAway?.(false);
    socket.send({ type: 'welcome' });
    for (const entry of [...this.runs.values()]) this.begin(entry, socket);
    this.tick();
  }

  /**
   * Whether any worker is to be there. One that is to have none and says nothing is not waited for: it is given up
   * because it died, or was stopped, and would close nothing.
   */
  stays(isWanted: boolean): void {
    this.leaving?.cancel();
    this.leaving = null;
    if (isWanted || this.socket === null) return;
    if (this.socket.silentMs >= MEMBER_LEAVING_SILENT_MS) this.socket.break('it is given up, and says nothing');
    else this.leaving = this.options.clock.after(MEMBER_LEAVING_SILENT_MS, () => this.stays(false));
  }

  /** Its connection broke: whatever ran there is gone, whether the process lives or not. */
  lost(socket: MemberSocket, reason: string): void {
    if (this.socket !== socket) return;
    this.socket = null;
    this.ticking?.cancel();
    this.leaving?.cancel();
    const { name, say, awayMs } = this.options;
    say(`member "${name}" was lost: ${reason}; it may be back within ${awayMs / 1000} s`);
    this.awaitFor(Math.max(0, awayMs - socket.quietMs));
    for (const entry of [...this.runs.values()]) {
      if (!entry.started) continue;
      // Nothing that ran there is to blame.
      entry.by = { by: 'operator' };
      entry.finish(`member "${name}" was lost: ${reason}`);
    }
  }

  heard(message: Extract<MemberToLead, { readonly run: number }>): void {
    const entry = this.runs.get(message.run);
    if (entry === undefined) return;
    if (message.type === 'ended') {
      entry.by = message.by;
      entry.finish(message.reason);
      return;
    }
    this.pass(entry, message.message);
  }

  /** What its workers do, as they showed it last. */
  showed(pulses: readonly (readonly [run: number, words: Int32Array])[]): void {
    for (const [run, words] of pulses) {
      const entry = this.runs.get(run);
      if (entry === undefined) continue;
      const own = new Int32Array(entry.init.pulse);
      if (words.length === own.length) own.set(words);
    }
  }

  /** Nobody counts there any more. */
  forget(memory: number): void {
    this.socket?.send({ type: 'forget', memory });
  }

  /** The topology has ended. */
  end(): void {
    this.deadline?.cancel();
    this.ticking?.cancel();
    this.leaving?.cancel();
    for (const entry of [...this.runs.values()]) entry.finish('the topology has ended');
    this.socket?.send({ type: 'over' });
    this.socket?.end();
    this.socket = null;
  }

  private await(): void {
    this.isAwaited = true;
    this.options.say(`waiting for member "${this.options.name}"`);
    if (this.options.onAway !== undefined) this.awaitComing();
  }

  private begin(entry: RemoteRun, socket: MemberSocket): void {
    if (entry.started) return;
    entry.started = true;
    const { control: _c, counters, backlog: _b, pulse: _p, instrument: _i, ...init } = entry.init;
    socket.send({ type: 'start', run: entry.run, init, counters: counters.map((block) => this.shared(block)) });
    for (const message of entry.held) socket.send({ type: 'tell', run: entry.run, message: this.travelling(message) });
    entry.held = [];
  }

  private shared(block: CounterBlock): SharedBlock {
    return { ...block, memory: this.options.words.share(block.memory) };
  }

  private travelling(message: ToWorker): RemoteTold {
    return message.type === 'prepareChange' ? { ...message, counters: this.shared(message.counters) } : message;
  }

  private tell(entry: RemoteRun, message: ToWorker): void {
    if (entry.started) this.socket?.send({ type: 'tell', run: entry.run, message: this.travelling(message) });
    else if (message.type === 'stop') this.stopWaiting(entry);
    else entry.held.push(message);
  }

  /** Nothing of it ever ran. */
  private stopWaiting(entry: RemoteRun): void {
    post(entry.init.control, { type: 'stopped' });
    entry.finish(null);
  }

  private kill(entry: RemoteRun): void {
    if (entry.started) this.socket?.send({ type: 'kill', run: entry.run });
    else entry.finish('killed');
  }

  private pass(entry: RemoteRun, message: FromWorker): void {
    // The number of its thread means nothing here.
    if (message.type === 'hello') return;
    // Counted on this side as the worker itself counts on the other one: the supervisor counts down.
    if (message.type === 'output') this.count(entry, charactersOf(message.lines));
    else if (message.type === 'log') this.count(entry, message.message.length);
    post(entry.init.control, message);
  }

  private count(entry: RemoteRun, characters: number): void {
    Atomics.add(entry.said, 0, characters);
    entry.untold += characters;
  }

  /** Tells workers what of their output is written out, so that they may say more. */
  private tick(): void {
    this.ticking = this.options.clock.after(TAKEN_MS, () => {
      for (const entry of this.runs.values()) {
        const characters = entry.untold - Atomics.load(entry.said, 0);
        if (characters <= 0) continue;
        entry.untold -= characters;
        this.socket?.send({ type: 'taken', run: entry.run, characters });
      }
      this.tick();
    });
  }

  private awaitComing(): void {
    this.awaitFor(this.options.comingMs);
  }

  private awaitFor(waitMs: number): void {
    this.deadline?.cancel();
    this.deadline = this.options.clock.after(waitMs, () => this.giveUp());
  }

  private giveUp(): void {
    this.deadline = null;
    const { name, awayMs, onAway } = this.options;
    if (!this.isNeeded) return;
    if (onAway !== undefined) {
      // Said again as long as it is so.
      onAway(true);
      this.awaitFor(awayMs);
      return;
    }
    const error = toWire(failure('MILLRACE_MEMBER_LOST', { member: name, seconds: awayMs / 1000 }, { fatal: true }));
    for (const entry of this.runs.values()) post(entry.init.control, { type: 'refused', error });
  }
}

function post(control: MessagePort, message: FromWorker): void {
  control.postMessage(message);
}
