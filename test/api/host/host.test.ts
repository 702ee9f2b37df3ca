// A host inside of a program, on real threads: what can be submitted and how it ends, names that are in use or unknown,
// topologies that sleep, and that a host keeps to itself. C08, C14, C40, C118.

import { join } from 'node:path';
import t from 'tap';
import type { topology } from '../../../engine/index.js';
import { LABELS_MAX } from '../../../engine/limits.js';
import { NUMBERS } from '../modules.js';
import { codeOf, counting, moduleUrl, startHost, untilWish, writeModule } from './hosts.js';

t.setTimeout(120_000);

t.test('a topology is submitted by the URL of a module, a path, an object, a document', async (t) => {
  const { host, printed, prints, logged } = await startHost(t);
  const directory = t.testdir({});
  const file = writeModule(directory, 'numbers.ts', NUMBERS);

  const bundled = await host.submit(file);
  t.match(await bundled.completed, { status: 'completed', error: null, reason: null });
  t.strictSame(printed, ['{"n":1}', '{"n":2}', '{"n":3}'], 'a TypeScript module is bundled');
  t.match(await bundled.status(), {
    name: 'numbers',
    state: 'completed',
    components: { numbers: { kind: 'spout', emitted: 3, acked: 3 }, log: { executed: 3, errors: 0 } },
    plan: { workers: 1 },
    openTrees: 0,
  });

  t.match(await bundled.metrics(), {
    id: bundled.id,
    state: 'completed',
    components: { numbers: { transferred: 3 }, log: { executed: 3, condition: { state: 'ended' } } },
  });

  const { default: steps } = (await import(moduleUrl('steps'))) as { default: ReturnType<typeof topology> };
  await t.rejects(host.submit(steps), { code: 'MILLRACE_HOST_SUBMIT', message: /"steps"/, hint: /import\.meta\.url/ });
  const object = await host.submit(steps, { module: moduleUrl('steps'), settings: { 'steps.end': 2 } });
  t.match(await object.completed, { status: 'completed' });
  await prints('begins at 0');

  const document = await host.submit(counting('document', 4));
  t.match(await document.completed, { status: 'completed' });
  t.match(await host.service.list(), [{ name: 'document' }, { name: 'steps' }, { name: 'numbers' }]);
  t.strictSame(logged, [], 'nothing to say of it');
});

t.test('what cannot be run is refused, and nothing is kept', async (t) => {
  const { host } = await startHost(t);
  const directory = t.testdir({});
  const throws = writeModule(directory, 'throws.mjs', 'throw new RangeError("not today")');
  t.equal(await codeOf(host.submit(throws)), 'MILLRACE_DEFINITION_THREW');
  const broken = writeModule(directory, 'broken.ts', 'export default {');
  t.equal(await codeOf(host.submit(broken)), 'MILLRACE_BUNDLE_SYNTAX');
  t.equal(await codeOf(host.submit(join(directory, 'missing.mjs'))), 'MILLRACE_DEFINITION_THREW');
  await t.rejects(host.submit({ name: 'x', spouts: {}, bolts: { a: { type: 'lgo' } } }), {
    code: 'MILLRACE_TOPOLOGY_INVALID',
  });
  t.equal(await codeOf(host.submit(counting('x'), { settings: { nobody: 1 } })), 'MILLRACE_TOPOLOGY_INVALID');
  t.equal(await codeOf(host.submit(moduleUrl('nothing-there'))), 'MILLRACE_DEFINITION_THREW');
  t.strictSame(await host.service.list(), []);
});

t.test('one that fails when it starts, and one that fails later', async (t) => {
  const { host } = await startHost(t);
  const early = await host.submit({
    name: 'early',
    spouts: { lines: { type: 'file-lines', config: { path: 'no-such-file.txt' } } },
    bolts: { out: { type: 'log', inputs: [{ from: 'lines', grouping: 'shuffle' }] } },
  });
  const end = await early.completed;
  t.match(end, { status: 'failed', error: { code: 'MILLRACE_FILE_MISSING' }, reason: /no-such-file/ });
  t.match(await early.status(), { state: 'failed', reason: end.reason });
  const clerk = await host.submit(moduleUrl('clerk'));
  let code = 'MILLRACE_INGEST_LOST';
  while (code === 'MILLRACE_INGEST_LOST') code = await codeOf(clerk.ingest('orders', ['die']));
  t.equal(code, 'MILLRACE_INGEST_ENDED');
  t.match(await clerk.completed, { status: 'failed', error: { code: 'MILLRACE_WORKER_FAILING' } });
});

t.test(
  'C50 rebalanced while records come: all of them are processed, and a host that starts again knows',
  async (t) => {
    const dataDirectory = t.testdir();
    const first = await startHost(t, { dataDirectory });
    const clerk = await first.host.submit(moduleUrl('clerk'));
    const given: Promise<void>[] = [];
    let more = true;
    const feeding = (async (): Promise<void> => {
      for (let count = 0; more; count++) {
        given.push(clerk.ingest('orders', [`ack ${count}`]));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    t.match(await clerk.rebalance({ workers: 3, parallelism: { clerk: 4, orders: 2 } }), {
      state: 'active',
      workers: 3,
      tasks: 6,
      plan: { workers: 3, tasks: { length: 6 } },
      components: { clerk: { parallelism: 4 } },
    });
    t.match(await clerk.rebalance({ workers: 1, parallelism: { clerk: 2 } }), {
      plan: { workers: 1, tasks: { length: 4 } },
    });
    more = false;
    await feeding;
    await Promise.all(given);
    t.match(await clerk.status(), { components: { clerk: { executed: given.length } } });
    t.match(await first.host.service.health(), { slots: { used: 1 } });
    for (const [request, code] of [
      [{ workers: 5 }, 'MILLRACE_REBALANCE_SLOTS'],
      [{ workers: 0 }, 'MILLRACE_REBALANCE_WORKERS'],
      [{ parallelism: { clerk: 0 } }, 'MILLRACE_REBALANCE_PARALLELISM'],
      [{ parallelism: { nobody: 3 } }, 'MILLRACE_REBALANCE_COMPONENT'],
    ] as const) {
      t.equal(await codeOf(clerk.rebalance(request)), code);
    }
    await first.host.close();
    const second = await startHost(t, { dataDirectory });
    await second.prints('activated', 2);
    t.match(await second.host.service.describe('clerk'), { plan: { workers: 1, tasks: { length: 4 } } });
  },
);

t.test('a rebalance that cannot be carried out is refused, and wished no longer', async (t) => {
  const { host } = await startHost(t);
  const picky = await host.submit(moduleUrl('picky'));
  await picky.ingest('orders', ['a']);
  const before = await picky.status();
  t.equal(await codeOf(picky.rebalance({ workers: 2, parallelism: { picky: 2 } })), 'MILLRACE_WORKER_START');
  await picky.ingest('orders', ['b']);
  await untilWish(host, 'picky', ({ tasks }) => tasks === before.tasks);
  t.match(await picky.status(), { state: 'active', workers: 1, tasks: 2, plan: { tasks: before.plan.tasks } });
});

t.test('C118 kill: at once, or when nothing is in flight; of a killed one it changes nothing', async (t) => {
  const { host, prints, printed } = await startHost(t);
  const clerk = await host.submit(moduleUrl('clerk'));
  const held = codeOf(clerk.ingest('orders', ['hold']));
  await prints('holds');
  t.match(await clerk.kill({ reason: 'enough' }), { status: 'killed', error: null, reason: 'enough' });
  t.equal(await held, 'MILLRACE_INGEST_ENDED');
  t.ok(printed.includes('closed'), 'its components are closed');
  t.match(await clerk.kill({ reason: 'again' }), { status: 'killed', reason: 'enough' });
  t.match(await clerk.status(), { state: 'killed', reason: 'enough', components: { clerk: { executed: 1 } } });
  t.match(await host.service.kill('clerk', {}), { state: 'killed' });

  const waits = await host.submit(moduleUrl('clerk'));
  await waits.ingest('orders', ['print this']);
  t.match(await waits.kill({ waitMs: 3_600_000 }), { status: 'killed' }, 'nothing is in flight: no hour is waited');
});

t.test('C08 a name in use is refused, also while its topology is being killed', async (t) => {
  const { host, prints } = await startHost(t);
  const first = await host.submit(moduleUrl('clerk'));
  void codeOf(first.ingest('orders', ['hold']));
  await prints('holds');
  await t.rejects(host.submit(moduleUrl('clerk')), {
    code: 'MILLRACE_TOPOLOGY_EXISTS',
    status: 409,
    message: /"clerk" exists already and is active/,
  });
  await host.service.kill('clerk', { waitMs: 3_600_000 });
  await t.rejects(host.submit(moduleUrl('clerk')), { message: /"clerk" exists already and is draining/ });
  t.match(await host.service.kill('clerk', { waitMs: 0 }), { state: 'draining' }, 'the first wait stands');
  t.equal(await codeOf(first.activate()), 'MILLRACE_TOPOLOGY_ENDED');
});

t.test('C14 an unknown name', async (t) => {
  const { host } = await startHost(t);
  const { service } = host;
  const calls: readonly (() => Promise<unknown>)[] = [
    () => service.describe('nobody'),
    () => service.activate('nobody'),
    () => service.deactivate('nobody'),
    () => service.kill('nobody', {}),
    () => service.kill('nobody', { waitMs: 0 }),
    () => service.ingest('nobody', 'orders', [], new AbortController().signal),
    () => service.describe('a name that nobody can have'),
    () => service.kill('../up', {}),
  ];
  for (const call of calls) {
    await t.rejects(call(), {
      code: 'MILLRACE_TOPOLOGY_UNKNOWN',
      status: 404,
      message: /"(nobody|a name.*|\.\.\/up)"/,
    });
  }
});

t.test('C40 one that is submitted asleep opens nothing until it is activated', async (t) => {
  const { host, printed, prints } = await startHost(t);
  const clerk = await host.submit(moduleUrl('clerk'), { active: false });
  t.match(await clerk.status(), { state: 'inactive', components: { clerk: { executed: 0, parallelism: 1 } } });
  t.equal(await codeOf(clerk.ingest('orders', ['ack'])), 'MILLRACE_INGEST_INACTIVE');
  await clerk.deactivate();
  // Another one goes all its way meanwhile.
  await (
    await host.submit(counting('short', 1))
  ).completed;
  t.strictSame(printed, ['{"n":1}']);
  await clerk.activate();
  await prints('activated');
  await clerk.ingest('orders', ['ack']);
  const answersWith = async (code: string): Promise<void> => {
    while ((await codeOf(clerk.ingest('orders', ['ack']))) !== code);
  };
  await clerk.deactivate();
  await answersWith('MILLRACE_INGEST_INACTIVE');
  t.match(await clerk.status(), { state: 'inactive' });
  await clerk.activate();
  await answersWith('none');
  const asleep = await host.submit(counting('asleep'), { active: false });
  t.match(await asleep.kill(), { status: 'killed' }, 'one that never ran is killed as well');
});

t.test('a handle means its own topology, not the next one of that name', async (t) => {
  const { host } = await startHost(t);
  const first = await host.submit(moduleUrl('clerk'));
  await first.kill({ reason: 'first' });
  const second = await host.submit(moduleUrl('clerk'));
  await second.ingest('orders', ['ack']);
  t.match(await first.kill({ reason: 'again' }), { status: 'killed', reason: 'first' });
  t.match(await first.status(), { id: first.id, state: 'killed' });
  t.equal(await codeOf(first.activate()), 'MILLRACE_TOPOLOGY_ENDED');
  t.equal(await codeOf(first.deactivate()), 'MILLRACE_TOPOLOGY_ENDED');
  t.equal(await codeOf(first.ingest('orders', ['ack'])), 'MILLRACE_INGEST_ENDED');
  t.match(await second.status(), { id: second.id, state: 'active', components: { clerk: { executed: 1 } } });
});

t.test('more than there are slots for wait', async (t) => {
  const { host, prints } = await startHost(t, { slots: 1 });
  const first = await host.submit(moduleUrl('clerk'));
  await prints('activated');
  t.match(await host.service.health(), { slots: { total: 1, used: 1 } });
  const second = await host.submit(counting('second', 1));
  t.match(await second.status(), { state: 'waiting', seconds: 0 });
  await first.kill();
  t.match(await second.completed, { status: 'completed' });
  t.match(await host.service.health(), { status: 'ok', slots: { total: 1, used: 0 } });
});

t.test('two hosts in one process have nothing in common, and nothing else is touched', async (t) => {
  const events = process.eventNames().map((name) => [name, process.listenerCount(name)]);
  const written: unknown[] = [];
  const streams = [process.stdout, process.stderr].map((stream) => ({ stream, write: stream.write }));
  t.teardown(() => streams.forEach(({ stream, write }) => (stream.write = write)));
  const a = await startHost(t, { name: 'a' });
  const b = await startHost(t, { name: 'b' });
  for (const { stream } of streams) {
    stream.write = (text: unknown) => {
      written.push(text);
      return true;
    };
  }
  const [inA, inB] = await Promise.all([a.host.submit(moduleUrl('clerk')), b.host.submit(moduleUrl('clerk'))]);
  await Promise.all([inA.ingest('orders', ['print a']), inB.ingest('orders', ['print b'])]);
  const mayListen = process.eventNames().filter((name) => name !== 'exit');
  const during = mayListen.map((name) => [name, process.listenerCount(name)]);
  await a.host.close();
  await inB.ingest('orders', ['print b']);
  await inB.kill();
  await b.host.close();
  streams.forEach(({ stream, write }) => (stream.write = write));
  t.strictSame(
    during,
    events.filter(([name]) => name !== 'exit'),
    'no listeners for signals or for errors of others',
  );
  t.strictSame(
    process.eventNames().map((name) => [name, process.listenerCount(name)]),
    events,
  );
  t.strictSame(written, [], 'nothing is written but to the logger');
  t.match([a.printed.includes('print a'), b.printed.includes('print b')], [true, true]);
  t.notOk(a.printed.includes('print b') || b.printed.includes('print a'));
});

t.test('wrong options', async (t) => {
  const tooMany = Array.from({ length: LABELS_MAX + 1 }, (_, index) => `label-${index}`);
  for (const options of [
    { name: '../a' },
    { name: '' },
    { name: '..' },
    { name: '_a' },
    { slots: 0 },
    { slots: 1.5 },
    { labels: ['gpu', 'zone a'] },
    { labels: [''] },
    { labels: tooMany },
  ]) {
    await t.rejects(startHost(t, options), { code: 'MILLRACE_HOST_OPTION' });
  }
  await t.rejects(startHost(t, { filesDirectory: 'no-such-directory' }), { code: 'MILLRACE_HOST_FILES' });
  await t.rejects(startHost(t, { listen: '0.0.0.0:0' }), { code: 'MILLRACE_API_LISTEN_ADDRESS' });
});
