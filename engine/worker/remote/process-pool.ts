// A pool whose workers are threads of several processes: those of the lead, which supervises the topology, and those of
// its members, which join it through its door. Which process has which worker is given, and may change: who stands in
// the old place is ended by whoever asks for that, and its replacement starts in the new one. On the main thread of the
// lead.

import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../../clock.js';
import { failure } from '../../errors.js';
import { MEMBER_RETURN_MS } from '../../limits.js';
import type { TopologyConfig } from '../../model/definition.js';
import type { PeerLink, WorkerInit } from '../messages.js';
import { ThreadPool, type WorkerHandle, type WorkerPool } from '../pool.js';
import type { SpareThreads } from '../spare-threads.js';
import { memoryShare } from '../supervision/memory-shares.js';
import type { Door, Guest, Hosting, MemberSocket } from './door.js';
import { MemberDesk } from './member-desk.js';
import { tcpOf, type Reach } from './reach.js';
import { LeadWords } from './shared-words.js';
import { Unlinked } from './unlinked.js';

export interface ProcessPoolOptions {
  /** What the process of this pool is called. */
  readonly lead: string;
  /** By worker, which process has it. */
  readonly places: readonly string[];
  /** How many workers there may be; null: as many as are given places. */
  readonly workersMax: number | null;
  /** Who may join; null: whoever is given a place. */
  readonly members: readonly string[] | null;
  /** Workers of this process that share its machine's memory. */
  readonly slots: number;
  /** Where members come in, and what they call this run there. */
  readonly door: Door;
  readonly run: string;
  readonly reach: Reach;
  /** Threads that stand by. Default: none do. */
  readonly spares?: SpareThreads | null;
  /** What the topology says about memory. */
  readonly config: TopologyConfig;
  /** The SHA-256 of the topology file. */
  readonly hash: string;
  readonly clock: Clock;
  /** Tells the user whom is waited for. */
  readonly say: (line: string) => void;
  /**
   * Told of a member that has been needed and not there for `awayMs`, and when it is there again. Default: the topology
   * fails then.
   */
  readonly onAway?: (member: string, isAway: boolean) => void;
  /** Default `MEMBER_RETURN_MS`. */
  readonly awayMs?: number;
  /** The same for a member that has just been given its first worker. Default: `awayMs`. */
  readonly comingMs?: number;
  /** Called once it is destroyed. */
  readonly onDestroyed?: () => void;
}

export class ProcessPool implements WorkerPool {
  readonly usesTcp = true;
  private readonly options: ProcessPoolOptions;
  private readonly hosting: Hosting;
  private readonly threads: ThreadPool;
  private readonly words = new LeadWords();
  /** By worker, where it is. */
  private readonly places: string[];
  /** By worker, where it is to be. */
  private readonly wanted: string[];
  private readonly desks = new Map<string, MemberDesk>();
  private readonly unlinked = new Unlinked();

  constructor(options: ProcessPoolOptions) {
    this.options = options;
    this.places = [...options.places];
    this.wanted = [...options.places];
    const own = this.places.filter((place) => place === options.lead).length;
    const { heapMb } = memoryShare(options.config, options.slots);
    this.threads = new ThreadPool({ threads: own, heapMbMax: heapMb, spares: options.spares ?? null });
    this.hosting = { join: (...member) => this.join(...member) };
    options.door.open(options.run, this.hosting);
  }

  get workersMax(): number {
    return this.options.workersMax ?? Infinity;
  }

  /**
   * Which process has which worker from now on. Those beyond are about to end: they stay where they are, but where
   * nobody is there the lead has them until then.
   *
   * @returns the workers that are elsewhere, of which some may be over: each moves when it is replaced
   */
  place(places: readonly string[]): readonly number[] {
    this.wanted.splice(0, Infinity, ...places);
    for (const [name, desk] of this.desks) {
      desk.stays(this.wanted.includes(name));
      this.dropUnused(name);
    }
    return this.places.flatMap((now, worker) => {
      const isRight = worker < places.length ? now === places[worker] : this.isThere(now);
      return isRight ? [] : worker;
    });
  }

  private isThere(name: string): boolean {
    return name === this.options.lead || this.desks.get(name)?.isThere === true;
  }

  enter(worker: number): void {
    const before = this.places[worker];
    this.places[worker] = this.wanted[worker] ?? this.options.lead;
    if (before !== undefined) this.dropUnused(before);
  }

  linkKind(first: number, second: number): PeerLink['kind'] {
    const place = this.places[first];
    if (place !== this.places[second]) return 'tcp';
    return place === this.options.lead ? 'ports' : 'beside';
  }

  start(init: WorkerInit, transfer: readonly MessagePort[]): WorkerHandle {
    const place = this.places[init.worker]!;
    if (place !== this.options.lead) return this.desk(place).start(init);
    return this.threads.start({ ...init, tcp: tcpOf(init.tcp, this.options.reach) }, transfer);
  }

  linkLost(first: number, second: number): void {
    const { lead, clock, onAway } = this.options;
    const [one, other] = [this.places[first], this.places[second]];
    // Whom the lead reaches is looked at elsewhere.
    if (one === undefined || other === undefined || one === other || one === lead || other === lead) return;
    const suspect = this.unlinked.lost(one, other, clock.now());
    if (suspect !== null) onAway?.(suspect, true);
  }

  forget(memory: SharedArrayBuffer): void {
    const number = this.words.forget(memory);
    if (number === null) return;
    for (const desk of this.desks.values()) desk.forget(number);
  }

  async destroy(): Promise<void> {
    this.options.door.shut(this.options.run, this.hosting);
    for (const desk of this.desks.values()) desk.end();
    await this.threads.destroy();
    this.options.onDestroyed?.();
  }

  private desk(name: string): MemberDesk {
    const known = this.desks.get(name);
    if (known !== undefined) return known;
    const { clock, say, onAway, awayMs = MEMBER_RETURN_MS, comingMs = awayMs } = this.options;
    const away = onAway === undefined ? {} : { onAway: (isAway: boolean) => onAway(name, isAway) };
    const desk = new MemberDesk({ name, words: this.words, clock, say, awayMs, comingMs, ...away });
    this.desks.set(name, desk);
    return desk;
  }

  /** @throws why it may not */
  private join(member: MemberSocket, name: string, hash: string): Guest {
    const known = this.options.members ?? this.wanted;
    if (name === this.options.lead || !known.includes(name)) {
      throw failure('MILLRACE_MEMBER_UNKNOWN', { member: name, known: [...new Set(known)].join(', ') });
    }
    if (hash !== this.options.hash) throw failure('MILLRACE_MEMBER_FILE', { member: name });
    const desk = this.desk(name);
    if (desk.isThere) throw failure('MILLRACE_MEMBER_TAKEN', { member: name });
    desk.joined(member);
    return {
      heard: (message) => {
        if (message.type === 'counted') {
          this.words.apply(message.changed);
          desk.showed(message.pulses);
        } else {
          desk.heard(message);
        }
      },
      lost: (reason) => {
        desk.lost(member, reason);
        this.dropUnused(name);
      },
    };
  }

  /** A member that is gone and has no worker any more: with each start a host has another name. */
  private dropUnused(name: string): void {
    const desk = this.desks.get(name);
    if (desk === undefined || desk.isThere || desk.isNeeded || this.wanted.includes(name)) return;
    desk.end();
    this.desks.delete(name);
  }
}
