// Looks at the workers of a topology that have a thread of their own, several times a second: one whose loop stands
// still for too long is ended, and one that holds too much memory outside of its heap. On the main thread.
//
//   beats go on, or it is held up by its own output ─► all is well
//   stand still ─┬─ the process grows meanwhile ─► it is asked what it holds ─► too much: ended
//                └─ for longer than `stallMs` ─► it is asked where it stands ─► still there: ended
//
// Time is what this thread saw go by: while the whole process stands (a debugger, SIGSTOP, a sleeping laptop), nobody
// is to blame.

import type { Clock, Timer } from '../../clock.js';
import { LOOK_MS } from '../../limits.js';
import type { Ended } from './cause.js';
import { examineThread } from './examine-thread.js';
import type { Pulse } from './pulse.js';

/** A worker as it is watched. */
export interface Watched {
  readonly pulse: Pulse;
  /** Null until its thread has said hello. */
  readonly threadId: number | null;
}

export interface WorkerWatchOptions<T extends Watched> {
  readonly clock: Clock;
  /** Null: for ever. */
  readonly stallMs: number | null;
  readonly buffersBytesMax: number;
  /** The workers of now. */
  readonly workers: () => Iterable<T>;
  /** It is to be ended for that. */
  readonly end: (worker: T, ended: Ended) => void;
  /** Resident bytes of the process. */
  readonly residentBytes?: () => number;
  readonly examine?: typeof examineThread;
}

/** What was seen of one worker. */
class Sight {
  beats = 0;
  stillMs = 0;
  /** Resident bytes of the process when it began to stand still. */
  residentBytes = 0;
  examined = false;
  ended = false;
}

export class WorkerWatch<T extends Watched> {
  private readonly options: WorkerWatchOptions<T>;
  private readonly residentBytes: () => number;
  private readonly examine: typeof examineThread;
  private readonly sights = new WeakMap<T, Sight>();
  private stallMs: number | null;
  private lookedMs = 0;
  private timer: Timer | null = null;

  constructor(options: WorkerWatchOptions<T>) {
    this.options = options;
    this.stallMs = options.stallMs;
    this.residentBytes = options.residentBytes ?? (() => process.memoryUsage.rss());
    this.examine = options.examine ?? examineThread;
  }

  start(): void {
    this.lookedMs = this.options.clock.now();
    this.next();
  }

  /** From now on a worker may stall for so long at most. */
  hurry(stallMs: number): void {
    this.stallMs = Math.min(stallMs, this.stallMs ?? Infinity);
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  private next(): void {
    this.timer = this.options.clock.after(LOOK_MS, () => {
      this.look();
      this.next();
    });
  }

  private look(): void {
    const nowMs = this.options.clock.now();
    const elapsedMs = Math.min(nowMs - this.lookedMs, 2 * LOOK_MS);
    this.lookedMs = nowMs;
    let residentBytes: number | null = null;
    for (const worker of this.options.workers()) {
      const { pulse } = worker;
      const sight = this.sights.get(worker) ?? new Sight();
      this.sights.set(worker, sight);
      const { beats } = pulse;
      // Without a thread of its own it never beats.
      if (beats === 0 || worker.threadId === null || sight.ended) continue;
      if (beats !== sight.beats || pulse.isHeldUp) {
        sight.beats = beats;
        sight.stillMs = 0;
        this.checkBuffers(worker, sight, pulse.externalBytes, null);
        continue;
      }
      residentBytes ??= this.residentBytes();
      if (sight.stillMs === 0) sight.residentBytes = residentBytes;
      sight.stillMs += elapsedMs;
      this.lookCloser(worker, sight, residentBytes);
    }
  }

  /** It stands still. */
  private lookCloser(worker: T, sight: Sight, residentBytes: number): void {
    const { stallMs } = this;
    const { buffersBytesMax } = this.options;
    const grownTo = worker.pulse.externalBytes + residentBytes - sight.residentBytes;
    const stalls = stallMs !== null && sight.stillMs >= stallMs;
    if (sight.examined || !(stalls || grownTo > buffersBytesMax)) return;
    // One that turns out to be innocent is not suspected of the same growth again.
    sight.residentBytes = residentBytes;
    void this.question(worker, sight, stalls);
  }

  private async question(worker: T, sight: Sight, stalls: boolean): Promise<void> {
    sight.examined = true;
    const { stillMs } = sight;
    const examined = await this.examine(worker.threadId!);
    sight.examined = false;
    if (this.timer === null || sight.ended) return;
    if (examined === 'debugged') {
      sight.stillMs = 0;
      return;
    }
    const stack = examined?.stack ?? null;
    if (examined !== null) this.checkBuffers(worker, sight, examined.externalBytes, stack);
    // It may have come back meanwhile.
    if (!stalls || sight.ended || worker.pulse.beats !== sight.beats) return;
    this.end(worker, sight, { by: 'stall', ms: Math.round(stillMs), stack });
  }

  private checkBuffers(worker: T, sight: Sight, bytes: number, stack: string | null): void {
    if (bytes > this.options.buffersBytesMax) this.end(worker, sight, { by: 'buffers', bytes, stack });
  }

  private end(worker: T, sight: Sight, ended: Ended): void {
    sight.ended = true;
    this.options.end(worker, ended);
  }
}
