// Finds hosts for the workers of one topology, one after the other: the host with the fewest of them first, of these
// the one with most free slots, then by name; so they end up even. Only hosts with the labels of the worker's class,
// and without workers that it has to keep away from. Pure.
//
//   hosts without workers of the topology ── the heaps of their pools ──┐
//   hosts with some ── a heap a class: fewest first ────────────────────┴─► best
//
// Invariant: after `close` the room is in order again, whatever was picked.

import type { WorkerPlace } from '../topology-records.js';
import { Heap } from './heap.js';
import type { Layout } from './layout.js';
import type { HostRoom, Pool, Realm, Room } from './room.js';

/** A host with workers of this topology. */
interface Own {
  readonly host: HostRoom;
  workers: number;
  readonly byClass: number[];
}

/** One of them as it stood in a heap. */
interface Entry {
  readonly own: Own;
  readonly workers: number;
  readonly free: number;
}

export interface PickerOptions {
  readonly room: Room;
  /** Where its workers may be: hosts of a realm, or one host alone. */
  readonly within: Realm | HostRoom;
  readonly layout: Layout;
  /** Hosts, as `host~boot`, that get none of its workers. */
  readonly avoid: ReadonlySet<string>;
}

export class Picker {
  private readonly options: PickerOptions;
  private readonly own = new Map<HostRoom, Own>();
  private readonly heaps: readonly Heap<Entry>[];
  private readonly pools: readonly (readonly Pool[])[];
  /** What was taken out of the heaps of pools. */
  private readonly hidden: HostRoom[] = [];
  private readonly picked: WorkerPlace[] = [];

  constructor(options: PickerOptions) {
    this.options = options;
    const { within, layout, avoid } = options;
    const pools = 'pools' in within ? within.pools : [];
    this.pools = layout.classes.map(({ labels }) => pools.filter((pool) => pool.has(labels)));
    this.heaps = layout.classes.map(() => {
      return new Heap<Entry>((one, other) => {
        options.room.looks++;
        return comesBefore(one, other);
      });
    });
    if (!('pools' in within) && !avoid.has(within.member)) this.ownOf(within);
  }

  /** Counts a worker that is there; whether it may be there. */
  keep(place: WorkerPlace, worker: number): boolean {
    const host = this.options.room.hostOf(place);
    // Of a host that is away for a moment nothing is known, and nothing is decided.
    if (host === undefined) return true;
    const { within } = this.options;
    if ('pools' in within ? host.pool.realm !== within : host !== within) return false;
    const which = this.classOf(worker);
    if (!host.pool.has(this.options.layout.classes[which]!.labels) || !this.mayJoin(this.own.get(host), which)) {
      return false;
    }
    this.count(this.ownOf(host), which, 1);
    return true;
  }

  /** Workers of the topology on that host. */
  workersOn(host: HostRoom): number {
    return this.own.get(host)?.workers ?? 0;
  }

  /** The best host for that worker; null when there is none. */
  best(worker: number): HostRoom | null {
    return this.fresh(this.classOf(worker)) ?? this.bestOwn(worker);
  }

  /** The best of the hosts that have workers of the topology. */
  bestOwn(worker: number): HostRoom | null {
    const which = this.classOf(worker);
    const heap = this.heaps[which]!;
    for (let entry = heap.first; entry !== undefined; entry = heap.first) {
      const { own, workers, free } = entry;
      this.options.room.looks++;
      const isNow = workers === own.workers && free === own.host.free && free > 0;
      if (isNow && this.mayJoin(own, which)) return own.host;
      heap.pop();
    }
    return null;
  }

  /** Takes a slot there for that worker. */
  take(host: HostRoom, worker: number): WorkerPlace {
    const place = this.options.room.takeNext(host);
    this.picked.push(place);
    this.count(this.ownOf(host), this.classOf(worker), 1);
    return place;
  }

  /** Gives a slot back that no worker counts for. */
  give(place: WorkerPlace): void {
    const host = this.options.room.hostOf(place);
    this.options.room.give([place]);
    const own = host === undefined ? undefined : this.own.get(host);
    if (own !== undefined) this.show(own);
  }

  /** Gives the slot of a worker back. */
  leave(place: WorkerPlace, worker: number): void {
    const host = this.options.room.hostOf(place);
    this.options.room.give([place]);
    const own = host === undefined ? undefined : this.own.get(host);
    if (own !== undefined) this.count(own, this.classOf(worker), -1);
  }

  /** Puts everything into its order again. */
  close(): void {
    for (const host of this.hidden) host.pool.offer(host);
    this.hidden.length = 0;
  }

  /** Gives back what was picked, and closes. */
  undo(): void {
    this.options.room.give(this.picked);
    this.close();
  }

  private classOf(worker: number): number {
    return this.options.layout.classOf[worker]!;
  }

  /** The best host that has no worker of the topology. */
  private fresh(which: number): HostRoom | null {
    let best: HostRoom | null = null;
    for (const pool of this.pools[which]!) {
      let host = pool.best();
      while (host !== null && (this.own.has(host) || this.options.avoid.has(host.member))) {
        pool.hide();
        this.hidden.push(host);
        host = pool.best();
      }
      if (host === null) continue;
      if (best === null || host.free > best.free || (host.free === best.free && host.rank < best.rank)) best = host;
    }
    return best;
  }

  private mayJoin(own: Own | undefined, which: number): boolean {
    const { apart } = this.options.layout.classes[which]!;
    return own === undefined || !apart.some((other) => (own.byClass[other] ?? 0) > 0);
  }

  private ownOf(host: HostRoom): Own {
    let own = this.own.get(host);
    if (own === undefined) {
      own = { host, workers: 0, byClass: [] };
      this.own.set(host, own);
      this.show(own);
    }
    return own;
  }

  private count(own: Own, which: number, by: number): void {
    own.workers += by;
    own.byClass[which] = (own.byClass[which] ?? 0) + by;
    this.show(own);
  }

  private show(own: Own): void {
    const { host, workers } = own;
    const { avoid, layout } = this.options;
    if (!host.isOpen || host.free === 0 || avoid.has(host.member)) return;
    layout.classes.forEach(({ labels }, which) => {
      if (host.pool.has(labels)) this.heaps[which]!.push({ own, workers, free: host.free });
    });
  }
}

function comesBefore(one: Entry, other: Entry): boolean {
  if (one.workers !== other.workers) return one.workers < other.workers;
  return one.free > other.free || (one.free === other.free && one.own.host.rank < other.own.host.rank);
}
