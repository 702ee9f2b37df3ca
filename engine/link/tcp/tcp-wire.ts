// A wire of two TCP sockets, between workers of two processes: one lane for data and one for control, so that neither
// waits behind the other. One end connects, the other one is connected to; both keep what is not confirmed, so a broken
// socket loses nothing.
//
//   opened ─ address known ─► each lane: connecting ⇄ attached ── socket broke ─► waiting (back-off) ─► connecting …
//                                   └── not attached for resumeMs, or refused for good ──► lost
//
// On the worker's thread.

import type { Clock, Timer } from '../../clock.js';
import type { TcpLinkLimits } from '../../limits.js';
import type { Frame, Wire, WireReceiver } from '../wire.js';
import { TcpLane, type LaneOwner } from './lane.js';

/** Where a worker listens. */
export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** The other end of a link. */
export interface TcpPeer {
  /** The number of the link, which no other link of the topology ever had. */
  readonly link: number;
  /** The worker at the other end. */
  readonly worker: number;
  /** This end connects, the other one is connected to. */
  readonly connects: boolean;
}

/** The endpoint of a worker: what its wires share. */
export interface WireKeeper {
  readonly clock: Clock;
  readonly limits: TcpLinkLimits;
  /** Where that worker listens, once it is known. */
  addressOf(worker: number): TcpAddress | null;
  /** Connects, greets and asks for that lane; attaches it when all goes well. */
  connect(wire: TcpWire, lane: TcpLane, address: TcpAddress): Promise<Connected>;
  opened(wire: TcpWire): void;
  closed(wire: TcpWire): void;
}

/** What became of an attempt to connect. */
export type Connected =
  | 'attached'
  | 'again'
  /** The worker there has no such link: not yet, or no more. */
  | 'unknown'
  /** No further attempt can go better. */
  | { readonly refused: string };

const DATA = 0;
const CONTROL = 1;

/** A lane with what is done about its socket. */
interface LaneState {
  readonly lane: TcpLane;
  wasAttached: boolean;
  connecting: boolean;
  retryMs: number;
  retry: Timer | null;
  deadline: Timer | null;
}

export class TcpWire implements Wire, LaneOwner {
  readonly peer: TcpPeer;
  readonly limits: TcpLinkLimits;
  private readonly keeper: WireKeeper;
  private readonly lanes: readonly [LaneState, LaneState];
  private receiver: WireReceiver | null = null;
  private beats: Timer | null = null;
  private closed = false;

  constructor(peer: TcpPeer, keeper: WireKeeper) {
    this.peer = peer;
    this.keeper = keeper;
    this.limits = keeper.limits;
    this.lanes = [
      this.stateOf(new TcpLane(DATA, this, (frame) => this.receiver?.data(frame))),
      this.stateOf(new TcpLane(CONTROL, this, (frame) => this.receiver?.control(frame))),
    ];
  }

  open(receiver: WireReceiver): void {
    this.receiver = receiver;
    this.keeper.opened(this);
    this.beatLater();
    this.reach();
  }

  sendData(frame: Frame): void {
    this.lanes[DATA].lane.send(frame);
  }

  sendControl(frame: Frame): void {
    this.lanes[CONTROL].lane.send(frame);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.beats?.cancel();
    for (const state of this.lanes) {
      state.retry?.cancel();
      state.deadline?.cancel();
      state.lane.close();
    }
    this.keeper.closed(this);
  }

  /** Connects where that is its part, if it is known where to. */
  reach(): void {
    if (!this.peer.connects || this.keeper.addressOf(this.peer.worker) === null) return;
    for (const state of this.lanes) {
      if (state.lane.attached || state.connecting) continue;
      this.waitFor(state);
      void this.connect(state);
    }
  }

  /** The lane of that kind, for the end that is connected to. */
  lane(kind: number): TcpLane | null {
    return this.peer.connects || this.closed ? null : (this.lanes[kind]?.lane ?? null);
  }

  /** A lane has a socket: what was planned for want of one is off. */
  attached(lane: TcpLane): void {
    const state = this.lanes[lane.kind]!;
    state.wasAttached = true;
    state.retryMs = this.limits.retryMinMs;
    state.deadline?.cancel();
    state.deadline = null;
  }

  broken(lane: TcpLane): void {
    if (this.closed) return;
    const state = this.lanes[lane.kind]!;
    this.waitFor(state);
    if (this.peer.connects) this.connectLater(state);
  }

  failed(reason: string): void {
    if (this.closed) return;
    const { receiver } = this;
    this.close();
    receiver?.lost(reason);
  }

  private stateOf(lane: TcpLane): LaneState {
    const { retryMinMs } = this.limits;
    return { lane, wasAttached: false, connecting: false, retryMs: retryMinMs, retry: null, deadline: null };
  }

  /** The time runs in which a socket must be there again. */
  private waitFor(state: LaneState): void {
    const { resumeMs } = this.limits;
    const { worker } = this.peer;
    state.deadline ??= this.keeper.clock.after(resumeMs, () =>
      this.failed(`worker ${worker} was not reached for ${resumeMs / 1000} s`),
    );
  }

  private async connect(state: LaneState): Promise<void> {
    const address = this.keeper.addressOf(this.peer.worker);
    if (this.closed || address === null) return;
    state.connecting = true;
    const connected = await this.keeper.connect(this, state.lane, address);
    state.connecting = false;
    if (this.closed || connected === 'attached') return;
    if (typeof connected === 'object') this.failed(connected.refused);
    // Who does not know the link may not have heard of it yet, but once it knew it, it has given it up.
    else if (connected === 'unknown' && state.wasAttached) this.failed(`worker ${this.peer.worker} gave the link up`);
    else this.connectLater(state);
  }

  private connectLater(state: LaneState): void {
    state.retry = this.keeper.clock.after(state.retryMs, () => void this.connect(state));
    state.retryMs = Math.min(state.retryMs * 2, this.limits.retryMaxMs);
  }

  private beatLater(): void {
    this.beats = this.keeper.clock.after(this.limits.beatMs, () => {
      for (const { lane } of this.lanes) lane.beat();
      if (!this.closed) this.beatLater();
    });
  }
}
