// Counters and blocks of ids: every count counts once, no id is given twice, whatever answers get lost. On virtual
// time.

import fc from 'fast-check';
import t from 'tap';
import { failure } from '../../../engine/errors.js';
import { WITNESSED_MAX } from '../../../engine/limits.js';
import { Random } from '../../../engine/random.js';
import { Counter, IdBlocks } from '../../../coordination/recipes/counter.js';
import { withOperation } from '../../../coordination/store/store-errors.js';
import { settle } from '../cluster.js';
import { text } from '../store/contract.js';
import { atEachStep, must, Scene, slow, unlessExpired, wrapped } from './kit.js';

const path = '/counts/visits';

void t.test('all count on, and nothing but the number stays', async (t) => {
  const scene = await Scene.open();
  const [a, b] = [new Counter({ ...(await scene.base()), path }), new Counter({ ...(await scene.base()), path })];
  t.equal(await a.get(), 0);
  const values = await Promise.all([a.add(1), b.add(1), a.add(1), b.add(1)]);
  t.strictSame(values.toSorted(), [1, 2, 3, 4]);
  t.equal(await a.add(-10), -6);
  t.equal(await b.get(), -6);
  await a.close();
  await b.close();
  t.strictSame(await scene.everything(), ['/counts', path]);
  t.equal(await a.add(6), 0, 'a closed one may count again');
});

void t.test('numbers, contents and waits have limits', async (t) => {
  const scene = await Scene.open();
  const base = await scene.base();
  const counter = new Counter({ ...base, path });
  await counter.add(Number.MAX_SAFE_INTEGER);
  await t.rejects(counter.add(1), { code: 'MILLRACE_COUNTER_RANGE', message: /"\/counts\/visits" stands at 9007/ });
  await t.rejects(counter.add(0.5), { code: 'MILLRACE_COUNTER_RANGE' });
  for (const content of ['{"value":1.5}', '{"value":"1"}', 'one']) {
    await base.session.set(path, text(content), null);
    await t.rejects(counter.add(1), { code: 'MILLRACE_STORE_CONTENT', message: /"\/counts\/visits"/ });
    await t.rejects(counter.get(), { code: 'MILLRACE_STORE_CONTENT' });
  }
  await base.session.set(path, text(''), null);
  const adds = Array.from({ length: WITNESSED_MAX + 1 }, () => counter.add(1));
  await t.rejects(adds.pop()!, { code: 'MILLRACE_RECIPE_TOO_MANY' });
  const values = await Promise.all(adds);
  t.equal(new Set(values).size, WITNESSED_MAX);
  t.equal(await counter.get(), WITNESSED_MAX);
  t.throws(() => new IdBlocks({ ...base, path, size: 0 }), { code: 'MILLRACE_RECIPE_OPTION' });
  for (const name of await base.session.children(path)) await base.session.delete(`${path}/${name}`, null);
  t.equal(await counter.add(1), WITNESSED_MAX + 1, 'also when somebody deletes what it needs');
  const signal = AbortSignal.abort(new Error('no'));
  await t.rejects(counter.add(1, { signal }), { message: 'no' });
});

void t.test('one that gave up does not spoil the next count', async (t) => {
  const scene = await Scene.open();
  let hang = false;
  const base = await scene.base((session) =>
    wrapped(session, async (name, args, carryOut) => {
      const answer = await carryOut(...args);
      if (hang && name === 'multi') await new Promise(() => undefined);
      return answer;
    }),
  );
  const counter = new Counter({ ...base, path });
  await counter.add(1);
  hang = true;
  await t.rejects(scene.finish(counter.add(1, { timeoutMs: 100 })), { code: 'MILLRACE_RECIPE_TIMEOUT' });
  hang = false;
  t.equal(await scene.finish(counter.add(1)), 3, 'it was counted all the same');
});

void t.test('who gives up does not wait for those before it', async (t) => {
  const scene = await Scene.open();
  let hang = true;
  const base = await scene.base((session) =>
    wrapped(session, async (name, args, carryOut) => {
      if (hang && name === 'multi') await new Promise(() => undefined);
      return await carryOut(...args);
    }),
  );
  const counter = new Counter({ ...base, path });
  const first = counter.add(1, { timeoutMs: 5_000 });
  first.catch(() => undefined);
  await t.rejects(scene.finish(counter.add(1, { timeoutMs: 100 })), { code: 'MILLRACE_RECIPE_TIMEOUT' });
  t.ok(scene.clock.now() < 1_000);
  hang = false;
  await t.rejects(scene.finish(first), { code: 'MILLRACE_RECIPE_TIMEOUT' });
  t.equal(await scene.finish(counter.add(1)), 1);
});

void t.test('whichever call fails, it is counted once', async (t) => {
  const runs = await atEachStep(async (scene, base, fault) => {
    const other = new Counter({ ...(await scene.base()), path });
    const counter = new Counter({ ...base, path });
    const values: number[] = [];
    const adding = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        values.push(await counter.add(1));
        values.push(await other.add(1));
      }
    };
    const done = await unlessExpired(fault, scene.finish(adding()));
    const value = await other.get();
    if (done) must(value === 6 && values.join() === '1,2,3,4,5,6', `${value}: ${values.join()}`);
    else must(value === values.length || value === values.length + 1, `${value} after ${values.join()}`);
    await scene.finish(Promise.all([other.close(), counter.close()]));
    await scene.advance(5_000);
    const left = (await scene.everything()).filter((each) => each !== '/counts' && each !== path);
    must(left.length === 0, `left behind: ${left.join()}`);
  });
  t.ok(runs > 40, `${runs} runs`);
});

void t.test('no two get the same id, and none but those of ended processes are left out', async (t) => {
  const property = fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 5 }), async (seed, size) => {
    const scene = await Scene.open();
    const random = new Random(seed);
    const given: number[] = [];
    const work = async (expires: boolean): Promise<void> => {
      const real = await scene.store.connect();
      const session = slow(scene, real, random, 20, 0.2);
      const ids = new IdBlocks({ ...(await scene.base()), session, path: '/ids', size });
      if (expires) scene.clock.after(100, () => void scene.store.expire(real.id));
      const wanted = Array.from({ length: 12 }, () =>
        ids.next().then(
          (id) => void given.push(id),
          (error: unknown) => {
            if (!expires) throw error;
          },
        ),
      );
      await Promise.all(wanted);
      await ids.close();
    };
    await scene.finish(Promise.all([work(false), work(false), work(true)]));
    must(new Set(given).size === given.length, 'an id was given twice');
    must(given.length >= 24, 'all were served');
    const value = await new Counter({ ...(await scene.base()), path: '/ids' }).get();
    must(
      given.every((id) => id >= 0 && id < value),
      'within what was taken',
    );
    must(value <= given.length + 3 * size + 12, 'few are left out');
    await scene.store.close();
  });
  await fc.assert(property, { numRuns: 60 });
  t.pass('60 runs');
});

void t.test('where access refuses the write, it says so', async (t) => {
  const scene = await Scene.open();
  let created = 0;
  const base = await scene.base((session) =>
    wrapped(session, async (name, args, carryOut) => {
      if (name === 'create') must(created++ < 10, 'it begins anew again and again');
      if (name !== 'multi') return await carryOut(...args);
      throw withOperation(failure('MILLRACE_STORE_FORBIDDEN', { what: 'write', path }), 0);
    }),
  );
  await t.rejects(new Counter({ ...base, path }).add(1), { code: 'MILLRACE_STORE_FORBIDDEN' });
});

void t.test('ids end with their close, also while the store is away', async (t) => {
  const scene = await Scene.open();
  let away = false;
  const base = await scene.base((session) =>
    wrapped(session, async (name, args, carryOut) => {
      if (away) throw failure('MILLRACE_STORE_UNAVAILABLE', { what: name, reason: 'the test says so' });
      return await carryOut(...args);
    }),
  );
  const ids = new IdBlocks({ ...base, path: '/ids', size: 2 });
  away = true;
  const waiting = ids.next({ timeoutMs: Infinity });
  waiting.catch(() => undefined);
  await scene.advance(1_000);
  await scene.finish(ids.close());
  await t.rejects(waiting, { code: 'MILLRACE_STORE_CLOSED' });
  away = false;
  const others = new IdBlocks({ ...base, path: '/ids', size: 2 });
  t.equal(await others.next(), 0);
  await others.close();
  await t.rejects(others.next(), { code: 'MILLRACE_STORE_CLOSED' }, 'also of the block that it had');
});

void t.test('who waits for an id can give up, and the block is for the next', async (t) => {
  const scene = await Scene.open();
  const ids = new IdBlocks({ ...(await scene.base()), path: '/ids', size: 10 });
  const giveUp = new AbortController();
  const first = t.rejects(ids.next({ signal: giveUp.signal }), { message: 'enough' });
  giveUp.abort(new Error('enough'));
  await first;
  await settle();
  t.equal(await ids.next(), 0);
  t.equal(await ids.next(), 1);
});
