// The workers of one topology as its supervisor sees them, one seat each: started, told, replaced when they die. On the
// main thread.
//
//   preparing ─ prepared ─► prepared ─ start ─► active ─ stop ─► stopped
//        └───────────┴── its thread ended unasked ──┴──► dead ─► a new seat in its place
//
//   replace ─► new incarnations, a new thread, new ports to all others (`rewire`)
//           ─► all who were there have confirmed ─► `lost`: nothing that is opened later can have been lost
//   grow ─► new seats behind the others, which are told (`prepareChange`)      shrink ─► the last ones stop
//
// Invariant: a seat that is dead is never heard again, and an incarnation is used by one thread only.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { WireError } from '../errors.js';
import type { CounterBlock } from '../metrics/counter-blocks.js';
import { STOP_TIMEOUT_MS } from '../limits.js';
import type { Plan, TaskPlan } from '../plan/plan.js';
import { Backlog } from './backlog.js';
import { closed, Mesh, portsOf } from './mesh.js';
import type { FromWorker, PeerLink, Probed, ToWorker, Transition, WorkerInit } from './messages.js';
import type { WorkerHandle, WorkerPool } from './pool.js';
import type { Ended } from './supervision/cause.js';
import { Pulse } from './supervision/pulse.js';
import type { Suspect } from './supervision/suspect.js';

/** A worker as the supervisor sees it. */
export interface Seat {
  readonly worker: number;
  readonly control: MessagePort;
  readonly handle: WorkerHandle;
  state: 'preparing' | 'prepared' | 'active' | 'stopped' | 'dead';
  /** The last wiring that it confirmed. */
  revision: number;
  /** The last switch of the spouts, on or off, that it has carried out. */
  switched: number;
  /** Resolves when it is over and all that it said was heard; null after it was stopped, else what it died of. */
  readonly gone: Promise<string | null>;
  /** What it said and is not written out. */
  readonly backlog: Backlog;
  readonly pulse: Pulse;
  /** What runs here has begun before: another worker was in its place, or its spouts begin anew. */
  isReplacement: boolean;
  /** It is dead, and is replaced after a while. */
  isAwaited: boolean;
  /** What its thread said that it dies of, when it could, and whose doing that was. */
  lastWords: WireError | null;
  suspect: Suspect | null;
  /** Why it was ended on purpose, if it was. */
  ended: Ended | null;
}

/** What a worker is told at its start beyond where it stands in the wiring. */
export type InitBase = Omit<
  WorkerInit,
  'worker' | 'incarnations' | 'revision' | 'control' | 'peers' | 'tcp' | 'backlog' | 'pulse'
>;

/** Whom the seats belong to. */
export interface SeatOwner {
  initOf(worker: number): InitBase;
  heard(seat: Seat, message: FromWorker): void;
  /** Its link to another worker was lost, and is being made anew. */
  linkLost(seat: Seat, other: number, reason: string): void;
  /** It is over, asked or unasked. */
  gone(seat: Seat, reason: string | null): void;
}

export class Seats {
  readonly all: Seat[] = [];
  /** Counts the wirings. */
  revision = 0;
  private plan: Plan;
  /** Stopped because the plan has no tasks for them any more. */
  private readonly leaving = new Set<Seat>();
  private readonly pool: WorkerPool;
  private readonly owner: SeatOwner;
  /** Of each task, by its number. */
  private readonly incarnations: number[];
  private readonly mesh: Mesh;
  private readonly probes = new Map<number, (answer: Probed) => void>();
  private unconfirmed = false;

  /** @param firstIncarnation - of every task */
  constructor(plan: Plan, pool: WorkerPool, firstIncarnation: number, owner: SeatOwner) {
    this.plan = plan;
    this.pool = pool;
    this.mesh = new Mesh(pool);
    this.owner = owner;
    this.incarnations = plan.tasks.map(() => firstIncarnation);
  }

  /** Starts every worker. */
  open(): void {
    // Places may have changed since the pool was made.
    for (let worker = 0; worker < this.plan.workers; worker++) this.pool.enter?.(worker);
    const links = this.mesh.all(this.plan.workers);
    for (let worker = 0; worker < this.plan.workers; worker++) this.seat(worker, links[worker]!);
  }

  /** A worker is being started, replaced or stopped now, or wiring is not confirmed yet. */
  get changing(): boolean {
    return this.unconfirmed || this.all.some((seat) => seat.state !== 'active' && !seat.isAwaited);
  }

  /** Resolves when every worker is over, and all that it said was heard. */
  async gone(): Promise<void> {
    await Promise.all([...this.all, ...this.leaving].map((seat) => seat.gone));
  }

  /** It is one of those of now. */
  has(seat: Seat): boolean {
    return this.all[seat.worker] === seat;
  }

  incarnationOf(task: number): number {
    return this.incarnations[task] ?? 0;
  }

  /** The plan is to change: starts the workers that it adds, and has the others make ready. */
  grow(transition: Transition, born: ReadonlyMap<number, number>, counters: CounterBlock): void {
    const { before, after } = transition;
    for (const [task, incarnation] of born) this.incarnations[task] = incarnation;
    const peers: PeerLink[][] = Array.from({ length: Math.max(before.workers, after.workers) }, () => []);
    for (let worker = before.workers; worker < after.workers; worker++) {
      this.pool.enter?.(worker);
      for (let other = 0; other < worker; other++) {
        const ends = this.mesh.pair(worker, other);
        peers[worker]!.push(ends.first);
        peers[other]!.push(ends.second);
      }
    }
    for (const seat of this.all) {
      const own = peers[seat.worker]!;
      const incarnations = [...this.incarnations];
      const message: ToWorker = { type: 'prepareChange', transition, incarnations, counters, peers: own };
      seat.control.postMessage(message, portsOf(own));
    }
    for (let worker = before.workers; worker < after.workers; worker++) this.seat(worker, peers[worker]!);
  }

  /** That plan holds from now on. */
  adopt(plan: Plan): void {
    this.plan = plan;
  }

  /** Ends the workers from that number on; resolves when they are gone. */
  async shrink(workers: number): Promise<void> {
    const ending = this.all.splice(workers).filter((seat) => seat.state !== 'dead');
    this.confirmWiring();
    await Promise.all(ending.map((seat) => this.stop(seat)));
  }

  private async stop(seat: Seat): Promise<void> {
    this.leaving.add(seat);
    this.post(seat, { type: 'stop' });
    // One that does not come to its end by itself.
    const straggles = setTimeout(() => void seat.handle.kill(), STOP_TIMEOUT_MS);
    await seat.gone;
    clearTimeout(straggles);
    seat.control.close();
    this.leaving.delete(seat);
  }

  /** Those spouts had let go and begin anew: gives the wiring that every worker then has to confirm. */
  revive(spouts: readonly TaskPlan[]): number {
    this.revision++;
    const { revision, plan } = this;
    for (const { task, worker } of spouts) {
      this.incarnations[task]!++;
      // What keeps it from beginning now did not before.
      this.all[worker]!.isReplacement = true;
    }
    const numbers = spouts.map(({ task }) => task);
    this.broadcast({ type: 'revive', revision, plan, spouts: numbers, incarnations: [...this.incarnations] });
    return revision;
  }

  /** A worker that was not to be there any longer died: the others are told so. */
  drop(worker: number): void {
    this.revision++;
    this.unconfirmed = true;
    const { revision } = this;
    for (const seat of this.all) if (seat.state !== 'dead') this.post(seat, { type: 'workerGone', worker, revision });
    this.confirmWiring();
  }

  /** Every worker has the wiring of that revision, or a later one. */
  isWired(revision: number): boolean {
    return !this.all.some((seat) => seat.state !== 'dead' && seat.revision < revision);
  }

  post(seat: Seat, message: ToWorker): void {
    seat.control.postMessage(message);
  }

  broadcast(message: ToWorker): void {
    for (const seat of this.all) this.post(seat, message);
  }

  /** New incarnations on a new thread, new links to all others; then those confirm. */
  replace(worker: number): void {
    this.revision++;
    for (const task of this.plan.tasks) if (task.worker === worker) this.incarnations[task.task]!++;
    const peers: PeerLink[] = [];
    this.unconfirmed = true;
    this.pool.enter?.(worker);
    for (const seat of this.all) {
      if (seat.worker === worker) continue;
      const ends = this.mesh.pair(worker, seat.worker);
      peers.push(ends.first);
      // One that is dead too gets its links when it is replaced itself; until then this one leads nowhere.
      if (seat.state !== 'dead') this.rewire(seat, ends.second, true);
    }
    this.seat(worker, peers);
    this.confirmWiring();
  }

  /** A new link between two workers that live, in place of one that was lost; then all confirm. */
  private renew(first: Seat, second: Seat): void {
    this.revision++;
    this.unconfirmed = true;
    const ends = this.mesh.pair(first.worker, second.worker);
    for (const seat of this.all) {
      if (seat.state === 'dead') continue;
      this.rewire(seat, seat === first ? ends.first : seat === second ? ends.second : null, false);
    }
  }

  private rewire(seat: Seat, peer: PeerLink | null, restarted: boolean): void {
    const { revision } = this;
    const rewire: ToWorker = { type: 'rewire', revision, peer, restarted, incarnations: [...this.incarnations] };
    seat.control.postMessage(rewire, peer === null ? [] : portsOf([peer]));
  }

  /** Asks every worker whether it has anything to do. */
  async probe(round: number): Promise<readonly Probed[]> {
    const alive = this.all.filter((seat) => seat.state === 'active' || seat.state === 'prepared');
    const answers = await Promise.all(
      alive.map(
        (seat) =>
          new Promise<Probed | null>((resolve) => {
            this.probes.set(seat.worker, resolve);
            void seat.gone.then(() => resolve(null));
            this.post(seat, { type: 'probe', round });
          }),
      ),
    );
    return answers.filter((answer) => answer !== null);
  }

  private seat(worker: number, peers: readonly PeerLink[]): void {
    const { port1, port2 } = new MessageChannel();
    const backlog = new Backlog();
    const base = this.owner.initOf(worker);
    const pulse = new Pulse(base.limits.directDepthMax);
    const init: WorkerInit = {
      ...base,
      backlog: backlog.memory,
      pulse: pulse.memory,
      worker,
      incarnations: [...this.incarnations],
      revision: this.revision,
      control: port2,
      peers,
      tcp: this.mesh.tcpFor(worker, peers),
    };
    const transfer = [port2, ...portsOf(peers)];
    if (init.instrument !== null) transfer.push(init.instrument.port);
    const handle = this.pool.start(init, transfer);
    const seat: Seat = {
      worker,
      control: port1,
      handle,
      state: 'preparing',
      revision: this.revision,
      switched: 0,
      gone: Promise.all([handle.ended, closed(port1, handle.ended)]).then(([reason]) => reason),
      backlog,
      pulse,
      isReplacement: this.all[worker] !== undefined,
      isAwaited: false,
      lastWords: null,
      suspect: null,
      ended: null,
    };
    this.all[worker] = seat;
    port1.on('message', (message: FromWorker) => this.onMessage(seat, message));
    void seat.gone.then((reason) => this.owner.gone(seat, reason));
  }

  private onMessage(seat: Seat, message: FromWorker): void {
    if (seat.state === 'dead') return;
    switch (message.type) {
      case 'hello':
        seat.handle.threadId = message.threadId;
        // It was to be ended before it could be.
        if (seat.ended !== null) void seat.handle.kill();
        return;
      case 'prepared':
        seat.state = 'prepared';
        this.owner.heard(seat, message);
        return;
      case 'listening':
        this.mesh.listening(seat.worker, message.address);
        this.tellOthers(seat, { type: 'reach', worker: seat.worker, address: message.address });
        return;
      case 'linkLost':
        this.linkLost(seat, message);
        return;
      case 'rewired':
        seat.revision = Math.max(seat.revision, message.revision);
        this.confirmWiring();
        this.owner.heard(seat, message);
        return;
      case 'dying':
        seat.lastWords = message.error;
        seat.suspect = message.suspect;
        return;
      case 'stopped':
        seat.state = 'stopped';
        return;
      case 'probed':
        this.probes.get(seat.worker)?.(message);
        return;
      default:
        this.owner.heard(seat, message);
    }
  }

  /**
   * Unless the worker at its other end is gone too, a link that was lost is made anew; who tells of it second is late.
   */
  private linkLost(seat: Seat, { link, worker, reason }: Extract<FromWorker, { readonly type: 'linkLost' }>): void {
    const other = this.all[worker];
    if (other === undefined || !isLiving(seat) || !isLiving(other)) return;
    if (!this.mesh.isCurrent(link, seat.worker, worker)) return;
    this.owner.linkLost(seat, worker, reason);
    this.renew(seat, other);
  }

  private tellOthers(seat: Seat, message: ToWorker): void {
    for (const other of this.all) if (other !== seat && other.state !== 'dead') this.post(other, message);
  }

  /** Once all who were there have the new wiring, nothing more can be lost: what was open before may be. */
  private confirmWiring(): void {
    if (!this.unconfirmed || !this.isWired(this.revision)) return;
    this.unconfirmed = false;
    this.broadcast({ type: 'lost', revision: this.revision });
  }
}

function isLiving(seat: Seat): boolean {
  return seat.state !== 'dead' && seat.state !== 'stopped';
}
