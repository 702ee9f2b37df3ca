// A service that embeds a host: ten thousand calls of it wait for their tuple trees while the worker under them dies
// twice. Each is answered, right or with the code of what happened, and afterwards all is as before.

import autocannon, { type Result } from 'autocannon';
import { fastify } from 'fastify';
import t from 'tap';
import { Host } from '../../api/host/index.js';

t.setTimeout(120_000);

const CALLS = 10_000;
const CONNECTIONS = 50;

t.test('ten thousand calls of a service, and two deaths of its worker', async (t) => {
  const host = await Host.start();
  t.teardown(() => host.close());
  const desk = await host.submit(new URL('./topologies/desk.js', import.meta.url));
  const answers = new Map<string, number>();
  const count = (code: string): void => void answers.set(code, (answers.get(code) ?? 0) + 1);
  const killAt = [CALLS * 0.3, CALLS * 0.6];
  const deaths: Promise<unknown>[] = [];
  let calls = 0;

  const service = fastify();
  t.teardown(() => service.close());
  service.post('/amounts', async (request, reply) => {
    if (++calls >= (killAt[0] ?? Infinity)) {
      killAt.shift();
      deaths.push(desk.ingest('amounts', [-1]).catch((error: unknown) => (error as { code: string }).code));
    }
    try {
      await desk.ingest('amounts', request.body as Record<string, unknown>);
      count('204');
      return await reply.code(204).send();
    } catch (error) {
      const { code, status } = error as { readonly code: string; readonly status: number };
      count(code);
      return await reply.code(status).send({ code });
    }
  });
  const url = await service.listen({ port: 0, host: '127.0.0.1' });

  const result = await new Promise<Result>((resolve, reject) => {
    const options = {
      url: `${url}/amounts`,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"amount":1}',
      amount: CALLS,
      connections: CONNECTIONS,
      timeout: 60,
    } as const;
    autocannon(options, (error: unknown, ended) => {
      if (error === null) resolve(ended);
      else reject(new Error('the calls could not be made', { cause: error }));
    });
  });
  const { latency, requests, duration } = result;
  t.comment(`${CALLS} calls in ${duration} s, ${requests.average} a second: ${JSON.stringify([...answers])}`);
  t.comment(`latency: median ${latency.p50} ms, 99 % ${latency.p99} ms, at most ${latency.max} ms`);

  t.strictSame([result.errors, result.timeouts, result['4xx']], [0, 0, 0], 'each call is answered');
  t.equal(result['2xx'] + result['5xx'], CALLS);
  t.strictSame(
    Object.keys(result.statusCodeStats ?? {}).filter((code) => code !== '204' && code !== '504'),
    [],
  );
  t.strictSame(
    [...answers.keys()].filter((code) => code !== '204' && code !== 'MILLRACE_INGEST_LOST'),
    [],
  );
  t.equal(answers.get('204'), result['2xx']);
  t.equal(answers.get('MILLRACE_INGEST_LOST') ?? 0, result['5xx']);
  t.strictSame(await Promise.all(deaths), ['MILLRACE_INGEST_LOST', 'MILLRACE_INGEST_LOST']);
  t.ok((answers.get('204') ?? 0) > CALLS / 2, 'most of them right');

  for (let call = 0; call < 100; call++) await desk.ingest('amounts', { amount: 1 });
  const status = await desk.status();
  t.match(status, { state: 'active', workerDeaths: 2, openTrees: 0 });
  t.ok(status.components['sum']!.executed >= result['2xx'] + 100, 'what was answered right was done');
  t.match(await desk.kill(), { status: 'killed' });
});
