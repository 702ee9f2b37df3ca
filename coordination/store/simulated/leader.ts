// The simulated leader: the one tree that counts, the order of all changes, and which sessions live. A session ends
// when nothing of it was heard for its timeout, and only here. After the store stood still every session has its whole
// timeout again, as with ZooKeeper, whose new leader starts their clocks anew.
//
// Invariant: a session is bound to its newest connection; what an older one still had under way is refused, so that
// nothing is carried out behind what came later.

import type { Clock, Timer } from '../../../engine/clock.js';
import { failure } from '../../../engine/errors.js';
import type { StoreUser } from '../access.js';
import type { AccessRule } from '../contract.js';
import { endSession, type Applied, type TransactionContext } from '../embedded/transaction.js';
import { Tree } from '../embedded/tree.js';

interface LivingSession {
  readonly id: string;
  readonly users: readonly StoreUser[];
  readonly timeoutMs: number;
  heardAtMs: number;
  /** Counts its connections; only the last one counts. */
  connection: number;
  timer: Timer;
}

/** A change as the servers get it. */
export interface Change {
  readonly revision: number;
  /** The session that asked for it, or that ended. */
  readonly session: string;
  readonly effects: Applied['effects'];
}

export interface LeaderOptions {
  readonly clock: Clock;
  readonly treeBytesMax: number;
  /** The rules of nodes that are created without any; null: everybody everything. */
  readonly access: readonly AccessRule[] | null;
  /** A change is decided. */
  readonly decided: (change: Change) => void;
  /** A session is over. */
  readonly ended: (sessionId: string) => void;
}

export class Leader {
  readonly tree = new Tree();
  revision = 0;
  /** Whether it does anything: false while the store is stopped. */
  running = true;
  private readonly options: LeaderOptions;
  private readonly sessions = new Map<string, LivingSession>();
  private nextSession = 1;

  constructor(options: LeaderOptions) {
    this.options = options;
  }

  /** Opens a session; its first connection is number 1. */
  open(users: readonly StoreUser[], timeoutMs: number): string {
    const { clock } = this.options;
    const id = `simulated-${this.nextSession++}`;
    const timer = clock.after(timeoutMs, () => this.expire(id));
    this.sessions.set(id, { id, users, timeoutMs, heardAtMs: clock.now(), connection: 1, timer });
    return id;
  }

  /** Binds a session to a new connection; gives back its number, or null when the session is over. */
  resume(id: string): number | null {
    const session = this.sessions.get(id);
    if (session === undefined) return null;
    this.heard(id);
    return ++session.connection;
  }

  /** Something came from that session. */
  heard(id: string): void {
    const session = this.sessions.get(id);
    if (session !== undefined) session.heardAtMs = this.options.clock.now();
  }

  usersOf(id: string): readonly StoreUser[] {
    return this.sessions.get(id)?.users ?? [];
  }

  lives(id: string): boolean {
    return this.sessions.has(id);
  }

  /**
   * Carries a change of that session out.
   *
   * @returns the revision from which on servers show it
   * @throws what the change throws; MILLRACE_STORE_UNAVAILABLE when the session has moved on, or is over
   */
  change(id: string, connection: number, run: (context: TransactionContext) => Applied): number {
    const session = this.sessions.get(id);
    if (session?.connection !== connection) {
      throw failure('MILLRACE_STORE_UNAVAILABLE', { what: 'a write', reason: 'its session has another connection' });
    }
    this.heard(id);
    const { treeBytesMax, access } = this.options;
    const { tree, revision } = this;
    this.decide(id, run({ tree, session: id, users: session.users, access, revision: revision + 1, treeBytesMax }));
    return this.revision;
  }

  /** Ends a session, with what is ephemeral in it; gives back the revision from which on servers show that. */
  end(id: string): number {
    const session = this.sessions.get(id);
    if (session === undefined) return this.revision;
    session.timer.cancel();
    this.sessions.delete(id);
    this.decide(id, endSession(this.tree, id, this.revision + 1));
    this.options.ended(id);
    return this.revision;
  }

  stop(): void {
    this.running = false;
    for (const session of this.sessions.values()) session.timer.cancel();
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    for (const { id } of this.sessions.values()) {
      this.heard(id);
      this.expire(id);
    }
  }

  private decide(session: string, { effects }: Applied): void {
    if (effects.length === 0) return;
    this.revision++;
    this.options.decided({ revision: this.revision, session, effects });
  }

  /** Ends the session if its time is over, else looks again when it would be. */
  private expire(id: string): void {
    const session = this.sessions.get(id);
    if (session === undefined) return;
    const leftMs = session.heardAtMs + session.timeoutMs - this.options.clock.now();
    if (leftMs <= 0) this.end(id);
    else session.timer = this.options.clock.after(leftMs, () => this.expire(id));
  }
}
