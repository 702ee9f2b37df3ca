// A session with a server that says what the test tells it to, on virtual time, and what waits for what happens to it.

import type { Test } from 'tap';
import { VirtualClock } from '../../../../engine/clock.js';
import { Random } from '../../../../engine/random.js';
import type { SessionEvent } from '../../../../coordination/store/contract.js';
import { dataRecord, longOf, protocolRecord, type WireRecord } from '../../../../coordination/store/zookeeper/codec.js';
import type { ZookeeperSession } from '../../../../coordination/store/zookeeper/zookeeper-session.js';
import {
  ZookeeperStore,
  type ZookeeperStoreOptions,
} from '../../../../coordination/store/zookeeper/zookeeper-store.js';
import { FakeServer, type FakeConnection } from './fake-server.js';

export const op = {
  create: 1,
  exists: 3,
  get: 4,
  set: 5,
  sync: 9,
  ping: 11,
  children: 12,
  multi: 14,
  auth: 100,
  watches: 101,
  close: -11,
};
const stat = (zxid: bigint): WireRecord => dataRecord('Stat', longOf(1n), longOf(zxid), longOf(0n), longOf(0n), 3);
export const dataReply = (text: string, zxid = 1n): WireRecord =>
  protocolRecord('GetDataResponse', Buffer.from(text), stat(zxid));

export interface Case {
  readonly clock: VirtualClock;
  readonly server: FakeServer;
  readonly connection: FakeConnection;
  readonly session: ZookeeperSession;
  readonly store: ZookeeperStore;
  readonly events: string[];
  readonly log: string[];
}

export function storeAt(
  servers: string,
  clock: VirtualClock,
  log: string[],
  more: Partial<ZookeeperStoreOptions> = {},
): ZookeeperStore {
  const note = (message: string): void => void log.push(message);
  const logger = { debug: note, info: note, warn: note, error: note };
  return new ZookeeperStore({ servers, sessionTimeoutMs: 6000, clock, random: new Random(1), logger, ...more });
}

/** An open session of six seconds. */
export async function opened(t: Test, more: Partial<ZookeeperStoreOptions> = {}): Promise<Case> {
  const clock = new VirtualClock();
  const server = await FakeServer.start(t);
  const log: string[] = [];
  const store = storeAt(server.address, clock, log, more);
  const [session, connection] = await Promise.all([store.connect(), server.greeted()]);
  const events: string[] = [];
  session.onEvent((event: SessionEvent) => events.push(event.type));
  t.teardown(async () => {
    const ending = session.end(1);
    await pass(clock, 1);
    await ending;
  });
  return { clock, server, connection, session, store, events, log };
}

export const settled = async (call: Promise<unknown>): Promise<unknown> => await call.catch((error: unknown) => error);
export const until = async (session: ZookeeperSession, type: SessionEvent['type']): Promise<void> =>
  await new Promise<void>((resolve) => session.onEvent((event) => (event.type === type ? resolve() : undefined)));
/** Lets time go by in small steps, and everything happen that it brings. */
export async function pass(clock: VirtualClock, ms: number): Promise<void> {
  const endMs = clock.now() + ms;
  do {
    while (clock.step(Math.min(endMs, clock.now() + 50)));
    await new Promise<void>((resolve) => setImmediate(resolve));
  } while (clock.now() < endMs);
}

/** The next connection, when the last one is known to be over: greeted after the pause before it. */
export async function again(
  clock: VirtualClock,
  server: FakeServer,
  timeoutMs = 6000,
  id = 1n,
): Promise<FakeConnection> {
  await pass(clock, 200);
  return await server.greeted(timeoutMs, id);
}
