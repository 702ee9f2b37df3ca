// Every way in which a request can be refused: its status, its code, and the one shape that all refusals have.

import t from 'tap';
import { failure, isMillraceError } from '../../../engine/errors.js';
import type { Logger } from '../../../engine/log.js';
import { INGESTING } from '../fake-host.js';
import { ask, post, serve, type Answer, type Ask } from './served.js';

const BASE = '/api/v1/topologies';
const KILL = `${BASE}/records/kill`;
const deep = '['.repeat(100) + ']'.repeat(100);

const cases: readonly (readonly [what: string, status: number, code: string, path: string, request: Ask])[] = [
  ['no such path', 404, 'MILLRACE_REQUEST_ROUTE', '/nothing', {}],
  ['no such path, posted to', 404, 'MILLRACE_REQUEST_ROUTE', '/nothing', { method: 'POST' }],
  ['no name', 400, 'MILLRACE_REQUEST_INVALID', `${BASE}/`, {}],
  ['a name that is too long', 404, 'MILLRACE_REQUEST_ROUTE', `${BASE}/${'a'.repeat(300)}`, {}],
  ['a path that is none', 400, 'MILLRACE_REQUEST_MALFORMED', `${BASE}/%zz`, {}],
  ['a method of other paths', 405, 'MILLRACE_REQUEST_METHOD', `${BASE}/records`, { method: 'PUT' }],
  ['a method of no path', 405, 'MILLRACE_REQUEST_METHOD', `${BASE}/records`, { method: 'DELETE' }],
  ['a method for proxies', 405, 'MILLRACE_REQUEST_METHOD', BASE, { method: 'TRACE' }],
  ['a question of a browser', 405, 'MILLRACE_REQUEST_METHOD', BASE, { method: 'OPTIONS' }],
  ['no topology of that name', 404, 'MILLRACE_TOPOLOGY_UNKNOWN', `${BASE}/nope`, {}],
  ['a name that is none', 400, 'MILLRACE_REQUEST_INVALID', `${BASE}/..%2fetc`, {}],
  ['a query', 400, 'MILLRACE_REQUEST_INVALID', `${BASE}?x=1`, {}],
  ['a name in use', 409, 'MILLRACE_TOPOLOGY_EXISTS', BASE, { method: 'POST', body: INGESTING }],
  ['no body', 400, 'MILLRACE_REQUEST_INVALID', BASE, { method: 'POST' }],
  ['a body that is a list', 400, 'MILLRACE_REQUEST_INVALID', BASE, { method: 'POST', body: [] }],
  ['a body with a field more', 400, 'MILLRACE_REQUEST_INVALID', KILL, { method: 'POST', body: { force: true } }],
  ['broken JSON', 400, 'MILLRACE_DOCUMENT_SYNTAX', BASE, { method: 'POST', body: '{"name": "x",\n}' }],
  ['a key twice', 400, 'MILLRACE_DOCUMENT_SYNTAX', KILL, { method: 'POST', body: '{"wait": 0, "wait": 1}' }],
  ['nested too deep', 400, 'MILLRACE_DOCUMENT_SYNTAX', BASE, { method: 'POST', body: deep }],
  ['not UTF-8', 400, 'MILLRACE_REQUEST_MALFORMED', KILL, { method: 'POST', body: Buffer.from([0x22, 0xff, 0x22]) }],
  [
    'a body that is too large',
    413,
    'MILLRACE_REQUEST_TOO_LARGE',
    BASE,
    { method: 'POST', body: ' '.repeat(1_048_577) },
  ],
  [
    'another type',
    415,
    'MILLRACE_REQUEST_MEDIA_TYPE',
    BASE,
    { method: 'POST', headers: { 'content-type': 'text/plain' } },
  ],
  [
    'another charset',
    415,
    'MILLRACE_REQUEST_MEDIA_TYPE',
    KILL,
    { method: 'POST', headers: { 'content-type': 'application/json; charset=utf-16' } },
  ],
  ['packed', 415, 'MILLRACE_REQUEST_MEDIA_TYPE', KILL, { method: 'POST', headers: { 'content-encoding': 'gzip' } }],
  ['a body where none belongs', 400, 'MILLRACE_REQUEST_MALFORMED', BASE, { body: {} }],
];

function isRefusal({ json, headers }: Answer): boolean {
  const { code, message, hint, problems, ...more } = json as Readonly<Record<string, unknown>>;
  const texts = [code, message, hint].every((text) => typeof text === 'string' && text !== '');
  return (
    texts &&
    Array.isArray(problems) &&
    Object.keys(more).length === 0 &&
    /^application\/json/.test(String(headers['content-type']))
  );
}

t.test('each refusal has its status, its code and the one shape', async (t) => {
  const served = await serve(t);
  await post(served, BASE, INGESTING);
  const before = served.host.calls.filter((call) => call === 'kill').length;
  for (const [what, status, code, path, request] of cases) {
    const answer = await ask(served, path, request);
    t.match(answer, { status, json: { code } }, what);
    t.ok(isRefusal(answer), `${what}: ${answer.text}`);
  }
  t.equal(served.host.calls.filter((call) => call === 'kill').length, before, 'nothing that was refused was done');
});

t.test('whoever sends far too much learns why', async (t) => {
  const served = await serve(t);
  for (const megabytes of [2, 20]) {
    const answer = await ask(served, BASE, { method: 'POST', body: Buffer.alloc(megabytes * 1024 * 1024, ' ') });
    t.match(answer, { status: 413, json: { code: 'MILLRACE_REQUEST_TOO_LARGE' } }, `${megabytes} MB`);
    const foreign = { origin: 'http://evil.example' };
    const refused = await ask(served, BASE, {
      method: 'POST',
      headers: foreign,
      body: Buffer.alloc(megabytes * 1024 * 1024, ' '),
    });
    t.match(refused, { status: 403, json: { code: 'MILLRACE_REQUEST_ORIGIN' } });
  }
});

t.test('problems say which rule', async (t) => {
  const served = await serve(t);
  const { json } = await post(served, BASE, { name: 'x', active: 1, more: 1 });
  t.match(json, {
    problems: [
      { code: 'MILLRACE_REQUEST_VALUE', path: 'active' },
      { code: 'MILLRACE_REQUEST_MISSING_KEY', path: 'spouts' },
      { code: 'MILLRACE_REQUEST_UNKNOWN_KEY', path: 'more' },
    ],
  });
});

t.test('a refused method says which ones there are', async (t) => {
  const served = await serve(t);
  const allow = async (path: string, method: string): Promise<unknown> =>
    (await ask(served, path, { method })).headers['allow'];
  t.equal(await allow(BASE, 'DELETE'), 'POST, GET, HEAD');
  t.equal(await allow(KILL, 'PUT'), 'POST');
  t.equal(await allow('/healthz', 'TRACE'), 'GET, HEAD, POST, PUT, DELETE');
});

t.test('broken JSON is told with its place', async (t) => {
  const served = await serve(t);
  const { json } = await post(served, BASE, '{\n  "name": "x",\n}');
  t.match(json, { message: /^the body:3:1: no comma may stand before "\}"\n/ });
});

t.test('what nobody expected is logged, and not told', async (t) => {
  const logged: string[] = [];
  const log = (message: string): void => void logged.push(message);
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const served = await serve(t, { logger });
  served.host.nextError = new Error('the secret is 42');
  const answer = await ask(served, BASE);
  t.match(answer, { status: 500, json: { code: 'MILLRACE_API_INTERNAL', problems: [] } });
  t.notMatch(answer.text, /secret|errors\.test/);
  t.equal(logged.length, 1);
  t.match(logged[0], /^GET \/api\/v1\/topologies failed by a fault of this host: Error: the secret is 42\n.* at /s);
  for (const thrown of ['text', null, Object.create(null) as object]) {
    served.host.nextError = { toString: () => 'odd', thrown };
    t.match(await ask(served, BASE), { status: 500, json: { code: 'MILLRACE_API_INTERNAL' } });
  }
  // A reply that does not fit its schema is a fault, too.
  served.host.list = async () => await Promise.resolve([{ seconds: NaN } as never]);
  t.match(await ask(served, BASE), { status: 500, json: { code: 'MILLRACE_API_INTERNAL' } });
});

t.test('an error of the catalogue keeps its status, whoever throws it', async (t) => {
  const served = await serve(t);
  served.host.nextError = failure('MILLRACE_INGEST_FULL', { spout: 'b', pending: 1, bytes: 9 });
  t.match(await ask(served, BASE), { status: 503, json: { code: 'MILLRACE_INGEST_FULL' } });
  served.host.isClosing = true;
  t.match(await ask(served, '/healthz'), { status: 503, json: { code: 'MILLRACE_API_CLOSING' } });
});

t.test('where a host may listen', async (t) => {
  const { parseListenAddress, resolveListenAddress } = await import('../../../api/http/listen.js');
  t.strictSame(parseListenAddress('127.0.0.1:7070'), { host: '127.0.0.1', port: 7070 });
  t.strictSame(parseListenAddress('[::1]:0'), { host: '::1', port: 0 });
  t.strictSame(parseListenAddress('localhost:80'), { host: 'localhost', port: 80 });
  const wrong = [
    '0.0.0.0:1',
    '[::]:1',
    '10.0.0.1:1',
    'example.com:1',
    '127.0.0.1',
    ':1',
    '',
    '127.0.0.1:65536',
    '128.0.0.1:1',
    '127.1:1',
  ];
  for (const text of wrong) {
    t.throws(() => parseListenAddress(text), { code: 'MILLRACE_API_LISTEN_ADDRESS' }, text);
  }
  t.match(await resolveListenAddress({ host: 'localhost', port: 5 }), { host: /^(127\.0\.0\.1|::1)$/, port: 5 });
  await t.rejects(resolveListenAddress({ host: '127.0.0.1', port: -1 }), { code: 'MILLRACE_API_LISTEN_ADDRESS' });
});

t.test('a port in use, and an address that cannot be had', async (t) => {
  const first = await serve(t);
  const { createServer } = await import('../../../api/http/server.js');
  const second = createServer({ service: first.host });
  t.teardown(async () => await second.close());
  const refused: unknown = await second
    .listen({ host: '127.0.0.1', port: first.port })
    .catch((error: unknown) => error);
  t.ok(isMillraceError(refused) && refused.code === 'MILLRACE_API_PORT_IN_USE');
  t.match((refused as Error).message, String(first.port));
  const { listenFailure } = await import('../../../api/http/listen.js');
  const denied = Object.assign(new Error('permission denied'), { code: 'EACCES' });
  t.match(listenFailure({ host: '127.0.0.1', port: 80 }, denied), {
    code: 'MILLRACE_API_LISTEN_FAILED',
    message: /127\.0\.0\.1:80.*denied/,
  });
});
