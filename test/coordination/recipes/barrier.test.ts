// Barriers: all wait for the plain one, and a double one begins and ends each round for all of it together. On virtual
// time.

import fc from 'fast-check';
import t from 'tap';
import { Random } from '../../../engine/random.js';
import { Barrier, DoubleBarrier, type Inside } from '../../../coordination/recipes/barrier.js';
import { settle } from '../cluster.js';
import { text } from '../store/contract.js';
import { atEachStep, must, Scene, slow, unlessExpired } from './kit.js';

const path = '/rounds/one';

void t.test('a raised barrier holds all up until it is lifted', async (t) => {
  const scene = await Scene.open();
  const [a, b] = [new Barrier({ ...(await scene.base()), path }), new Barrier({ ...(await scene.base()), path })];
  await a.wait();
  await a.raise();
  await b.raise();
  await t.rejects(scene.finish(b.wait({ timeoutMs: 200 })), {
    code: 'MILLRACE_RECIPE_TIMEOUT',
    message: 'barrier "/rounds/one" was not to be had within 200 ms',
  });
  let passed = 0;
  const waiting = [a.wait(), b.wait(), b.wait()].map((each) => each.then(() => void passed++));
  await settle();
  t.equal(passed, 0);
  await b.lift();
  await b.lift();
  await Promise.all(waiting);
  t.strictSame(await scene.everything(), ['/rounds']);
});

void t.test('rounds begin and end together, with as many as it takes', async (t) => {
  const scene = await Scene.open();
  const bases = [await scene.base(), await scene.base(), await scene.base()];
  const barriers = bases.map((base) => new DoubleBarrier({ ...base, path, members: 2 }));
  const entered: (Inside | null)[] = [null, null, null];
  const enter = async (who: number): Promise<void> => {
    void barriers[who]!.enter().then((inside) => (entered[who] = inside));
    await settle();
  };
  await enter(0);
  t.strictSame(entered, [null, null, null]);
  await enter(1);
  await enter(2);
  t.strictSame(
    entered.map((each) => each?.round ?? null),
    [1, 1, null],
  );
  let left = 0;
  const leaving = entered[0]!.leave().then(() => left++);
  await settle();
  t.equal(left, 0, 'it waits for the other');
  await enter(0);
  t.equal(entered[0]!.round, 1, 'the next round waits for the end of this one');
  await entered[1]!.leave();
  await leaving;
  await settle();
  t.strictSame(
    entered.map((each) => each?.round ?? null),
    [2, 1, 2],
  );
  const last = entered[0]!.leave();
  await bases[2]!.session.close();
  await last;
  t.ok(entered[2]!.lost.aborted, 'one that is lost is not waited for');
  t.match(entered[2]!.lost.reason, { code: 'MILLRACE_LOCK_LOST' });
  t.strictSame(await scene.everything(), ['/rounds', path, `${path}/members`, `${path}/round`]);
});

void t.test('who gives up is not counted, and all have the same number', async (t) => {
  const scene = await Scene.open();
  const [one, two] = [await scene.base(), await scene.base()];
  t.throws(() => new DoubleBarrier({ ...one, path, members: 201 }), { code: 'MILLRACE_RECIPE_OPTION' });
  const a = new DoubleBarrier({ ...one, path, members: 2 });
  const b = new DoubleBarrier({ ...two, path, members: 2 });
  await t.rejects(scene.finish(a.enter({ timeoutMs: 100 })), { code: 'MILLRACE_RECIPE_TIMEOUT' });
  const late = scene.finish(b.enter({ timeoutMs: 100 }));
  await t.rejects(late, { code: 'MILLRACE_RECIPE_TIMEOUT' });
  const other = new DoubleBarrier({ ...two, path, members: 3 });
  await t.rejects(other.enter(), { code: 'MILLRACE_RECIPE_DIFFERS', message: /has 2 members, not 3/ });
  const both = await Promise.all([a.enter(), b.enter()]);
  const deleted = (await two.session.children(`${path}/members`)).map((name) => `${path}/members/${name}`);
  await two.session.delete(deleted[0]!, null);
  await settle();
  t.equal(both.filter(({ lost }) => lost.aborted).length, 1);
  await Promise.all(both.map((each) => each.leave()));
  await two.session.set(`${path}/round`, text('[]'), null);
  await t.rejects(a.enter(), { code: 'MILLRACE_STORE_CONTENT', message: /"\/rounds\/one\/round"/ });
});

void t.test('whichever call fails, a round begins and ends', async (t) => {
  const runs = await atEachStep(async (scene, base, fault) => {
    const play = async (barrier: DoubleBarrier, timeoutMs: number): Promise<number> => {
      const inside = await barrier.enter({ timeoutMs });
      await inside.leave();
      return inside.round;
    };
    const barrier = async (): Promise<DoubleBarrier> =>
      new DoubleBarrier({ ...(await scene.base()), path, members: 2 });
    const partner = play(await barrier(), 60_000);
    const own = play(new DoubleBarrier({ ...base, path, members: 2 }), 60_000);
    const done = await unlessExpired(fault, scene.finish(own));
    // Lost before the round began, another one takes its place; lost inside, nobody waits for it.
    const other = play(await barrier(), 1_000).catch(() => null);
    const round = await scene.finish(partner);
    must(round === 1, `round ${round}`);
    if (done) must((await scene.finish(other)) === null, 'a third one waits for a fourth');
    await scene.finish(other);
    await scene.advance(10_000);
    const left = (await scene.everything()).filter((each) => each.startsWith(`${path}/members/`));
    must(left.length === 0, `left behind: ${left.join()}`);
  });
  t.ok(runs > 50, `${runs} runs`);
});

void t.test('however slow they are: nobody is in the next round before all have left the last', async (t) => {
  const property = fc.asyncProperty(
    fc.integer(),
    fc.integer({ min: 1, max: 4 }),
    fc.constantFrom(0, 0.1),
    async (seed, members, faulty) => {
      const scene = await Scene.open();
      const random = new Random(seed);
      const inside = new Map<number, number>();
      let roundNow = 0;
      const play = async (): Promise<void> => {
        const session = slow(scene, await scene.store.connect(), random, 20, faulty);
        const barrier = new DoubleBarrier({ ...(await scene.base()), session, path, members });
        for (let i = 0; i < 4; i++) {
          const here = await barrier.enter();
          if (here.round > roundNow) {
            must((inside.get(roundNow) ?? 0) === 0, 'the last round is over');
            roundNow = here.round;
          }
          must(here.round === roundNow, 'all are in the same round');
          inside.set(roundNow, (inside.get(roundNow) ?? 0) + 1);
          must(inside.get(roundNow)! <= members, 'not too many');
          await new Promise<void>((resolve) => scene.clock.after(random.nextFloat() * 30, resolve));
          inside.set(here.round, inside.get(here.round)! - 1);
          await here.leave();
        }
      };
      await scene.finish(Promise.all(Array.from({ length: members }, play)));
      must(roundNow === 4, `${roundNow} rounds`);
      await scene.store.close();
    },
  );
  await fc.assert(property, { numRuns: 60 });
  t.pass('60 runs');
});
