// A host that is closed while much is under way, and what the next one finds in its data directory.

import { appendFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bundleArtifact } from '../../../api/bundle.js';
import { Host } from '../../../api/host/index.js';
import { codeOf, counting, moduleUrl, startHost, writeModule } from './hosts.js';

t.setTimeout(120_000);

const PLAIN = `
import { Bolt } from 'millrace';

export class Louder extends Bolt {
  static outputs = ['text'];
  execute(tuple, emit) { emit([tuple.values[0] + '!']); }
}
`;

t.test('closed while topologies run, and while submits and records are under way', async (t) => {
  const { host, prints, printed } = await startHost(t, { dataDirectory: t.testdir({}) });
  const running = [
    await host.submit(moduleUrl('clerk')),
    await host.submit(moduleUrl('steps')),
    await host.submit(counting('endless')),
  ] as const;
  const [clerk] = running;
  const held = codeOf(clerk.ingest('orders', ['hold']));
  await prints('holds');
  await prints('{"n":3}');
  const submits = Array.from({ length: 5 }, (_, index) => codeOf(host.submit(counting(`late-${index}`, 1))));
  const records = Array.from({ length: 20 }, () => codeOf(clerk.ingest('orders', ['ack'])));
  const closing = Promise.all([host.close(), host.close()]);
  const afterwards = codeOf(host.submit(counting('after', 1)));
  await closing;
  t.ok(printed.includes('closed'), 'components are closed');
  t.equal(await held, 'MILLRACE_INGEST_ENDED');
  t.strictSame(new Set(await Promise.all(submits)), new Set(['MILLRACE_HOST_CLOSED']));
  for (const code of await Promise.all(records)) t.match(code, /^(none|MILLRACE_INGEST_ENDED)$/);
  t.equal(await afterwards, 'MILLRACE_HOST_CLOSED');
  for (const each of running) t.equal(await codeOf(each.completed), 'MILLRACE_HOST_CLOSED');
  const { service } = host;
  const signal = new AbortController().signal;
  for (const call of [
    () => host.submit(counting('after', 1)),
    () => service.list(),
    () => service.kill('clerk', {}),
    () => service.submit({ document: counting('after', 1) }),
    () => service.ingest('clerk', 'orders', ['ack'], signal),
    () => clerk.status(),
    () => clerk.kill(),
  ]) {
    t.equal(await codeOf(call() as Promise<unknown>), 'MILLRACE_HOST_CLOSED');
  }
  t.match(await service.health(), { status: 'closing' });
  await host.close();
});

t.test('a start that fails leaves nothing', async (t) => {
  const directory = t.testdir({});
  const [dataDirectory, other] = [join(directory, 'data'), join(directory, 'other')];
  const first = await startHost(t, { dataDirectory, listen: '127.0.0.1:0' });
  const listen = first.host.url!.slice('http://'.length);
  t.equal(await codeOf(Host.start({ dataDirectory })), 'MILLRACE_STORE_IN_USE');
  t.equal(await codeOf(Host.start({ dataDirectory: other, listen })), 'MILLRACE_API_PORT_IN_USE');
  t.strictSame(locksIn(other), []);
  await first.host.close();
  await startHost(t, { dataDirectory: other, listen });
});

t.test('restarted on its directory: what was wished stands', async (t) => {
  const dataDirectory = t.testdir({});
  const first = await startHost(t, { dataDirectory });
  await (
    await first.host.submit(counting('short', 2))
  ).completed;
  await (await first.host.submit(counting('killed'))).kill({ reason: 'enough' });
  await first.host.submit(counting('asleep', 1), { active: false });
  await first.host.submit(moduleUrl('steps'));
  await first.prints('begins at 0');
  await first.prints('{"step":20}');
  await first.host.close();
  t.strictSame(locksIn(dataDirectory), []);

  const second = await startHost(t, { dataDirectory });
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (second.printed.length < 2) return;
      clearInterval(timer);
      resolve();
    }, 10);
  });
  const from = Number(/^begins at (\d+)$/.exec(second.printed[0]!)?.[1]);
  t.comment(`stopped after step ${stepsIn(first.printed).at(-1)}, goes on at ${from}`);
  t.ok(from >= 20, 'its progress was kept when the host was closed');
  t.equal(stepsIn(second.printed)[0], from);
  t.ok(from <= stepsIn(first.printed).at(-1)! + 1, 'and no step is left out');
  const { service } = second.host;
  t.match(await service.describe('short'), { state: 'completed', components: { numbers: { acked: 2 } } });
  t.match(await service.describe('killed'), { state: 'killed', reason: 'enough' });
  t.match(await service.describe('asleep'), { state: 'inactive' });
  t.match(await service.describe('steps'), { state: 'active' });
  t.match(
    (await service.list()).map(({ name }) => name).sort(),
    ['asleep', 'killed', 'short', 'steps'],
    'no more and no less',
  );
  await service.kill('steps', { waitMs: 0 });
  await service.activate('asleep');
  await second.prints('{"n":1}');
});

t.test('a document with types from an artifact, which outlives a restart', async (t) => {
  const sources = t.testdir({});
  const dataDirectory = join(sources, 'data');
  const first = await startHost(t, { dataDirectory });
  const { sha256, content } = await bundleArtifact(writeModule(sources, 'louder.ts', PLAIN));
  const document = {
    name: 'louder',
    artifact: sha256,
    spouts: { words: { type: 'ingest', config: { fields: ['text'] } } },
    bolts: {
      louder: { type: 'Louder', inputs: [{ from: 'words', grouping: 'shuffle' }] },
      out: { type: 'log', inputs: [{ from: 'louder', grouping: 'shuffle' }] },
    },
  };
  await t.rejects(first.host.service.submit({ document }), { code: 'MILLRACE_ARTIFACT_UNKNOWN', status: 404 });
  async function* pieces() {
    yield content;
  }
  t.match(await first.host.service.putArtifact(sha256, pieces()), { sha256, created: true });
  t.match(await first.host.service.submit({ document }), { name: 'louder' });
  const signal = new AbortController().signal;
  await first.host.service.ingest('louder', 'words', ['one'], signal);
  await first.prints('{"text":"one!"}');
  await first.host.close();
  const second = await startHost(t, { dataDirectory });
  await second.host.service.ingest('louder', 'words', ['two'], signal);
  await second.prints('{"text":"two!"}');
});

t.test('a torn last write is cut off, and a directory of a newer version left alone', async (t) => {
  const dataDirectory = t.testdir({});
  const store = join(dataDirectory, 'store');
  const first = await startHost(t, { dataDirectory });
  await first.host.submit(counting('kept'), { active: false });
  await first.host.close();
  const log = readdirSync(store).find((name) => name.endsWith('.log'))!;
  appendFileSync(join(store, log), Buffer.from([40, 0, 0, 0, 1, 2, 3]));
  const second = await startHost(t, { dataDirectory });
  t.match(await second.host.service.describe('kept'), { state: 'inactive' });
  t.match(second.logged.join('\n'), /torn last write of 7 bytes/);
  await second.host.close();
  writeFileSync(join(store, 'format'), JSON.stringify({ format: 99 }));
  t.equal(await codeOf(Host.start({ dataDirectory })), 'MILLRACE_STORE_NEWER');
});

function locksIn(dataDirectory: string): readonly string[] {
  return readdirSync(join(dataDirectory, 'store')).filter((name) => /^(lock|claim)-/.test(name));
}

function stepsIn(printed: readonly string[]): readonly number[] {
  return printed.flatMap((line) => (line.startsWith('{"step"') ? [(JSON.parse(line) as { step: number }).step] : []));
}
