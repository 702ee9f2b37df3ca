// What every recipe must do on every store: several sessions of one store stand for the processes that share it.
// Nothing in here moves time on or waits for a time: each test waits for what must come. Run on the embedded store, on
// the simulated one with its delays and faults, and on a real ensemble.

import t, { type Test } from 'tap';
import { RealClock, type Clock } from '../../../engine/clock.js';
import { Barrier, DoubleBarrier } from '../../../coordination/recipes/barrier.js';
import { CommandQueue } from '../../../coordination/recipes/command-queue.js';
import { Counter, IdBlocks } from '../../../coordination/recipes/counter.js';
import { Election, type Term } from '../../../coordination/recipes/election.js';
import { Membership } from '../../../coordination/recipes/group.js';
import { Lock } from '../../../coordination/recipes/lock.js';
import { Members, type Member } from '../../../coordination/recipes/members.js';
import { ReadWriteLock } from '../../../coordination/recipes/read-write-lock.js';
import type { RecipeOptions } from '../../../coordination/recipes/recipe.js';
import { ownersOf } from '../../../coordination/recipes/rendezvous.js';
import { Semaphore } from '../../../coordination/recipes/semaphore.js';
import { SharedConfig } from '../../../coordination/recipes/shared-config.js';
import { Shards } from '../../../coordination/recipes/shards.js';
import type { Operation, Session, Store } from '../../../coordination/store/contract.js';
import { childOf } from '../../../coordination/store/node-path.js';
import { aborted } from '../../../coordination/store/signals.js';
import { hasCode, isPassing } from '../../../coordination/store/store-errors.js';
import { text } from '../store/contract.js';

/** A store under test. */
export interface OpenedStore {
  readonly store: Store;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Ends that session from outside, as the store does with a silent one. */
  expire(session: Session): Promise<void>;
  close(): Promise<void>;
}

const WAIT = { timeoutMs: Infinity } as const;

/** The processes of one test. */
class Processes {
  readonly clock: Clock;
  readonly opened: OpenedStore;

  constructor(opened: OpenedStore) {
    this.opened = opened;
    this.clock = opened.clock ?? new RealClock();
  }

  async one(): Promise<RecipeOptions> {
    return { session: await this.opened.store.connect(), clock: this.clock };
  }

  async many(count: number): Promise<readonly RecipeOptions[]> {
    return await Promise.all(Array.from({ length: count }, () => this.one()));
  }

  async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => this.clock.after(ms, resolve));
  }

  /** Asks again and again until it is so. */
  async until(so: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await so())) await this.pause(10);
  }

  /** Makes a call of the store again while it fails in passing. */
  async calmly<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!isPassing(error)) throw error;
      }
      await this.pause(10);
    }
  }

  /** The paths of all nodes below it that are left. */
  async below(path: string): Promise<readonly string[]> {
    const { session } = await this.one();
    const look = async (at: string): Promise<string[]> => {
      const names = await this.calmly(() => session.children(at)).catch((error: unknown) => {
        if (hasCode(error, 'MILLRACE_STORE_NO_NODE')) return [];
        throw error;
      });
      const paths = names.map((name) => childOf(at, name));
      return [...paths, ...(await Promise.all(paths.map(look))).flat()];
    };
    await this.calmly(() => session.sync(path));
    const all = await look(path);
    await session.close();
    return all;
  }
}

const create = (path: string): Operation => ({ type: 'create', path, data: text('') });

/** Runs the suite; each test has a store of its own. */
export function recipesSuite(name: string, open: (t: Test) => Promise<OpenedStore>): void {
  const test = (title: string, body: (t: Test, all: Processes) => Promise<void>): void =>
    void t.test(`${name}: ${title}`, async (t) => {
      const opened = await open(t);
      try {
        await body(t, new Processes(opened));
      } finally {
        await opened.close();
      }
    });

  test('a lock is held by one at a time, also when a holder is lost', async (t, all) => {
    const bases = await all.many(4);
    const tokens: bigint[] = [];
    const lost: string[] = [];
    let holders = 0;
    const work = async (base: RecipeOptions, index: number): Promise<void> => {
      const lock = new Lock({ ...base, path: '/lock' });
      for (let i = 0; i < 4; i++) {
        const held = await lock.acquire(WAIT);
        tokens.push(held.token);
        t.equal(++holders, 1, 'one holds it');
        if (index === 0 && i === 1) {
          // From here on it may only believe that it holds the lock: who comes next may be quicker than the news.
          holders--;
          await all.opened.expire(base.session);
          await aborted(held.lost);
          lost.push((held.lost.reason as Error).message);
          await t.rejects(held.act([create('/late')]), { code: 'MILLRACE_LOCK_LOST' });
          return;
        }
        await all.pause(5);
        holders--;
        await held.release();
      }
    };
    await Promise.all(bases.map(work));
    t.equal(tokens.length, 14);
    t.strictSame(
      tokens,
      tokens.toSorted((a, b) => (a < b ? -1 : 1)),
      'tokens grow',
    );
    t.equal(lost.length, 1);
    await all.until(async () => (await all.below('/lock')).length === 0);
    const { session } = await all.one();
    t.equal(await all.calmly(() => session.exists('/late')), null);
  });

  test('readers share, and writers do not', async (t, all) => {
    const bases = await all.many(4);
    let [reading, writing, most] = [0, 0, 0];
    const work = async (base: RecipeOptions, index: number): Promise<void> => {
      const lock = new ReadWriteLock({ ...base, path: '/rw' });
      for (let i = 0; i < 3; i++) {
        if (index === 0) {
          if (i === 0) await all.until(() => most > 1);
          await lock.write.run(async () => {
            t.equal(reading + writing++, 0, 'alone');
            await all.pause(5);
            writing--;
          }, WAIT);
        } else {
          await lock.read.run(async () => {
            most = Math.max(most, ++reading);
            t.equal(writing, 0, 'nobody writes');
            if (i === 0) await all.until(() => most > 1);
            reading--;
          }, WAIT);
        }
      }
    };
    await Promise.all(bases.map(work));
    t.ok(most > 1, `${most} at once`);
    await all.until(async () => (await all.below('/rw')).length === 0);
  });

  test('a semaphore gives no more leases than it has', async (t, all) => {
    const bases = await all.many(5);
    let [held, most] = [0, 0];
    const work = async (base: RecipeOptions): Promise<void> => {
      const semaphore = new Semaphore({ ...base, path: '/semaphore', leases: 2 });
      for (let i = 0; i < 2; i++) {
        await semaphore.run(async () => {
          most = Math.max(most, ++held);
          t.ok(held <= 2, 'not too many');
          await all.until(() => most === 2);
          held--;
        }, WAIT);
      }
    };
    await Promise.all(bases.map(work));
    t.equal(most, 2);
    await all.until(async () => (await all.below('/semaphore')).length === 0);
  });

  test('one leads, in epochs that count up, and a deposed one writes nothing', async (t, all) => {
    const bases = await all.many(3);
    const terms: { readonly base: RecipeOptions; readonly term: Term }[] = [];
    const elections = bases.map((base, index) => {
      const lead = async (term: Term): Promise<void> => {
        terms.push({ base, term });
        await aborted(term.over);
      };
      return new Election({ ...base, at: '/leader', member: `m${index}`, lead });
    });
    for (const election of elections) election.start();
    for (let led = 1; led <= 2; led++) {
      await all.until(() => terms.length === led);
      const { base, term } = terms[led - 1]!;
      await all.calmly(() => term.act([{ type: 'check', path: '/leader', version: null }]));
      await all.opened.expire(base.session);
      await aborted(term.over);
      await t.rejects(term.act([create('/late')]), { code: 'MILLRACE_ELECTION_DEPOSED' });
    }
    await all.until(() => terms.length === 3);
    const epochs = terms.map(({ term }) => term.epoch);
    t.ok(epochs[0]! < epochs[1]! && epochs[1]! < epochs[2]!, epochs.join());
    await Promise.all(elections.map((election) => election.close()));
    await all.until(async () => (await all.below('/leader/queue')).length === 0);
  });

  test('a group shows who is there, and what each says', async (t, all) => {
    const [one, two, three] = await all.many(3);
    const isData = (value: unknown): value is number => typeof value === 'number';
    const members = new Members({ ...one!, path: '/group', isData });
    const shown = (): string => members.list.map(({ name, data }: Member<number>) => `${name}${data}`).join();
    await members.ready;
    const [a, b] = [
      new Membership({ ...two!, path: '/group', name: 'a', data: 1 }),
      new Membership({ ...three!, path: '/group', name: 'b', data: 2 }),
    ];
    await Promise.all([a.join(WAIT), b.join(WAIT)]);
    await all.until(() => shown() === 'a1,b2');
    await a.update(3, WAIT);
    await all.until(() => shown() === 'a3,b2');
    await all.opened.expire(three!.session);
    await all.until(() => shown() === 'a3');
    // Others may see that it is gone before its own session hears of it.
    await all.until(() => b.lost.aborted);
    await a.leave();
    await all.until(() => shown() === '');
    t.strictSame(await all.below('/group'), []);
  });

  test('a counter counts every count once, and no id is given twice', async (t, all) => {
    const bases = await all.many(3);
    const values: number[] = [];
    const ids: number[] = [];
    const work = async (base: RecipeOptions): Promise<void> => {
      const counter = new Counter({ ...base, path: '/counter' });
      const blocks = new IdBlocks({ ...base, path: '/ids', size: 3 });
      for (let i = 0; i < 5; i++) {
        values.push(await counter.add(1, WAIT));
        ids.push(await blocks.next(WAIT));
      }
      await Promise.all([counter.close(), blocks.close()]);
    };
    await Promise.all(bases.map(work));
    t.strictSame(
      values.toSorted((x, y) => x - y),
      Array.from({ length: 15 }, (_, i) => i + 1),
    );
    t.equal(new Set(ids).size, 15);
    t.strictSame(await all.below('/counter'), []);
  });

  test('no update of a configuration is lost, and all see the last', async (t, all) => {
    const bases = await all.many(3);
    const check = (value: unknown): number => {
      if (typeof value !== 'number') throw new Error('it is no number');
      return value;
    };
    const configs = bases.map((base) => new SharedConfig({ ...base, path: '/config', check, initial: 0 }));
    const work = async (config: SharedConfig<number>): Promise<void> => {
      for (let i = 0; i < 4; i++) await config.update((last) => last + 1, WAIT);
    };
    await Promise.all(configs.map(work));
    await all.until(() => configs.every(({ value }) => value === 12));
    const { session } = bases[0]!;
    await all.calmly(() => session.set('/config', text('"x"'), null));
    await all.until(() => configs.every(({ problem }) => problem !== null));
    t.ok(configs.every(({ value }) => value === 12));
    for (const config of configs) config.close();
    await all.until(async () => (await all.below('/config')).length === 0);
  });

  test('commands are carried out once, also those of a worker who is lost', async (t, all) => {
    const [putter, ...workers] = await all.many(4);
    const isCommand = (value: unknown): value is number => typeof value === 'number';
    const queue = new CommandQueue({ ...putter!, path: '/queue', isCommand });
    const stop = new AbortController();
    let lost = 0;
    const work = async (base: RecipeOptions, index: number): Promise<void> => {
      const own = new CommandQueue({ ...base, path: '/queue', isCommand });
      while (!stop.signal.aborted) {
        const command = await own.take({ ...WAIT, signal: stop.signal }).catch(() => null);
        if (command === null) return;
        if (index === 0) {
          await all.opened.expire(base.session);
          await aborted(command.lost);
          lost++;
          return;
        }
        // What was done and not said to be done was given to nobody else.
        await command.complete([create(`/done${command.value}`)], WAIT);
      }
    };
    const working = Promise.all(workers.map(work));
    for (let value = 0; value < 8; value++) await queue.put(value, WAIT);
    await all.until(async () => (await queue.size(WAIT)).commands === 0 && lost === 1);
    stop.abort(new Error('enough'));
    await working;
    await queue.close();
    const done = (await all.below('/')).filter((path) => path.startsWith('/done'));
    t.equal(done.length, 8);
    await all.until(async () => (await all.below('/queue')).every((path) => /^\/queue\/[a-z]+$/.test(path)));
  });

  test('barriers hold all up, and let rounds begin and end together', async (t, all) => {
    const bases = await all.many(3);
    const barrier = new Barrier({ ...bases[0]!, path: '/barrier' });
    await barrier.raise(WAIT);
    let passed = 0;
    const waiting = bases.map(async (base) => {
      await new Barrier({ ...base, path: '/barrier' }).wait(WAIT);
      passed++;
    });
    await all.pause(50);
    t.equal(passed, 0);
    await barrier.lift(WAIT);
    await Promise.all(waiting);
    const inside = new Map<number, number>();
    const play = async (base: RecipeOptions): Promise<void> => {
      const rounds = new DoubleBarrier({ ...base, path: '/rounds', members: 3 });
      for (let i = 0; i < 3; i++) {
        const here = await rounds.enter(WAIT);
        inside.set(here.round, (inside.get(here.round) ?? 0) + 1);
        t.equal(inside.get(here.round - 1) ?? 3, 3, 'all were in the round before');
        await here.leave(WAIT);
      }
    };
    await Promise.all(bases.map(play));
    t.strictSame([...inside.values()], [3, 3, 3]);
  });

  test('shards have one owner each, who changes with the members', async (t, all) => {
    const bases = await all.many(3);
    const owners = new Map<number, string>();
    const tokens = new Map<number, bigint>();
    const members = bases.map((base, index) => {
      const member = `m${index}`;
      return new Shards({
        ...base,
        path: '/shards',
        shards: 8,
        member,
        gatherMs: 50,
        own: async ({ shard, token, lost, over }) => {
          t.notOk(owners.has(shard), 'one owner');
          t.ok((tokens.get(shard) ?? -1n) < token, 'tokens grow');
          owners.set(shard, member);
          tokens.set(shard, token);
          const end = (): void => void (owners.get(shard) === member && owners.delete(shard));
          lost.addEventListener('abort', end);
          await aborted(over);
          end();
        },
      });
    });
    const settled = (...names: readonly string[]): boolean =>
      ownersOf(names, 8).every((owner, shard) => owners.get(shard) === owner) && owners.size === 8;
    await members[0]!.join(WAIT);
    await all.until(() => settled('m0'));
    await Promise.all([members[1]!.join(WAIT), members[2]!.join(WAIT)]);
    await all.until(() => settled('m0', 'm1', 'm2'));
    await all.opened.expire(bases[1]!.session);
    await all.until(() => settled('m0', 'm2'));
    t.ok(members[1]!.lost.aborted);
    await members[0]!.leave();
    await all.until(() => settled('m2'));
    await members[2]!.leave();
    t.equal(owners.size, 0);
    await all.until(async () => !(await all.below('/shards')).some((path) => /_\d{10}$|~/.test(path)));
  });
}
