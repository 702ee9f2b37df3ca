// Locks, leases and shards while the network and the servers do what they like: clients are cut off, servers fall
// behind, all servers go away and come back. Whoever holds something believes so, by the events that it was told of,
// and no two believe the same at one moment; what they write with their fences is never out of the order of their
// tokens. On virtual time, by seed.

import fc from 'fast-check';
import t from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import { Random } from '../../../engine/random.js';
import type { Holding } from '../../../coordination/recipes/holding.js';
import { Lock } from '../../../coordination/recipes/lock.js';
import { Semaphore } from '../../../coordination/recipes/semaphore.js';
import type { Session } from '../../../coordination/store/contract.js';
import { SimulatedStore } from '../../../coordination/store/simulated/simulated-store.js';
import { aborted } from '../../../coordination/store/signals.js';
import { hasCode } from '../../../coordination/store/store-errors.js';
import { text, textOf } from '../store/contract.js';
import { must } from './kit.js';

const CLIENTS = ['a', 'b', 'c', 'd'] as const;
const NEMESIS_MS = 40_000;

/** What one run came to. */
interface Told {
  readonly held: number;
  readonly lost: number;
  readonly written: number;
}

async function run(seed: number, leases: number): Promise<Told> {
  const clock = new VirtualClock();
  const random = new Random(seed);
  const faults = { delayMs: [1, 20], lagMs: [0, 60], watchDelayMs: [0, 30] } as const;
  const store = new SimulatedStore({ clock, seed, faults: { ...faults, brokenShare: 0.01 } });
  const pause = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
  const believe = new Set<bigint>();
  const told = { held: 0, lost: 0, written: 0 };
  let highest = -1n;
  let over = false;

  const work = async (held: Holding): Promise<void> => {
    told.held++;
    must(believe.size < leases, `${believe.size + 1} believe that they hold one of ${leases}`);
    believe.add(held.token);
    held.lost.addEventListener('abort', () => {
      told.lost++;
      believe.delete(held.token);
    });
    // Of several who hold a lease, one may learn of it later than another.
    must(leases > 1 || held.token > highest, 'the token grows');
    highest = held.token;
    const lost = aborted(held.lost);
    for (let written = 0; written < 8 && !held.lost.aborted;) {
      const operation = { type: 'set', path: '/written', data: text(String(held.token)), version: null } as const;
      await Promise.race([
        lost,
        held.act([operation]).then(
          () => {
            written++;
            told.written++;
          },
          () => undefined,
        ),
      ]);
      await pause(random.nextFloat() * 200);
    }
    believe.delete(held.token);
    await held.release();
  };

  /** One client, over all its sessions. */
  const client = async (name: string): Promise<void> => {
    while (!over) {
      let session: Session;
      try {
        session = await store.client(name).connect();
      } catch {
        await pause(100);
        continue;
      }
      const recipe =
        leases === 1
          ? new Lock({ session, clock, path: '/lock' })
          : new Semaphore({ session, clock, path: '/lock', leases });
      while (!over && !session.ended.aborted) {
        try {
          const held = await recipe.acquire({ timeoutMs: 10_000 });
          if (!held.lost.aborted) await work(held);
        } catch (error) {
          if (!session.ended.aborted && !hasCode(error, 'MILLRACE_RECIPE_TIMEOUT')) throw error;
        }
      }
      await session.close().catch(() => undefined);
    }
  };

  const nemesis = async (): Promise<void> => {
    while (clock.now() < NEMESIS_MS) {
      const who = CLIENTS[random.nextBelow(CLIENTS.length)]!;
      const server = random.nextBelow(3);
      const forMs = random.nextFloat() * 12_000;
      const what = random.nextBelow(5);
      if (what === 0) store.partition(who);
      else if (what === 1) store.disconnect(who);
      else if (what === 2) store.cutServer(server);
      else if (what === 3) store.stop();
      else store.disconnect();
      await pause(forMs);
      if (what === 0) store.heal(who);
      else if (what === 2) store.joinServer(server);
      else if (what === 3) store.start();
      await pause(random.nextFloat() * 2_000);
    }
    store.calm();
  };

  /** What was written, in the order of the store, is in the order of the tokens. */
  const checked = async (): Promise<void> => {
    const session = await store.connect();
    await session.create('/written', text('-1'));
    let last = -1n;
    session.watchNode('/written', (node) => {
      const token = BigInt(textOf(node!.data));
      must(leases > 1 || token >= last, `written with ${token} after ${last}`);
      last = token;
    });
  };

  let failed: Error | null = null;
  const fail = (error: unknown): void => void (failed ??= error as Error);
  await drive(clock, checked(), () => failed);
  const clients = CLIENTS.map((name) => client(name).catch(fail));
  await drive(clock, nemesis(), () => failed);
  const before = told.held;
  await drive(clock, pause(30_000), () => failed);
  must(told.held > before, 'all goes on when everything is well');
  over = true;
  await drive(clock, Promise.all(clients), () => failed);
  await drive(clock, pause(5_000), () => failed);
  const session = await drive(clock, store.connect(), () => failed);
  const left = await drive(
    clock,
    session.children('/').then((names) => names.filter((name) => name !== 'written')),
    () => failed,
  );
  for (const name of left) {
    const below = await drive(clock, session.children(`/${name}`), () => failed);
    for (const each of below) {
      const stat = await drive(clock, session.exists(`/${name}/${each}`), () => failed);
      must((stat?.childCount ?? 0) === 0 && stat?.ephemeralOwner === null, `left behind: ${name}/${each}`);
    }
  }
  await store.close();
  return told;
}

/** Moves time on until it is done; ends with the first error of a client. */
async function drive<T>(clock: VirtualClock, promise: Promise<T>, failed: () => Error | null): Promise<T> {
  let done = false;
  const mark = (): void => void (done = true);
  promise.then(mark, mark);
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    const error = failed();
    if (error !== null) throw error;
    if (done) return await promise;
    const dueMs = clock.nextDueMs();
    if (dueMs !== undefined) clock.step(dueMs);
  }
}

for (const leases of [1, 2]) {
  void t.test(`${leases === 1 ? 'a lock' : 'a semaphore'}, whatever happens to the store`, async (t) => {
    const sum = { held: 0, lost: 0, written: 0 };
    const property = fc.asyncProperty(fc.integer(), async (seed) => {
      const told = await run(seed, leases);
      sum.held += told.held;
      sum.lost += told.lost;
      sum.written += told.written;
    });
    await fc.assert(property, { numRuns: 4 });
    t.ok(sum.held > 50 && sum.lost > 2 && sum.written > 300, JSON.stringify(sum));
  });
}
