// The sessions of a thread: one for each place, whichever of its tasks use it, opened by the first and closed by the
// last of them. A session cannot cross threads, so a topology has as many as it has workers with such tasks; a process
// of one topology in eight workers takes eight, which ZooKeeper bears well. Invariant: a follower begins once in each
// session that comes while it is there, and its end is called before the next one begins. Any thread, each with its
// own.
//
//   first lease ─► connecting ─► session ─► every follower begins
//                     ▲            └─lost─► every follower ends ─┐
//                     └──────── with back-off ───────────────────┘         last lease ─► closed

import type { Clock } from '../../../engine/clock.js';
import type { Logger } from '../../../engine/log.js';
import type { Session, Store, Subscription } from '../../store/contract.js';
import { SessionKeeper } from '../../store/session-keeper.js';
import { whenAborted } from '../../store/signals.js';
import type { StorePlace } from './place.js';

/** Opens the store at a place; rejects only when it can never be opened. */
export type OpenStore = (place: StorePlace, logger: Logger) => Promise<Store>;

/** Begins what goes with a session; what it gives back ends that. */
export type Follower = (session: Session) => () => void;

/** What sessions are opened with. */
export interface ThreadSessionOptions {
  readonly open: OpenStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The part of one task in a session. */
export interface SessionLease {
  /**
   * The present session, or the next one.
   *
   * @throws the reason of the signal
   */
  session(signal: AbortSignal): Promise<Session>;
  /** Has it begin in the present session and in each later one. */
  follow(follower: Follower): Subscription;
  /** Ends the part of this task; the session is closed when it was the last one. May be called again. */
  release(): Promise<void>;
}

/** By how they are opened, then by their places: tests open stores of their own. */
const open = new Map<OpenStore, Map<string, ThreadSession>>();

/**
 * The session of this thread with that place.
 *
 * @throws what `open` rejects with
 */
export async function leaseSession(place: StorePlace, options: ThreadSessionOptions): Promise<SessionLease> {
  const places = open.get(options.open) ?? new Map<string, ThreadSession>();
  open.set(options.open, places);
  const key = JSON.stringify(place);
  const shared = places.get(key) ?? new ThreadSession(place, options, () => places.delete(key));
  places.set(key, shared);
  return await shared.lease();
}

class ThreadSession {
  private readonly starting: Promise<void>;
  private readonly forget: () => void;
  private keeper: SessionKeeper | null = null;
  private current: Session | null = null;
  private leases = 0;
  private readonly followers = new Map<Follower, (() => void) | null>();
  private readonly waiting = new Set<(session: Session) => void>();

  constructor(place: StorePlace, options: ThreadSessionOptions, forget: () => void) {
    this.forget = forget;
    this.starting = this.start(place, options);
  }

  async lease(): Promise<SessionLease> {
    this.leases++;
    try {
      await this.starting;
    } catch (error) {
      this.leases--;
      this.forget();
      throw error;
    }
    let released: Promise<void> | null = null;
    const followed = new Set<Subscription>();
    return {
      session: async (signal) => await this.session(signal),
      follow: (follower) => {
        const subscription = this.follow(follower);
        followed.add(subscription);
        return subscription;
      },
      release: async () => {
        for (const subscription of followed) subscription.close();
        released ??= this.release();
        await released;
      },
    };
  }

  private async start(place: StorePlace, { open: openStore, clock, logger }: ThreadSessionOptions): Promise<void> {
    const store = await openStore(place, logger);
    this.keeper = new SessionKeeper({ store, clock, logger, each: async (session) => this.begin(session) });
    this.keeper.start();
  }

  private begin(session: Session): () => Promise<void> {
    this.current = session;
    for (const resolve of [...this.waiting]) resolve(session);
    for (const follower of [...this.followers.keys()]) {
      if (this.followers.has(follower)) this.followers.set(follower, follower(session));
    }
    return async () => {
      this.current = null;
      for (const [follower, end] of [...this.followers]) {
        if (this.followers.has(follower)) this.followers.set(follower, null);
        end?.();
      }
    };
  }

  private async session(signal: AbortSignal): Promise<Session> {
    signal.throwIfAborted();
    if (this.current !== null && !this.current.ended.aborted) return this.current;
    return await new Promise((resolve, reject) => {
      const answer = (session: Session): void => {
        off();
        this.waiting.delete(answer);
        resolve(session);
      };
      const off = whenAborted([signal], () => {
        this.waiting.delete(answer);
        reject(signal.reason as Error);
      });
      this.waiting.add(answer);
    });
  }

  private follow(follower: Follower): Subscription {
    const { current } = this;
    this.followers.set(follower, current === null || current.ended.aborted ? null : follower(current));
    return {
      close: () => {
        const end = this.followers.get(follower);
        this.followers.delete(follower);
        end?.();
      },
    };
  }

  private async release(): Promise<void> {
    if (--this.leases > 0) return;
    this.forget();
    await this.keeper?.close();
  }
}

/** Opens the store that a thread uses in production; loads the client only then. */
export const openZookeeper: OpenStore = async ({ servers, credentials }, logger) => {
  const { ZookeeperStore } = await import('../../store/zookeeper/zookeeper-store.js');
  return new ZookeeperStore({ servers, credentials, logger });
};
