// Two thousand requests made from the schemas of the interface, half of them then bent somewhere: each is either
// carried out or refused with a code, none is answered with a fault of the host, and enough of them are good ones.

import fc from 'fast-check';
import t from 'tap';
import { catalogue } from '../../../engine/errors.js';
import { INGESTING } from '../fake-host.js';
import { ask, post, serve, type Answer } from './served.js';

const RUNS = 2000;
const BASE = '/api/v1/topologies';

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly type?: string;
}

const name = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('records', 'a', 'b.1', 'c_2', 'd-3') },
  { weight: 1, arbitrary: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/) },
);
const words = fc.string({ maxLength: 20 });
const duration = fc.oneof(
  fc.constantFrom<string | number>('500ms', '10s', '1.5m', '0s', 0),
  fc.integer({ min: 1, max: 100_000 }),
);

const config = fc.record(
  {
    workers: fc.integer({ min: 1, max: 8 }),
    messageTimeout: fc.oneof(fc.constantFrom<unknown>(null, false, '30s'), fc.integer({ min: 1, max: 60_000 })),
    maxSpoutPending: fc.oneof(fc.constant(null), fc.integer({ min: 1, max: 1000 })),
    tracking: fc.boolean(),
  },
  { requiredKeys: [] },
);

const topology = fc
  .record({
    name,
    config,
    ingest: fc.boolean(),
    parallelism: fc.integer({ min: 1, max: 8 }),
    active: fc.constantFrom(undefined, true, false),
    version: fc.constantFrom(undefined, '1.0'),
  })
  .map(({ name: called, config: settings, ingest, parallelism, active, version }) => ({
    ...(version === undefined ? {} : { version }),
    name: called,
    config: settings,
    spouts: { in: { type: ingest ? 'ingest' : 'generator', parallelism, config: { template: { text: 'a' } } } },
    bolts: {
      split: { type: 'split-words', inputs: [{ from: 'in', grouping: 'shuffle' }] },
      count: { type: 'count', parallelism, inputs: [{ from: 'split', grouping: 'fields', fields: ['word'] }] },
      out: { type: 'log', inputs: [{ from: 'count', grouping: 'global' }] },
    },
    ...(active === undefined ? {} : { active, settings: { 'out.prefix': '> ' } }),
  }));

const record = fc.oneof(
  fc.record({ text: fc.oneof(words, fc.constantFrom('fail', 'timeout', 'lost', 'full')) }),
  fc.tuple(words),
);

const good: fc.Arbitrary<Request> = fc.oneof(
  { weight: 3, arbitrary: topology.map((body) => ({ method: 'POST', path: BASE, body })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(BASE, '/healthz', '/api/v1/schemas/topology', '/docs/json')
      .map((path) => ({ method: 'GET', path })),
  },
  { weight: 2, arbitrary: name.map((each) => ({ method: 'GET', path: `${BASE}/${each}` })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(name, fc.constantFrom('activate', 'deactivate'))
      .map(([each, what]) => ({ method: 'POST', path: `${BASE}/${each}/${what}` })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        name,
        fc.record({ wait: duration, reason: fc.string({ minLength: 1, maxLength: 50 }) }, { requiredKeys: [] }),
      )
      .map(([each, body]) => ({ method: 'POST', path: `${BASE}/${each}/kill`, body })),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(name, record)
      .map(([each, body]) => ({ method: 'POST', path: `${BASE}/${each}/ingest/in`, body })),
  },
  {
    weight: 1,
    arbitrary: fc.stringMatching(/^[0-9a-f]{64}$/).map((hash) => ({
      method: 'PUT',
      path: `/api/v1/artifacts/${hash}`,
      body: 'export default 1;',
      type: 'application/javascript',
    })),
  },
);

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    1.5,
    1e300,
    '',
    '\u0000',
    '__proto__',
    [],
    {},
    [[]],
    { toString: 1 },
    '\ud800',
  ),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Bends one place of a value: another value, another key, one key less. */
function bent(value: unknown, seeds: readonly number[], with_: unknown, key: string): unknown {
  const [seed = 0, ...rest] = seeds;
  if (typeof value !== 'object' || value === null || rest.length === 0) return with_;
  if (Array.isArray(value)) {
    if (value.length === 0) return [with_];
    const items: readonly unknown[] = value;
    return items.map((item, index) => (index === seed % items.length ? bent(item, rest, with_, key) : item));
  }
  const entries = Object.entries(value);
  const at = seed % (entries.length + 2);
  if (at === entries.length || entries.length === 0) return Object.fromEntries([...entries, [key, with_]]);
  if (at > entries.length) return Object.fromEntries(entries.slice(1));
  return Object.fromEntries(
    entries.map(([each, item], index) => [each, index === at ? bent(item, rest, with_, key) : item]),
  );
}

const mutated: fc.Arbitrary<Request> = fc
  .record({
    request: good,
    how: fc.constantFrom('body', 'body', 'body', 'text', 'path', 'method', 'query', 'type'),
    seeds: fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }),
    value: odd,
    key: fc.oneof(words, fc.constantFrom('__proto__', 'constructor', 'active', 'settings', 'artifact', '$schema')),
  })
  .map(({ request, how, seeds, value, key }): Request => {
    const { method, path, body } = request;
    const at = seeds[0] ?? 0;
    switch (how) {
      case 'text': {
        const text = JSON.stringify(body ?? {});
        return { ...request, body: text.slice(0, at * 3) + text.slice(at * 3 + 1) };
      }
      case 'path':
        return { ...request, path: path.slice(0, at + 5) + encodeURIComponent(key.replace(/\p{Surrogate}/gu, '')) };
      case 'method':
        return { ...request, method: ['DELETE', 'PATCH', 'OPTIONS', 'PUT', 'POST', 'TRACE'][at % 6] ?? 'PUT' };
      case 'query':
        return { ...request, path: `${path}?${encodeURIComponent(key.replace(/\p{Surrogate}/gu, ''))}=1` };
      case 'type':
        return {
          ...request,
          type: ['text/plain', 'application/xml', 'application/json; charset=latin1'][at % 3] ?? '',
        };
      default:
        return method === 'GET' ? request : { ...request, body: bent(body, seeds, value, key) };
    }
  });

t.test('requests made from the schemas', async (t) => {
  const served = await serve(t);
  await post(served, BASE, INGESTING);
  let accepted = 0;
  const statuses = new Map<number, number>();
  const faults: unknown[] = [];
  const unknown = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.oneof(good, mutated), async ({ method, path, body, type }) => {
      const answer: Answer = await ask(served, path, {
        method,
        body,
        ...(type === undefined ? {} : { headers: { 'content-type': type } }),
      });
      const { status, json } = answer;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status < 400) {
        accepted++;
        return;
      }
      const { code } = (json ?? {}) as { readonly code?: string };
      // The record itself may say that it is to fail: that is an answer, not a fault.
      const isAnswer = code?.startsWith('MILLRACE_INGEST_') === true;
      if (status >= 500 && !isAnswer) faults.push({ method, path, body, answer: answer.text });
      if (method !== 'HEAD' && (code === undefined || !Object.hasOwn(catalogue, code)))
        unknown.add(`${method} ${path}: ${answer.text}`);
    }),
    { numRuns: RUNS },
  );
  const table = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
  t.comment(`${RUNS} requests, ${accepted} accepted (${Math.round((accepted / RUNS) * 100)} %); ${table.join(', ')}`);
  t.strictSame(faults, [], 'none is a fault of the host');
  t.strictSame([...unknown], [], 'every refusal has a code of the catalogue');
  t.ok(accepted >= RUNS * 0.3, 'enough of them are good');
});
