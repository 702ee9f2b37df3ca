// A store in memory for connectors under test: sessions that the test loses, places that count what they open, and a
// spout that is driven call by call. Time is virtual; what is asynchronous is waited for by turns of the event loop.

import type { VirtualClock } from '../../../engine/clock.js';
import type { Session, Store } from '../../../coordination/store/contract.js';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';
import {
  ZookeeperChanges,
  type ChangeValues,
  type ConnectorInternals,
} from '../../../coordination/connect/zookeeper/changes.js';
import { fakeContext, recorder, type Emitted, type FakeContext } from '../../engine/connect/fakes.js';
import { textOf } from '../store/contract.js';
import { FaultyStore } from '../store/faulty.js';

/** What happens while promises and I/O in this process take their turns. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A store, and a session of the test with it. */
export class Place {
  readonly faulty: FaultyStore;
  readonly test: Session;
  /** The sessions of the connectors, in their order. */
  readonly sessions: Session[] = [];
  opened = 0;
  /** What the next `watchNode` of a connector throws. */
  watchError: Error | null = null;
  /** The next session of a connector is lost while it is synced. */
  loseInSync = false;
  /** Waited for before a connector's `set` is carried out. */
  beforeSet: (path: string, data: Uint8Array) => Promise<void> = async () => undefined;
  /** Calls of `connect` that are refused. */
  refusals = 0;
  private readonly store: EmbeddedStore;

  private constructor(store: EmbeddedStore, test: Session) {
    this.store = store;
    this.faulty = new FaultyStore(store);
    this.test = test;
  }

  static async open(): Promise<Place> {
    const store = await EmbeddedStore.open({ directory: null });
    return new Place(store, await store.connect());
  }

  internals(clock: VirtualClock, more: Partial<ConnectorInternals> = {}): ConnectorInternals {
    return { open: this.opener, clock, ...more };
  }

  /** Ends the session of the connectors as the store does with a silent one. */
  async lose(): Promise<void> {
    await this.store.expire(this.sessions.at(-1)!.id);
  }

  async close(): Promise<void> {
    await this.store.close();
  }

  private readonly opener = async (): Promise<Store> => {
    this.opened++;
    return {
      connect: async (options) => {
        if (this.refusals > 0) {
          this.refusals--;
          throw new Error('nobody is there');
        }
        const faulty = await this.faulty.connect(options);
        const set: Session['set'] = async (path, data, ...rest) => {
          await this.beforeSet(path, data);
          return await faulty.set(path, data, ...rest);
        };
        const sync: Session['sync'] = async (...args) => {
          await faulty.sync(...args);
          if (!this.loseInSync) return;
          this.loseInSync = false;
          await this.store.expire(faulty.id);
        };
        const watchNode: Session['watchNode'] = (...args) => {
          const error = this.watchError;
          this.watchError = null;
          if (error !== null) throw error;
          return faulty.watchNode(...args);
        };
        const replaced: Readonly<Record<string, unknown>> = { set, sync, watchNode };
        const session = new Proxy(faulty, {
          get: (target, key) => replaced[String(key)] ?? (Reflect.get(target, key) as unknown),
        });
        this.sessions.push(session);
        return session;
      },
    };
  };
}

/** A `zookeeper-changes` that is driven call by call. */
export class Driven {
  readonly context: FakeContext;
  readonly spout: ZookeeperChanges;
  readonly emitted: Emitted[];
  readonly errors: unknown[] = [];
  private readonly emit;

  private constructor(place: Place, config: Readonly<Record<string, unknown>>, more: Partial<ConnectorInternals>) {
    const { emit, emitted } = recorder();
    this.emit = emit;
    this.emitted = emitted;
    this.context = fakeContext();
    const given = { servers: 'zk:1', path: '/a', data: 'text', ...config };
    this.spout = new ZookeeperChanges(given, place.internals(this.context.clock, more));
  }

  static async open(
    place: Place,
    config: Readonly<Record<string, unknown>> = {},
    more: Partial<ConnectorInternals> = {},
  ): Promise<Driven> {
    const driven = new Driven(place, config, more);
    await driven.spout.open(driven.context);
    return driven;
  }

  /** `set /a/b 1`, … as they were emitted. */
  get told(): string[] {
    return this.emitted.map(({ values }) => {
      const [path, kind, data] = values as ChangeValues;
      return `${kind} ${path}${data === null ? '' : ` ${data instanceof Uint8Array ? textOf(data) : JSON.stringify(data).replaceAll('"', '')}`}`;
    });
  }

  /** Asks on until so many are out altogether. */
  async until(count: number): Promise<void> {
    while (this.emitted.length < count) await this.ask();
  }

  /** Asks until nothing more comes without the test doing something. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 5; quiet++) {
      const before = this.emitted.length;
      await turns(5);
      await this.ask();
      if (this.emitted.length > before) quiet = -1;
    }
  }

  /** Acks all that is out. */
  ackAll(): void {
    for (const { id } of this.emitted) this.spout.ack(id);
  }

  private async ask(): Promise<void> {
    const { clock } = this.context;
    // Retries inside wait for a time; replays are the test's.
    const dueMs = clock.nextDueMs();
    if (dueMs !== undefined) clock.step(dueMs);
    try {
      const asked = this.spout.nextTuple(this.emit);
      await turns(1);
      const nextMs = clock.nextDueMs();
      if (asked instanceof Promise && nextMs !== undefined) clock.step(nextMs);
      await asked;
    } catch (error) {
      this.errors.push(error);
    }
    await turns(1);
  }
}
