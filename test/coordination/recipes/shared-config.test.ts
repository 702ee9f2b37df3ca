// Shared configurations: everybody sees the last good value, bad content is told of with its path, and no update is
// lost. On virtual time.

import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import t from 'tap';
import { Random } from '../../../engine/random.js';
import { SharedConfig } from '../../../coordination/recipes/shared-config.js';
import { settle } from '../cluster.js';
import { text } from '../store/contract.js';
import { atEachStep, must, Scene, slow, unlessExpired } from './kit.js';

const path = '/config/mail';

interface Mail {
  readonly retries: number;
}

function check(value: unknown): Mail {
  const retries = (value as Partial<Mail> | null)?.retries;
  if (typeof retries !== 'number' || retries < 0) throw new Error('retries is a number from 0 on');
  return { retries };
}

void t.test('what is set is seen by all, and made of what was there', async (t) => {
  const scene = await Scene.open();
  const seen: number[] = [];
  const a = new SharedConfig({ ...(await scene.base()), path, check, initial: { retries: 3 } });
  const changed = ({ retries }: Mail): void => void seen.push(retries);
  const b = new SharedConfig({ ...(await scene.base()), path, check, changed });
  t.throws(() => b.value, { code: 'MILLRACE_SHARED_CONFIG_MISSING', message: /"\/config\/mail"/ });
  await Promise.all([a.ready, b.ready]);
  t.equal(a.value.retries, 3);
  t.throws(() => b.value, { code: 'MILLRACE_SHARED_CONFIG_MISSING' });
  await t.rejects(
    b.update((last) => last),
    { code: 'MILLRACE_SHARED_CONFIG_MISSING' },
  );
  await a.update(({ retries }) => ({ retries: retries + 1 }));
  t.equal(a.value.retries, 4, 'who has set it reads it at once');
  await b.set({ retries: 7 });
  t.equal(b.value.retries, 7);
  await settle();
  t.equal(a.value.retries, 7);
  t.strictSame(seen, [4, 7]);
  t.equal(a.problem, null);
  a.close();
  b.close();
  await settle();
  t.strictSame(await scene.everything(), ['/config', path]);
});

void t.test('what does not pass is refused, and what others wrote is told of while the last value stays', async (t) => {
  const scene = await Scene.open();
  const base = await scene.base();
  const other = await scene.base();
  const failed: string[] = [];
  const { logger } = scene;
  const config = new SharedConfig({ ...base, logger, path, check, failed: ({ message }) => failed.push(message) });
  t.throws(() => new SharedConfig({ ...base, path, check, initial: { retries: -1 } }), {
    code: 'MILLRACE_SHARED_CONFIG_INVALID',
  });
  await config.set({ retries: 1 });
  await t.rejects(config.set({ retries: -1 }), {
    code: 'MILLRACE_SHARED_CONFIG_INVALID',
    message: 'configuration "/config/mail" refuses the value: retries is a number from 0 on',
  });
  await t.rejects(
    config.update(() => ({ retries: -1 })),
    { code: 'MILLRACE_SHARED_CONFIG_INVALID' },
  );
  for (const content of ['{', '{"retries":-1}', 'null']) {
    await other.session.set(path, text(content), null);
    await settle();
    t.equal(config.value.retries, 1);
    t.match(config.problem, { code: 'MILLRACE_STORE_CONTENT', message: /"\/config\/mail"/ });
    await t.rejects(
      config.update((last) => last),
      { code: 'MILLRACE_STORE_CONTENT' },
    );
  }
  t.equal(failed.length, 3);
  t.match(scene.logged[1], /"\/config\/mail".*retries is a number/);
  const late = new SharedConfig({ ...other, path, check });
  await late.ready;
  t.throws(() => late.value, { code: 'MILLRACE_STORE_CONTENT' });
  await config.set({ retries: 2 });
  t.equal(config.problem, null);
  await settle();
  t.equal(late.value.retries, 2);
  for (const name of await other.session.children(path)) await other.session.delete(`${path}/${name}`, null);
  await other.session.delete(path, null);
  await settle();
  t.match(config.problem, { code: 'MILLRACE_SHARED_CONFIG_MISSING' });
  t.equal(config.value.retries, 2);
  await config.set({ retries: 5 });
  t.equal(config.problem, null);
  t.equal(config.value.retries, 5);
  const ended = new SharedConfig({ ...other, path: '/config/other', check });
  await other.session.close();
  await t.rejects(ended.ready, { code: 'MILLRACE_STORE_CLOSED' });
  t.throws(() => new SharedConfig({ ...other, path, check }), { code: 'MILLRACE_STORE_CLOSED' });
});

void t.test('what a listener throws spoils nothing, and none is called after it was closed', async (t) => {
  const scene = await Scene.open();
  const other = await scene.base();
  const { logger } = scene;
  let calls = 0;
  const throwing = (): void => {
    calls++;
    throw new Error('of the listener');
  };
  const listeners = { changed: throwing, failed: throwing };
  await new SharedConfig({ ...other, path, check }).set({ retries: 1 });
  const config = new SharedConfig({ ...(await scene.base()), logger, path, check, ...listeners });
  await scene.finish(config.ready);
  await config.set({ retries: 2 });
  t.equal(config.value.retries, 2);
  await other.session.set(path, text('{'), null);
  await settle();
  t.match(config.problem, { code: 'MILLRACE_STORE_CONTENT' });
  t.equal(calls, 3);
  t.equal(scene.logged.filter((line) => /"\/config\/mail" failed: of the listener/.test(line)).length, 3);
  const setting = config.set({ retries: 3 });
  config.close();
  await setting;
  t.equal(calls, 3, 'not after it was closed');
});

void t.test('closed before the first look, it is not ready, and waits for nothing', async (t) => {
  const scene = await Scene.open();
  const base = await scene.base();
  const listeners = (): number => getEventListeners(base.session.ended, 'abort').length;
  const before = listeners();
  const config = new SharedConfig({ ...base, path, check });
  config.close();
  await t.rejects(scene.finish(config.ready), { code: 'MILLRACE_STORE_CLOSED' });
  t.equal(listeners(), before);
});

void t.test('whichever call fails, an update is made once', async (t) => {
  const runs = await atEachStep(async (scene, base, fault) => {
    const other = new SharedConfig({ ...(await scene.base()), path, check, initial: { retries: 0 } });
    let done = 0;
    const updating = async (): Promise<void> => {
      const config = new SharedConfig({ ...base, path, check, initial: { retries: 0 } });
      for (let i = 0; i < 2; i++) {
        await config.update(({ retries }) => ({ retries: retries + 1 }));
        done++;
        await other.update(({ retries }) => ({ retries: retries + 1 }));
        done++;
      }
      config.close();
    };
    const all = await unlessExpired(fault, scene.finish(updating()));
    const { retries } = other.value;
    if (all) must(retries === 4, `${retries} after 4`);
    else must(retries >= done - 1 && retries <= done + 1, `${retries} after ${done}`);
    other.close();
    await scene.advance(5_000);
    const left = (await scene.everything()).filter((each) => each !== '/config' && each !== path);
    must(left.length === 0, `left behind: ${left.join()}`);
  });
  t.ok(runs > 40, `${runs} runs`);
});

void t.test('no update is lost, and all see the last one', async (t) => {
  const property = fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 4 }), async (seed, count) => {
    const scene = await Scene.open();
    const random = new Random(seed);
    const open = async (): Promise<SharedConfig<Mail>> => {
      const session = slow(scene, await scene.store.connect(), random, 20, 0.15);
      return new SharedConfig({ ...(await scene.base()), session, path, check, initial: { retries: 0 } });
    };
    const configs = await Promise.all([open(), open(), open()]);
    const work = configs.map(async (config) => {
      for (let i = 0; i < count; i++) await config.update(({ retries }) => ({ retries: retries + 1 }));
    });
    await scene.finish(Promise.all(work));
    await scene.advance(5_000);
    const values = configs.map(({ value }) => value.retries).join();
    must(values === [3, 3, 3].map((n) => n * count).join(), values);
    await scene.store.close();
  });
  await fc.assert(property, { numRuns: 60 });
  t.pass('60 runs');
});
