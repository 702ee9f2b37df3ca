// How far the spouts of a run are: not made yet, open, asked, or away for those of another version; what was wished of
// them last, and who waits for it. On the main thread.
//
//   starting ─ every bolt is active ─► standby ─ open ─┐
//      └─ every task is prepared ──────────────────────┴─► active ⇄ inactive ─ stand aside ─► aside
//                                                             ▲                                │ come back
//                                                             └────────────────────────────────┘
//
// While they are on their way aside, or back, the state is that of a run whose spouts are there.

import { failure } from '../errors.js';
import type { TopologyDescription } from '../model/describe.js';
import { Activation } from './activation.js';
import type { IngestDesk } from './ingest-desk.js';
import type { Checkpoint } from './messages.js';
import type { Rebalances } from './rebalances.js';
import type { RunOutput } from './run-output.js';
import type { RunReport } from './run-report.js';
import type { Seat, Seats } from './seats.js';

/** The parts of a run that have to do with its spouts. */
export interface RunSpoutsParts {
  readonly description: TopologyDescription;
  /** Spouts are made when they are asked for. */
  readonly standby: boolean;
  readonly seats: Seats;
  readonly report: RunReport;
  readonly desk: IngestDesk;
  readonly rebalances: Rebalances;
  readonly output: RunOutput;
  /** It has come to its end, and only closes what is left. */
  readonly isOver: () => boolean;
  /** All that is to be there at first is. */
  readonly started: () => void;
}

export class RunSpouts {
  private readonly parts: RunSpoutsParts;
  private readonly activation = new Activation();
  /** All workers were prepared once, and told to start. */
  private launched = false;

  constructor(parts: RunSpoutsParts) {
    this.parts = parts;
    if (parts.standby) parts.rebalances.standBy();
  }

  /** Every worker has carried out the last switch of the spouts. */
  get isSwitched(): boolean {
    return !this.parts.seats.all.some((seat) => this.isBehind(seat));
  }

  isBehind(seat: Seat): boolean {
    return seat.switched < this.activation.round;
  }

  /** A worker is prepared: it starts when all are, or at once. */
  prepared(seat: Seat): void {
    const { seats, desk, rebalances, standby, started } = this.parts;
    if (this.launched) {
      this.startSeat(seat);
      return;
    }
    if (!seats.all.every((each) => each.state === 'prepared')) return;
    this.launched = true;
    if (!standby) this.resume();
    for (const each of seats.all) this.startSeat(each);
    if (standby) return;
    desk.open();
    rebalances.started();
    started();
  }

  /** A worker has carried out a switch of the spouts. */
  switched(seat: Seat, round: number): void {
    seat.switched = round;
    this.confirmSwitched();
    this.standBy();
    this.parts.rebalances.switched(seat);
  }

  /** Who has carried it out may be another one now. */
  confirmSwitched(): void {
    this.activation.confirm(Math.min(...this.parts.seats.all.map((each) => each.switched)));
  }

  /** Spouts are asked from now on, or no more; resolves when that is carried out everywhere, or it is over. */
  async setActive(active: boolean): Promise<void> {
    const { activation } = this;
    const { report, seats, desk, isOver } = this.parts;
    if (isOver() || report.state === 'draining') return;
    if (activation.change(active) && this.launched) {
      if (report.state === 'active' || report.state === 'inactive') this.resume();
      if (!active) desk.refuse();
      for (const seat of seats.all) {
        // One that is not started yet is told when it is.
        if (seat.state !== 'active') continue;
        seats.post(seat, { type: 'switch', spouts: active, round: activation.round });
      }
    }
    await activation.done();
  }

  /**
   * Makes and opens the spouts of a run that stands by.
   *
   * @param completed - what is waited for when they cannot be opened
   * @throws as `TopologyRun.openSpouts` says
   */
  async open(checkpoints: readonly Checkpoint[], completed: Promise<unknown>): Promise<void> {
    const { report, rebalances, output, description } = this.parts;
    if (report.state !== 'standby' || rebalances.isOpening) {
      const { state } = report;
      throw failure('MILLRACE_SPOUTS_STATE', { topology: description.name, state, what: 'be opened' });
    }
    output.restore(checkpoints);
    try {
      await rebalances.openSpouts();
    } catch (error) {
      await completed;
      throw error;
    }
  }

  /** All that were waited for are open. */
  opened(): void {
    this.resume();
    this.parts.desk.open();
  }

  /** The state is that of a run whose spouts are there. */
  resume(): void {
    this.parts.report.state = this.activation.wanted ? 'active' : 'inactive';
  }

  /** Nothing will be carried out any more. */
  end(): void {
    this.activation.end();
  }

  private startSeat(seat: Seat): void {
    const { seats, report, desk } = this.parts;
    const { wanted, round } = this.activation;
    seat.state = 'active';
    seats.post(seat, { type: 'start', spouts: wanted, round });
    if (report.state === 'draining') seats.post(seat, { type: 'drain' });
    desk.workerStarted();
  }

  /** Every bolt is active, and no spout is to be made yet. */
  private standBy(): void {
    const { standby, seats, report, desk, rebalances, started, isOver } = this.parts;
    if (!standby || report.state !== 'starting' || isOver()) return;
    if (!this.isSwitched || seats.all.some((each) => each.state !== 'active')) return;
    report.state = 'standby';
    desk.wake();
    rebalances.started();
    started();
  }
}
