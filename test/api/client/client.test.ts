// The client against a real server: each method, each way in which a call can fail, and that none hangs.

import { createHash } from 'node:crypto';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import t, { type Test } from 'tap';
import { MillraceClient, isMillraceError } from '../../../api/client/index.js';
import { CLIENT_REPLY_BYTES_MAX } from '../../../engine/limits.js';
import { INGESTING } from '../fake-host.js';
import { serve } from '../http/served.js';

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'nothing';
  } catch (error) {
    return isMillraceError(error) ? error.code : String(error);
  }
}

t.test('each method does what the host does', async (t) => {
  const { url, host } = await serve(t);
  const client = new MillraceClient({ url: `${url}/` });
  t.equal(client.url, url);
  t.match(await client.health(), { status: 'ok', host: 'fake' });
  const submitted = await client.submit({ document: INGESTING, settings: { 'out.parallelism': 2 }, active: false });
  t.match(submitted, { name: 'records', state: 'inactive', tasks: 3 });
  t.strictSame(await client.describe('records'), await host.describe('records'));
  t.strictSame(await client.list(), await host.list());
  t.match(await client.activate('records'), { state: 'active' });
  await client.ingest('records', 'in', { text: 'a' });
  await client.ingest('records', 'in', ['a']);
  t.match(await client.deactivate('records'), { state: 'inactive' });
  t.match(await client.metrics('records'), { id: 'records-1', components: { in: { emitted: 1000 } } });
  t.match(await client.rebalance('records', { parallelism: { out: 1 } }), { plan: { tasks: { length: 2 } } });
  t.equal(await codeOf(client.rebalance('records', { workers: 0 })), 'MILLRACE_REBALANCE_WORKERS');
  t.match(await client.setParameters('records', { a: 1 }, 0), { version: 1, values: { a: 1 } });
  t.match(await client.parameters('records'), { version: 1, values: { a: 1 }, problem: null });
  t.equal(await codeOf(client.setParameters('records', {}, 0)), 'MILLRACE_PARAMETERS_VERSION');
  t.match(await client.setParameters(null, { b: 1 }), { version: 1 });
  t.match(await client.parameters(), { values: { b: 1 } });
  t.match(await client.kill('records', { waitMs: 0, reason: 'done' }), { state: 'killed', reason: 'done' });
  t.match(await client.kill('records'), { state: 'killed' });
  t.equal(await codeOf(client.metrics('records')), 'MILLRACE_METRICS_NONE');

  const content = Buffer.from("export default topology('words');");
  const sha256 = createHash('sha256').update(content).digest('hex');
  t.match(await client.putArtifact(sha256, content), { sha256, bytes: content.length, created: true });
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (const byte of content) yield await Promise.resolve(Uint8Array.of(byte));
  };
  t.match(await client.putArtifact(sha256, pieces()), { bytes: content.length, created: false });
  t.match(await client.submit({ artifact: sha256, file: 'words.ts' }), { name: 'words', state: 'active' });
});

t.test('a new version replaces the one that runs, waited for or not', async (t) => {
  const { url, host } = await serve(t);
  const client = new MillraceClient({ url });
  await client.submit({ document: INGESTING, active: false });
  const replaced = await client.submit({ document: { ...INGESTING, version: '2' }, replace: true });
  t.match(replaced, { id: 'records-2', version: '2', replaces: 'records-1', state: 'inactive' });
  const begun = await client.beginReplacement({ document: INGESTING });
  t.strictSame(begun, { name: 'records', id: 'records-3', replaces: 'records-2' });
  const [known] = await client.list();
  t.match(known, { id: 'records-2', replacement: { id: 'records-3', stage: 'placing' } });
  t.equal(await codeOf(client.beginReplacement({ document: INGESTING })), 'MILLRACE_REPLACE_BUSY');
  for (let looks = 0; looks < 5; looks++) await client.list();
  t.match(await client.describe('records'), { id: 'records-3', replacement: null, refused: null });
  host.replacementError = new TypeError('it is none');
  t.equal(await codeOf(client.submit({ document: INGESTING, replace: true, active: true })), 'MILLRACE_REPLACE_ACTIVE');
  const slow = new MillraceClient({ url, timeoutMs: 1 });
  host.submit = async (submission) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return await host.describe((submission as { readonly document: { readonly name: string } }).document.name);
  };
  t.match(await slow.submit({ document: INGESTING, replace: true }), { id: 'records-3' }, 'as long as an ingest may');
  t.equal(await codeOf(slow.submit({ document: INGESTING })), 'MILLRACE_CLIENT_TIMEOUT');
});

t.test('failures are those of the host', async (t) => {
  const { url } = await serve(t);
  const client = new MillraceClient({ url });
  const unknown: unknown = await client.describe('nope').catch((error: unknown) => error);
  t.ok(isMillraceError(unknown));
  t.match(unknown, { code: 'MILLRACE_TOPOLOGY_UNKNOWN', status: 404, message: /"nope"/, hint: /list/ });
  const invalid: unknown = await client.submit({ document: { name: 'x' } }).catch((error: unknown) => error);
  t.match(invalid, { code: 'MILLRACE_TOPOLOGY_INVALID', problems: [{ path: 'spouts' }] });
  for (const document of [null, [], 'x', undefined]) {
    t.equal(await codeOf(client.submit({ document })), 'MILLRACE_REQUEST_INVALID', String(document));
  }
  for (const name of ['..', '.', 'a/b', 'a b', '', 'a?b=1', 'ü']) {
    t.match(await codeOf(client.kill(name)), /^MILLRACE_REQUEST_(INVALID|VALUE)$/, `kill "${name}"`);
  }
  await client.submit({ document: INGESTING });
  for (const how of ['fail', 'timeout', 'lost'] as const) {
    t.match(await codeOf(client.ingest('records', 'in', [how])), /^MILLRACE_INGEST_(FAILED|TIMEOUT|LOST)$/, how);
  }
  t.equal(await codeOf(client.ingest('records', 'in', undefined)), 'MILLRACE_REQUEST_INVALID');
});

t.test('addresses that are none', async (t) => {
  const wrong = [
    '',
    '127.0.0.1:7070',
    'ftp://127.0.0.1',
    'http://a:b@127.0.0.1',
    'http://127.0.0.1/x',
    'http://127.0.0.1/?x',
    'http://',
    'http://127.0.0.1:99999',
  ];
  for (const url of wrong) t.throws(() => new MillraceClient({ url }), { code: 'MILLRACE_CLIENT_ADDRESS' }, url);
});

/** A server of whatever kind on a port of its own. */
async function listening(t: Test, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function answering(t: Test, answer: (reply: ServerResponse) => void): Promise<MillraceClient> {
  const server = createHttpServer((_request, reply) => answer(reply));
  t.teardown(() => server.closeAllConnections());
  return new MillraceClient({ url: await listening(t, server) });
}

t.test('nobody there, or somebody else', async (t) => {
  const closed = createTcpServer();
  const url = await listening(t, closed);
  await new Promise((resolve) => closed.close(resolve));
  const refused: unknown = await new MillraceClient({ url }).list().catch((error: unknown) => error);
  t.match(refused, {
    code: 'MILLRACE_CLIENT_UNREACHABLE',
    message: `there is no host at "${url}": connect ECONNREFUSED`,
  });

  const rude = await listening(
    t,
    createTcpServer((socket) => socket.destroy()),
  );
  t.equal(await codeOf(new MillraceClient({ url: rude }).list()), 'MILLRACE_CLIENT_UNREACHABLE');
  const other = await listening(
    t,
    createTcpServer((socket) => socket.end('SSH-2.0-other\r\n')),
  );
  t.equal(await codeOf(new MillraceClient({ url: other }).list()), 'MILLRACE_CLIENT_UNREACHABLE');

  const json = { 'content-type': 'application/json' };
  const cases: readonly (readonly [what: string, code: string, answer: (reply: ServerResponse) => void])[] = [
    [
      'a page',
      'MILLRACE_CLIENT_REPLY',
      (reply) => reply.writeHead(200, { 'content-type': 'text/html' }).end('<h1>It works!</h1>'),
    ],
    ['half a reply', 'MILLRACE_CLIENT_REPLY', (reply) => reply.writeHead(200, json).end('{"topologies": [')],
    [
      'an error of others',
      'MILLRACE_CLIENT_REPLY',
      (reply) => reply.writeHead(404, json).end('{"error": "Not Found"}'),
    ],
    ['an error without a word', 'MILLRACE_CLIENT_REPLY', (reply) => reply.writeHead(502).end()],
    [
      'elsewhere',
      'MILLRACE_CLIENT_UNREACHABLE',
      (reply) => reply.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    ],
    [
      'a connection that breaks',
      'MILLRACE_CLIENT_UNREACHABLE',
      (reply) => reply.writeHead(200, { ...json, 'content-length': 100 }).write('{', () => reply.destroy()),
    ],
  ];
  for (const [what, code, answer] of cases) t.equal(await codeOf((await answering(t, answer)).list()), code, what);

  const newer = await answering(t, (reply) =>
    reply.writeHead(400, json).end('{"code": "MILLRACE_NEW_ONE", "message": "it is new", "hint": "", "problems": []}'),
  );
  await t.rejects(
    newer.list(),
    { message: 'it is new', code: 'MILLRACE_NEW_ONE' },
    'a code that this version does not know',
  );
});

t.test('a reply without end is not read to its end', async (t) => {
  const piece = Buffer.alloc(1024 * 1024, ' ');
  let sent = 0;
  const client = await answering(t, (reply) => {
    reply.writeHead(200, { 'content-type': 'application/json' });
    const pour = (): void => {
      while (!reply.destroyed && reply.write(piece)) sent += piece.length;
    };
    reply.on('drain', pour);
    pour();
  });
  t.equal(await codeOf(client.list()), 'MILLRACE_CLIENT_REPLY');
  t.ok(sent < 2 * CLIENT_REPLY_BYTES_MAX);
});

t.test('every call ends by time or by its signal', async (t) => {
  const { url, host } = await serve(t);
  const client = new MillraceClient({ url, ingestTimeoutMs: 20 });
  await client.submit({ document: INGESTING });
  const late: unknown = await client.ingest('records', 'in', ['wait']).catch((error: unknown) => error);
  t.match(late, {
    code: 'MILLRACE_CLIENT_TIMEOUT',
    message: /POST \/api\/v1\/topologies\/records\/ingest\/in within 20 ms/,
  });
  await host.untilWaiting(1);

  const patient = new MillraceClient({ url });
  const leaving = new AbortController();
  const call = patient.ingest('records', 'in', ['wait'], { signal: leaving.signal });
  await host.untilWaiting(2);
  const aborted = new Promise<void>((resolve) => host.waiting[1]!.signal.addEventListener('abort', () => resolve()));
  leaving.abort(new Error('enough'));
  await t.rejects(call, { message: 'enough' });
  await aborted;
  t.pass('the host gives the record up');
  await t.rejects(patient.list({ signal: AbortSignal.abort(new Error('before')) }), { message: 'before' });

  const silent = await listening(
    t,
    createTcpServer((socket) => t.teardown(() => socket.destroy())),
  );
  t.equal(await codeOf(new MillraceClient({ url: silent, timeoutMs: 20 }).health()), 'MILLRACE_CLIENT_TIMEOUT');
});

t.test('another fetch', async (t) => {
  const asked: string[] = [];
  const fetch: typeof globalThis.fetch = async (input) => {
    asked.push(input instanceof Request ? input.url : input.toString());
    return await Promise.resolve(Response.json({ topologies: [] }));
  };
  t.strictSame(await new MillraceClient({ url: 'http://127.0.0.1:7070', fetch }).list(), []);
  t.strictSame(asked, ['http://127.0.0.1:7070/api/v1/topologies']);
});
