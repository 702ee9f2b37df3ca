// Where the workers of a simulated run are: its lead looks again and again which places it reaches, starts there what
// does not run yet, with an incarnation of its own, and tells which hosts it has not reached for a while.
//
//   place ─ reached ─► worker runs, incarnation n ─ not reached, moved, dead ─► none ─ reached ─► incarnation n + 1

import { memberOf } from '../../coordination/paths.js';
import { isSame, type WorkerPlace } from '../../coordination/topology-records.js';
import type { PartAt, RunAt, RunnerParts } from './witness.js';

/** How long a lead waits until it says that a host is away. */
const AWAY_MS = 2_000;

/** One worker. */
interface Seat {
  place: WorkerPlace;
  /** The next one that starts here has that. */
  incarnation: number;
  /** Where it runs: at its lead, or in a membership; null: it does not. */
  at: 'lead' | PartAt | null;
  reachedAtMs: number;
}

export class Seats {
  private readonly runner: RunnerParts;
  private readonly run: RunAt;
  private readonly away: (hosts: readonly string[]) => void;
  private seats: Seat[] = [];
  /** Of workers that were there: who comes again goes on counting. */
  private readonly counts: number[] = [];
  private told = '';

  constructor(runner: RunnerParts, run: RunAt, away: (hosts: readonly string[]) => void) {
    this.runner = runner;
    this.run = run;
    this.away = away;
  }

  get places(): readonly WorkerPlace[] {
    return this.seats.map(({ place }) => place);
  }

  runs(worker: number): boolean {
    return this.seats[worker] !== undefined && this.seats[worker].at !== null;
  }

  /** Workers that need not move stay. */
  place(places: readonly WorkerPlace[]): void {
    const { clock } = this.runner;
    this.seats = places.map((place, worker) => {
      const before = this.seats[worker];
      if (before !== undefined && isSame(before.place, place)) return before;
      const incarnation = this.counts[worker] ?? this.run.order.firstIncarnation;
      return { place, incarnation, at: null, reachedAtMs: clock.now() };
    });
    this.look();
  }

  /** Starts what does not run where it can, and notices what is gone. */
  look(): void {
    this.seats.forEach((seat, worker) => this.lookAt(seat, worker));
    const nowMs = this.runner.clock.now();
    const hosts = this.seats.flatMap(({ place, reachedAtMs }) =>
      nowMs - reachedAtMs >= AWAY_MS ? memberOf(place.host, place.boot) : [],
    );
    const away = [...new Set(hosts)].sort();
    if (away.join() === this.told) return;
    this.told = away.join();
    this.away(away);
  }

  /** That worker has died, and is started again. */
  dies(worker: number): void {
    const seat = this.seats[worker];
    if (seat === undefined) return;
    seat.at = null;
    this.look();
  }

  private lookAt(seat: Seat, worker: number): void {
    const { run, runner } = this;
    const { host, boot } = seat.place;
    const isHere = host === runner.where;
    const there = isHere ? 'lead' : runner.witness.reach(run, memberOf(host, boot));
    if (there !== null) seat.reachedAtMs = runner.clock.now();
    if (seat.at === there) return;
    seat.at = there;
    if (there === null) return;
    this.counts[worker] = seat.incarnation + 1;
    runner.witness.incarnated(run, worker, seat.incarnation++);
  }
}
