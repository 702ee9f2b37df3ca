// What each route takes and answers, over a real connection.

import { createHash } from 'node:crypto';
import t from 'tap';
import { failure } from '../../../engine/errors.js';
import { topologySchema } from '../../../engine/model/schema.js';
import { INGESTING } from '../fake-host.js';
import { ask, post, serve } from './served.js';

const BASE = '/api/v1/topologies';

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

t.test('a topology is submitted, listed, described, put to sleep, woken and killed', async (t) => {
  const served = await serve(t);
  const created = await post(served, BASE, INGESTING);
  t.equal(created.status, 201);
  t.equal(created.headers['location'], `${BASE}/records`);
  t.strictSame(created.json, await served.host.describe('records'), 'nothing of the details is lost on the way');
  t.match(created.headers, { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });

  const listed = await ask(served, BASE);
  t.strictSame(listed.json, { topologies: await served.host.list() });
  const described = await ask(served, `${BASE}/records`);
  t.match(described.json, {
    state: 'active',
    plan: { workers: 1 },
    components: { out: { lastErrors: [{ count: 3 }] } },
  });

  t.match((await post(served, `${BASE}/records/deactivate`)).json, { state: 'inactive' });
  t.match((await post(served, `${BASE}/records/activate`, {})).json, { state: 'active' });
  const killed = await post(served, `${BASE}/records/kill`, { wait: '0s', reason: 'it is done' });
  t.match(killed.json, { state: 'killed', reason: 'it is done' });
  t.match((await post(served, `${BASE}/records/kill`)).json, { state: 'killed' }, 'a second time changes nothing');
  t.match(await post(served, BASE, { ...INGESTING, active: false }), { status: 201, json: { state: 'inactive' } });
});

t.test('a new version replaces the one before, waited for or only begun', async (t) => {
  const served = await serve(t);
  const { host } = served;
  const next = { ...INGESTING, version: '2', replace: true };
  t.match(await post(served, BASE, next), { status: 404, json: { code: 'MILLRACE_REPLACE_UNKNOWN' } });
  await post(served, BASE, INGESTING);
  const replaced = await post(served, BASE, next);
  t.match(replaced, { status: 201, headers: { location: `${BASE}/records` } });
  t.strictSame(replaced.json, await host.describe('records'), 'nothing of the details is lost on the way');
  t.match(replaced.json, { id: 'records-2', version: '2', replaces: 'records-1', replacement: null });
  const begun = await post(served, BASE, { ...next, wait: false });
  t.match(begun, { status: 202, headers: { location: `${BASE}/records` } });
  t.strictSame(begun.json, { name: 'records', id: 'records-3', replaces: 'records-2' });
  t.match(await post(served, BASE, next), { status: 409, json: { code: 'MILLRACE_REPLACE_BUSY' } });
  const described = await ask(served, `${BASE}/records`);
  t.strictSame(described.json, await host.describe('records'), 'nor of a replacement');
  t.match(described.json, { replacement: { id: 'records-3', version: '2', stage: 'placing', places: [] } });
  host.replacementError = failure('MILLRACE_REPLACE_FAILED', { topology: 'records', reason: 'it throws' });
  for (let looks = 0; looks < 5; looks++) await host.list();
  const refused = await ask(served, `${BASE}/records`);
  t.strictSame(refused.json, await host.describe('records'), 'nor of one that was refused');
  t.match(refused.json, { refused: { id: 'records-3', error: { code: 'MILLRACE_REPLACE_FAILED' } } });
  host.replacementError = failure('MILLRACE_REPLACE_LATE', { topology: 'records', what: 'it', seconds: 60 });
  t.match(await post(served, BASE, next), { status: 504, json: { code: 'MILLRACE_REPLACE_LATE' } });
  t.match(await post(served, BASE, { ...next, active: true }), {
    status: 400,
    json: { code: 'MILLRACE_REPLACE_ACTIVE', message: /to be active$/ },
  });
  for (const wait of [true, false]) {
    const unfit = await post(served, BASE, { ...INGESTING, wait });
    t.match(unfit, { status: 400, json: { code: 'MILLRACE_REQUEST_INVALID', problems: [{ path: 'wait' }] } });
  }
  const wrong = await post(served, BASE, { ...INGESTING, replace: 'yes', wait: 1 });
  t.match(wrong, { status: 400, json: { problems: [{ path: 'replace' }, { path: 'wait' }] } });
});

t.test('what is measured of a topology, whole, and of the host for Prometheus', async (t) => {
  const served = await serve(t);
  await post(served, BASE, INGESTING);
  const { json, status } = await ask(served, `${BASE}/records/metrics`);
  t.equal(status, 200);
  t.strictSame(json, await served.host.metrics('records'), 'nothing is lost on the way');
  t.match(json, {
    id: 'records-1',
    components: { in: { condition: { text: /^blocked by out#0/ }, tasks: [{ blockedBy: 1 }] } },
  });
  const page = await ask(served, '/metrics');
  t.match(page, { status: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } });
  t.match(page.text, '\nmillrace_emitted_total{topology="records",component="in",task="0"} 1000\n');
  await post(served, `${BASE}/records/kill`, { wait: '0s' });
  t.match(await ask(served, `${BASE}/records/metrics`), { status: 409, json: { code: 'MILLRACE_METRICS_NONE' } });
  t.match(await ask(served, `${BASE}/other/metrics`), { status: 404, json: { code: 'MILLRACE_TOPOLOGY_UNKNOWN' } });
  t.equal((await post(served, '/metrics')).status, 405);
});

t.test('waits are durations', async (t) => {
  const served = await serve(t);
  const waits: unknown[] = [];
  served.host.kill = async (_name, request) => {
    waits.push(request.waitMs);
    return await served.host.describe('records');
  };
  await post(served, BASE, INGESTING);
  for (const wait of [0, 1500, '0ms', '10s', '1.5m']) await post(served, `${BASE}/records/kill`, { wait });
  t.strictSame(waits, [0, 1500, 0, 10_000, 90_000]);
  for (const wait of [-1, 1.5, '10', '0.1ms', 'soon', null, true, 3e9]) {
    const refused = await post(served, `${BASE}/records/kill`, { wait });
    t.match(
      refused,
      { status: 400, json: { code: 'MILLRACE_REQUEST_INVALID', problems: [{ path: 'wait' }] } },
      String(wait),
    );
  }
});

t.test('settings, and every problem of a document at once', async (t) => {
  const served = await serve(t);
  const settings = { 'out.parallelism': 3 };
  t.match((await post(served, BASE, { ...INGESTING, settings })).json, { tasks: 4 });
  const wrong = {
    name: 'five mistakes',
    sprouts: {},
    spouts: { lines: { type: 'file-line' } },
    bolts: { count: { type: 'count', parallelism: 0, inputs: [{ from: 'nobody', grouping: 'fields', fields: [] }] } },
  };
  const refused = await post(served, BASE, wrong);
  t.match(refused, { status: 400, json: { code: 'MILLRACE_TOPOLOGY_INVALID' } });
  const { problems } = refused.json as { readonly problems: readonly { readonly path: string }[] };
  t.ok(problems.length >= 5, `${problems.length} problems`);
  const both = await post(served, BASE, { ...wrong, active: 'yes', settings: [] });
  t.match(both, { status: 400, json: { code: 'MILLRACE_REQUEST_INVALID' } });
  const paths = (both.json as { readonly problems: readonly { readonly path: string }[] }).problems.map(
    ({ path }) => path,
  );
  for (const path of ['active', 'settings', 'name', 'sprouts']) t.ok(paths.includes(path), path);
});

t.test('an artifact is kept under its hash, and a topology made of it', async (t) => {
  const served = await serve(t);
  const text = "export default topology('words', () => {});";
  const sha256 = hashOf(text);
  const put = async (name: string, body: string, type = 'application/javascript') =>
    await ask(served, `/api/v1/artifacts/${name}`, { method: 'PUT', body, headers: { 'content-type': type } });
  t.match(await put(sha256, text), { status: 201, json: { sha256, bytes: text.length, created: true } });
  t.match(await put(sha256, text, 'application/octet-stream'), { status: 200, json: { created: false } });
  t.match(await put(sha256, `${text} `), { status: 400, json: { code: 'MILLRACE_ARTIFACT_HASH' } });
  t.match(await put(hashOf('\0'), '\0'), { status: 400, json: { code: 'MILLRACE_ARTIFACT_INVALID' } });
  t.match(await put('abc', text), { status: 400, json: { problems: [{ path: 'params.sha256' }] } });
  t.match(await put(sha256, text, 'application/json'), { status: 415, json: { code: 'MILLRACE_REQUEST_MEDIA_TYPE' } });
  const kept = await ask(served, `/api/v1/artifacts/${sha256}`);
  t.match(kept, { status: 200, text, headers: { 'content-type': /^application\/javascript/ } });
  t.match(await ask(served, `/api/v1/artifacts/${hashOf('')}`), { status: 404 });

  const submitted = await post(served, BASE, { artifact: sha256, file: 'words.ts', active: false });
  t.match(submitted, { status: 201, json: { name: 'words', state: 'inactive' } });
  t.match(await post(served, BASE, { artifact: hashOf('') }), {
    status: 404,
    json: { code: 'MILLRACE_ARTIFACT_UNKNOWN' },
  });
  const wrong = await post(served, BASE, { artifact: 'abc', file: 1, wait: true });
  t.match(wrong, { status: 400, json: { problems: [{ path: 'artifact' }, { path: 'file' }, { path: 'wait' }] } });
});

t.test('a large artifact passes in pieces', async (t) => {
  const served = await serve(t);
  const piece = Buffer.alloc(64 * 1024, 'a');
  const hash = createHash('sha256');
  let pieces = 0;
  let largest = 0;
  served.host.putArtifact = async (sha256, content) => {
    let bytes = 0;
    for await (const chunk of content) {
      hash.update(chunk);
      pieces++;
      bytes += chunk.length;
      largest = Math.max(largest, chunk.length);
    }
    return { sha256, bytes, created: true };
  };
  const body = Buffer.concat(Array.from({ length: 64 }, () => piece));
  const sha256 = createHash('sha256').update(body).digest('hex');
  const headers = { 'content-type': 'application/octet-stream' };
  const answer = await ask(served, `/api/v1/artifacts/${sha256}`, { method: 'PUT', body, headers });
  t.match(answer, { status: 201, json: { bytes: body.length } });
  t.equal(hash.digest('hex'), sha256);
  t.ok(pieces > 4 && largest < body.length, `${pieces} pieces, the largest ${largest} bytes`);
});

t.test('who stops reading an artifact early still answers', async (t) => {
  const served = await serve(t);
  served.host.putArtifact = async (_sha256, content) => {
    const chunks = content[Symbol.asyncIterator]();
    const first = await chunks.next();
    await chunks.return?.();
    throw new RangeError(`stopped after ${String(first.done)}`);
  };
  const headers = { 'content-type': 'application/javascript' };
  const path = `/api/v1/artifacts/${hashOf('')}`;
  const answer = await ask(served, path, { method: 'PUT', body: Buffer.alloc(8 * 1024 * 1024), headers });
  t.match(answer, { status: 500, json: { code: 'MILLRACE_API_INTERNAL' } });
});

t.test('a record is answered when its tree is done', async (t) => {
  const served = await serve(t);
  await post(served, BASE, INGESTING);
  const path = `${BASE}/records/ingest/in`;
  t.match(await post(served, path, { text: 'a' }), { status: 204, text: '' });
  t.match(await post(served, path, ['a']), { status: 204 });
  let isAnswered = false;
  const waiting = post(served, path, { text: 'wait' }).finally(() => (isAnswered = true));
  await served.host.untilWaiting(1);
  t.notOk(isAnswered);
  served.host.waiting[0]!.done();
  t.match(await waiting, { status: 204 });

  const cases: readonly (readonly [body: unknown, status: number, code: string])[] = [
    [{ text: 'fail' }, 504, 'MILLRACE_INGEST_FAILED'],
    [{ text: 'timeout' }, 504, 'MILLRACE_INGEST_TIMEOUT'],
    [{ text: 'lost' }, 504, 'MILLRACE_INGEST_LOST'],
    [{ text: 'full' }, 503, 'MILLRACE_INGEST_FULL'],
    [{}, 400, 'MILLRACE_INGEST_RECORD'],
    [{ ['__proto__']: { text: 'a' } }, 400, 'MILLRACE_INGEST_RECORD'],
    ['{"__proto__": {"text": "a"}}', 400, 'MILLRACE_INGEST_RECORD'],
    ['"text"', 400, 'MILLRACE_REQUEST_INVALID'],
    ['', 400, 'MILLRACE_REQUEST_INVALID'],
  ];
  for (const [body, status, code] of cases) t.match(await post(served, path, body), { status, json: { code } }, code);
  t.match(await post(served, `${BASE}/records/ingest/out`, []), {
    status: 404,
    json: { code: 'MILLRACE_INGEST_SPOUT' },
  });
  await post(served, `${BASE}/records/deactivate`);
  t.match(await post(served, path, ['a']), { status: 409, json: { code: 'MILLRACE_INGEST_INACTIVE' } });
});

t.test('a rebalance: what it comes to, and what is refused', async (t) => {
  const served = await serve(t);
  await post(served, BASE, INGESTING);
  const path = `${BASE}/records/rebalance`;
  const { status, json } = await post(served, path, { workers: 2, parallelism: { out: 3 } });
  t.equal(status, 200);
  t.strictSame(json, await served.host.describe('records'));
  t.match(json, { plan: { workers: 2, nextTask: 4 } });
  const cases: readonly (readonly [body: unknown, status: number, code: string])[] = [
    [{ parallelism: { out: 0 } }, 400, 'MILLRACE_REBALANCE_PARALLELISM'],
    [{ parallelism: { nobody: 1 } }, 404, 'MILLRACE_REBALANCE_COMPONENT'],
    [{ parallelism: { in: 9_999 } }, 400, 'MILLRACE_REBALANCE_TASKS'],
    [{ workers: 0 }, 400, 'MILLRACE_REBALANCE_WORKERS'],
    [{ workers: 1.5 }, 400, 'MILLRACE_REQUEST_INVALID'],
    [{ parallelism: { out: '3' } }, 400, 'MILLRACE_REQUEST_INVALID'],
    [{ worker: 3 }, 400, 'MILLRACE_REQUEST_INVALID'],
    ['', 400, 'MILLRACE_REQUEST_INVALID'],
  ];
  for (const [body, refused, code] of cases) {
    t.match(await post(served, path, body), { status: refused, json: { code } }, `${code} ${JSON.stringify(body)}`);
  }
  t.strictSame(await served.host.describe('records'), json, 'nothing of it is done');
  await post(served, `${BASE}/records/kill`, { wait: 0 });
  t.match(await post(served, path, {}), { status: 409, json: { code: 'MILLRACE_REBALANCE_STATE' } });
  t.match(await post(served, `${BASE}/nothing/rebalance`, {}), { status: 404 });
});

t.test('hosts are drained and undrained', async (t) => {
  const served = await serve(t);
  const change = async (method: string, host: string, init: { readonly body?: string } = {}): Promise<unknown> =>
    await ask(served, `/api/v1/hosts/${host}/drain`, { method, ...init });
  t.match(await change('PUT', 'other'), { status: 200, json: { host: 'other', state: 'draining' } });
  t.match(await change('PUT', 'other', { body: '{}' }), { status: 200, json: { state: 'draining' } });
  t.match(await ask(served, '/api/v1/hosts'), { json: { hosts: [{ state: 'up' }, { state: 'draining' }] } });
  t.match(await change('DELETE', 'other'), { status: 200, json: { state: 'up', drainedSinceMs: null } });
  t.match(await change('DELETE', 'other', { body: '{}' }), { status: 200, json: { state: 'up' } });
  const unknown = { status: 404, json: { code: 'MILLRACE_HOST_UNKNOWN', hint: 'its hosts: fake, other' } };
  t.match(await change('PUT', 'none'), unknown);
  t.match(await change('DELETE', 'none'), unknown);
  t.match(await change('PUT', '_no.name'), { status: 400, json: { code: 'MILLRACE_REQUEST_INVALID' } });
  t.match(await change('PUT', 'fake', { body: '{"since":1}' }), {
    status: 400,
    json: { code: 'MILLRACE_REQUEST_INVALID' },
  });
  t.match(await change('POST', 'fake'), { status: 405, headers: { allow: 'PUT, DELETE' } });
  const plain = await ask(served, '/api/v1/hosts/fake/drain', {
    method: 'PUT',
    headers: { 'content-type': 'text/plain' },
  });
  t.match(plain, { status: 415, json: { code: 'MILLRACE_REQUEST_MEDIA_TYPE' } });
  t.strictSame(
    served.host.calls.filter((call) => call.endsWith('drain')).length,
    6,
    'what is refused never reaches the host',
  );
});

t.test('health, the schema of documents, and the description of the interface', async (t) => {
  const served = await serve(t);
  t.match(await ask(served, '/healthz'), { status: 200, json: { status: 'ok', slots: { used: 0 } } });
  t.match(await ask(served, '/healthz', { method: 'HEAD' }), { status: 200, text: '' });
  const hosts = [{ host: 'fake', state: 'up', url: 'http://127.0.0.1:7070', master: true }, { host: 'other' }];
  t.match(await ask(served, '/api/v1/hosts'), { status: 200, json: { hosts } });
  const schema = await ask(served, '/api/v1/schemas/topology');
  t.match(schema.headers['content-type'], /^application\/schema\+json/);
  t.strictSame(schema.json, JSON.parse(JSON.stringify(topologySchema)));
  const { json } = await ask(served, '/docs/json');
  t.match(json, { openapi: '3.1.0', info: { title: 'Millrace' } });
  const { paths } = json as { readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>> };
  t.strictSame(
    Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`)),
    [
      'get /healthz',
      'get /api/v1/schemas/topology',
      'get /api/v1/hosts',
      'put /api/v1/hosts/{name}/drain',
      'delete /api/v1/hosts/{name}/drain',
      'post /api/v1/topologies',
      'get /api/v1/topologies',
      'get /api/v1/topologies/{name}',
      'post /api/v1/topologies/{name}/activate',
      'post /api/v1/topologies/{name}/deactivate',
      'post /api/v1/topologies/{name}/rebalance',
      'post /api/v1/topologies/{name}/kill',
      'post /api/v1/topologies/{name}/ingest/{spout}',
      'get /api/v1/topologies/{name}/metrics',
      'get /metrics',
      'get /api/v1/parameters',
      'put /api/v1/parameters',
      'get /api/v1/topologies/{name}/parameters',
      'put /api/v1/topologies/{name}/parameters',
      'put /api/v1/artifacts/{sha256}',
      'get /api/v1/artifacts/{sha256}',
    ],
  );
  const page = await ask(served, '/docs/');
  t.equal(page.status, 200);
  t.match(page.text, /swagger-ui/);
  t.match(page.headers['content-security-policy'], /default-src 'none'/);
  t.equal((await ask(served, '/docs/static/swagger-ui-bundle.js')).status, 200);
});
