// The slots of all hosts, free and taken, in such an order that the best host for a worker is at hand: planning looks
// at no host twice for nothing, so that a thousand of them cost little. Made anew for each look of the master. Pure.
//
//   Room ── Realm (hosts of one protocol, which can run a topology together)
//        │     └─ Pool (those of them with the same labels) ── heap: most free slots first, then by name
//        └─ hosts without a door: a topology runs on one of them alone
//
// Invariant: a host stands in the heap of its pool with its present number of free slots, while it may be given
// workers and has a free one; entries of other numbers are old.

import { SLOTS_MAX } from '../../engine/limits.js';
import { memberOf } from '../paths.js';
import type { HostRecord, WorkerPlace } from '../topology-records.js';
import { Heap } from './heap.js';

/** One host and its slots. */
export class HostRoom {
  readonly record: HostRecord;
  readonly member: string;
  /** Its place among all hosts by name. */
  readonly rank: number;
  /** New workers may be placed here. */
  readonly isOpen: boolean;
  readonly pool: Pool;
  /** Free slots. */
  free: number;
  /** Counts up with each change of `free`. */
  stamp = 0;
  private readonly taken: Uint8Array;
  /** No slot below is free. */
  private lowest = 0;

  constructor(record: HostRecord, rank: number, isOpen: boolean, pool: Pool) {
    this.record = record;
    this.member = memberOf(record.host, record.boot);
    this.rank = rank;
    this.isOpen = isOpen;
    this.pool = pool;
    // Whatever its node says.
    this.free = Math.min(Math.max(record.slots, 0), SLOTS_MAX);
    this.taken = new Uint8Array(this.free);
  }

  /** The lowest free slot; there must be one. */
  get next(): number {
    while (this.taken[this.lowest] === 1) this.lowest++;
    return this.lowest;
  }

  /** Whether that changed anything. */
  set(slot: number, taken: boolean): boolean {
    const value = taken ? 1 : 0;
    // A slot that the host never had stays out of all sums.
    if (this.taken[slot] === undefined || this.taken[slot] === value) return false;
    this.taken[slot] = value;
    this.free += taken ? -1 : 1;
    if (!taken) this.lowest = Math.min(this.lowest, slot);
    return true;
  }
}

/** A host as it stood in a heap. */
interface Entry {
  readonly host: HostRoom;
  readonly free: number;
  readonly stamp: number;
}

/** Hosts of one realm with the same labels, as far as anybody asks for these. */
export class Pool {
  readonly realm: Realm;
  readonly labels: ReadonlySet<string>;
  /** Hosts that may be given workers. */
  open = 0;
  private readonly looked: () => void;
  private readonly heap: Heap<Entry>;

  /** @param looked - called each time that a host is looked at */
  constructor(realm: Realm, labels: ReadonlySet<string>, looked: () => void) {
    this.realm = realm;
    this.labels = labels;
    this.looked = looked;
    this.heap = new Heap((one, other) => {
      looked();
      return one.free > other.free || (one.free === other.free && one.host.rank < other.host.rank);
    });
  }

  /** Whether its hosts have all of these. */
  has(labels: readonly string[]): boolean {
    return labels.every((label) => this.labels.has(label));
  }

  /** The host with most free slots; null when none has any. */
  best(): HostRoom | null {
    for (let entry = this.heap.first; entry !== undefined; entry = this.heap.first) {
      this.looked();
      if (entry.stamp === entry.host.stamp) return entry.host;
      this.heap.pop();
    }
    return null;
  }

  /** Takes the best one out of sight, until it is offered again. */
  hide(): void {
    this.heap.pop();
  }

  offer(host: HostRoom): void {
    host.stamp++;
    if (host.isOpen && host.free > 0) this.heap.push({ host, free: host.free, stamp: host.stamp });
  }
}

/** Hosts that can run a topology together, or those of which each is alone. */
export interface Realm {
  /** What its hosts speak; null for hosts that are alone. */
  readonly protocol: number | null;
  readonly pools: Pool[];
  /** Slots that are free, of hosts that may be given workers. */
  free: number;
}

export interface RoomOptions {
  readonly hosts: Iterable<HostRecord>;
  /** What is taken. */
  readonly places: Iterable<readonly WorkerPlace[]>;
  /** Hosts that may be given workers. Default: all. */
  readonly isOpen?: (record: HostRecord) => boolean;
  /** Labels that somebody asks for; others make no difference. Default: none. */
  readonly labels?: ReadonlySet<string>;
}

export class Room {
  /** By `host~boot`. */
  readonly hosts: ReadonlyMap<string, HostRoom>;
  /** How often a host was looked at: what planning costs. */
  looks = 0;
  private readonly byProtocol = new Map<number | null, Realm>();

  constructor({ hosts, places, isOpen = () => true, labels = new Set() }: RoomOptions) {
    const pools = new Map<string, Pool>();
    const sorted = [...hosts]
      .map((record) => ({ record, member: memberOf(record.host, record.boot) }))
      .sort((a, b) => (a.member < b.member ? -1 : 1));
    const all = sorted.map(({ record }, rank): [string, HostRoom] => {
      const asked = [...new Set(record.labels)].filter((label) => labels.has(label)).sort();
      const protocol = record.door === undefined ? null : (record.protocol ?? 0);
      const key = JSON.stringify([protocol, asked]);
      const pool = pools.get(key) ?? this.pool(protocol, new Set(asked));
      pools.set(key, pool);
      const host = new HostRoom(record, rank, isOpen(record), pool);
      return [host.member, host];
    });
    this.hosts = new Map(all);
    for (const each of places) for (const place of each) this.hostOf(place)?.set(place.slot, true);
    for (const host of this.hosts.values()) {
      host.pool.offer(host);
      if (!host.isOpen) continue;
      host.pool.open++;
      host.pool.realm.free += host.free;
    }
  }

  hostOf({ host, boot }: WorkerPlace): HostRoom | undefined {
    return this.hosts.get(memberOf(host, boot));
  }

  /** Those whose hosts run topologies together: the one with most free slots first, then the newest protocol. */
  get shared(): readonly Realm[] {
    const realms = [...this.byProtocol.values()].filter(({ protocol }) => protocol !== null);
    return realms.sort((a, b) => b.free - a.free || b.protocol! - a.protocol!);
  }

  /** Hosts of which each is alone. */
  get alone(): Realm | null {
    return this.byProtocol.get(null) ?? null;
  }

  /** Takes the lowest free slot of that host, which has one. */
  takeNext(host: HostRoom): WorkerPlace {
    const slot = host.next;
    this.set(host, slot, true);
    return { host: host.record.host, boot: host.record.boot, slot };
  }

  /** Takes these slots, of hosts that are there; those that are taken already stay so. */
  take(places: readonly WorkerPlace[]): void {
    for (const place of places) this.set(this.hostOf(place), place.slot, true);
  }

  /** Gives slots back, of hosts that are still there. */
  give(places: readonly WorkerPlace[]): void {
    for (const place of places) this.set(this.hostOf(place), place.slot, false);
  }

  private set(host: HostRoom | undefined, slot: number, taken: boolean): void {
    if (host === undefined || !host.set(slot, taken)) return;
    if (host.isOpen) host.pool.realm.free += taken ? -1 : 1;
    host.pool.offer(host);
  }

  private pool(protocol: number | null, labels: ReadonlySet<string>): Pool {
    let realm = this.byProtocol.get(protocol);
    if (realm === undefined) {
      realm = { protocol, pools: [], free: 0 };
      this.byProtocol.set(protocol, realm);
    }
    const pool = new Pool(realm, labels, () => this.looks++);
    realm.pools.push(pool);
    return pool;
  }
}
