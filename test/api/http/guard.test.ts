// What a page in a browser, a confused proxy or an attacker can put on the wire: none of it reaches the host.

import t from 'tap';
import { INGESTING } from '../fake-host.js';
import { ask, codeIn, post, serve, statusesIn, wire, type Served } from './served.js';

const KILL = '/api/v1/topologies/records/kill';

async function withRecords(t: Parameters<typeof serve>[0]): Promise<Served> {
  const served = await serve(t);
  await post(served, '/api/v1/topologies', INGESTING);
  return served;
}

t.test('names and ports that are not ours', async (t) => {
  const served = await withRecords(t);
  const { port } = served;
  const host = async (value: string): Promise<number> =>
    (await ask(served, '/healthz', { headers: { host: value } })).status;
  for (const good of [
    `127.0.0.1:${port}`,
    `localhost:${port}`,
    `LocalHost:${port}`,
    `[::1]:${port}`,
    `127.9.9.9:${port}`,
  ]) {
    t.equal(await host(good), 200, good);
  }
  const bad = [
    'localhost',
    '127.0.0.1:1',
    `evil.example:${port}`,
    `localhost.evil.example:${port}`,
    `127.0.0.1.evil.example:${port}`,
    `127.0.0.1.:${port}`,
    `0.0.0.0:${port}`,
    `[::]:${port}`,
    `user@localhost:${port}`,
    `localhost:${port}@evil.example`,
    `localhost:${port}, evil.example`,
    `0x7f.1:${port}`,
    `2130706433:${port}`,
    `localhost:0${port}0`,
  ];
  for (const each of bad) {
    const answer = await ask(served, '/healthz', { headers: { host: each } });
    t.match(answer, { status: 403, json: { code: 'MILLRACE_REQUEST_HOST' } }, each);
  }
});

t.test('pages of other origins', async (t) => {
  const served = await withRecords(t);
  const { port, host } = served;
  const own = `http://127.0.0.1:${port}`;
  const status = async (headers: Record<string, string>, method = 'POST'): Promise<number> =>
    (await ask(served, method === 'POST' ? KILL : '/docs/', { method, headers })).status;
  for (const origin of [
    'null',
    'http://evil.example',
    'https://127.0.0.1',
    `https://127.0.0.1:${port}`,
    `http://localhost:${port}`,
    'http://127.0.0.1:1',
    `${own}/`,
    '',
  ]) {
    t.equal(await status({ origin }), 403, `origin ${origin}`);
  }
  for (const site of ['cross-site', 'same-site', 'anything'])
    t.equal(await status({ 'sec-fetch-site': site }), 403, site);
  const followed = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  t.equal(await status(followed), 403, 'a form that is sent');
  t.equal(await status({ ...followed, 'sec-fetch-dest': 'iframe' }, 'GET'), 403, 'a frame');
  t.notOk(host.calls.includes('kill'), 'nothing was killed');
  t.equal(await status(followed, 'GET'), 200, 'a link to the documentation that is followed');
  t.equal(await status({ origin: own, 'sec-fetch-site': 'same-origin' }), 200, 'the page of the documentation itself');
  t.ok(host.calls.includes('kill'));
});

t.test('what a form can send, also without a body', async (t) => {
  const served = await withRecords(t);
  const { port, host } = served;
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'application/json, text/plain',
    'application/json; x=y',
    '',
  ];
  for (const path of [KILL, KILL.replace('kill', 'activate'), '/api/v1/topologies']) {
    for (const type of types) {
      const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n`;
      const text = await wire(t, served, `${head}Content-Type: ${type}\r\nContent-Length: 2\r\n\r\n{}`).ended;
      t.strictSame([statusesIn(text), codeIn(text)], [[415], 'MILLRACE_REQUEST_MEDIA_TYPE'], `${path} ${type}`);
    }
    const bare = await wire(t, served, `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`)
      .ended;
    t.strictSame(statusesIn(bare), [415], `${path} without a type`);
  }
  t.notOk(host.calls.includes('kill') || host.calls.includes('activate'));
});

t.test('bytes that two readers could understand in two ways', async (t) => {
  const served = await withRecords(t);
  const { port, host } = served;
  const own = `Host: 127.0.0.1:${port}\r\n`;
  const json = 'Content-Type: application/json\r\n';
  const hidden = `POST ${KILL} HTTP/1.1\r\n${own}${json}Content-Length: 2\r\n\r\n{}`;
  const list = 'POST /api/v1/topologies/records/activate HTTP/1.1\r\n';
  const cases: readonly (readonly [what: string, status: number, text: string])[] = [
    [
      'length and chunks',
      400,
      `${list}${own}${json}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
    ],
    [
      'chunks and length',
      400,
      `${list}${own}${json}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n${hidden}`,
    ],
    ['two lengths', 400, `${list}${own}${json}Content-Length: 2\r\nContent-Length: 99\r\n\r\n{}${hidden}`],
    ['chunked, badly', 400, `${list}${own}${json}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${hidden}`],
    ['chunks that are no chunks', 400, `${list}${own}${json}Transfer-Encoding: chunked\r\n\r\nzz\r\n${hidden}`],
    ['a bare line feed', 400, `GET /healthz HTTP/1.1\nHost: 127.0.0.1:${port}\n\n`],
    ['a folded header', 400, `GET /healthz HTTP/1.1\r\n${own}X: a\r\n b: c\r\n Host: evil\r\n\r\n`],
    ['a space before the colon', 400, `GET /healthz HTTP/1.1\r\n${own}Origin : http://evil.example\r\n\r\n`],
    ['two hosts', 400, `GET /healthz HTTP/1.1\r\n${own}Host: evil.example\r\n\r\n`],
    ['two equal hosts', 400, `GET /healthz HTTP/1.1\r\n${own}${own}\r\n`],
    [
      'two origins',
      400,
      `GET /healthz HTTP/1.1\r\n${own}Origin: http://127.0.0.1:${port}\r\nOrigin: http://evil.example\r\n\r\n`,
    ],
    ['two types', 400, `POST ${KILL} HTTP/1.1\r\n${own}${json}Content-Type: text/plain\r\n\r\n`],
    ['no host', 403, 'GET /healthz HTTP/1.1\r\n\r\n'],
    ['an empty host', 403, 'GET /healthz HTTP/1.1\r\nHost:\r\n\r\n'],
    ['no host, long ago', 403, 'GET /healthz HTTP/1.0\r\n\r\n'],
    ['a whole URL', 400, `GET http://127.0.0.1:${port}/healthz HTTP/1.1\r\n${own}\r\n`],
    ['a whole URL of others', 400, `GET http://evil.example/healthz HTTP/1.1\r\n${own}\r\n`],
    ['an asterisk', 400, `OPTIONS * HTTP/1.1\r\n${own}\r\n`],
    ['a path with a zero byte', 400, `GET /health\0z HTTP/1.1\r\n${own}\r\n`],
    ['no HTTP at all', 400, 'hello\r\n\r\n'],
    ['HTTP/2 without being asked', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a TLS hello', 400, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    [
      'a body that a GET hides',
      400,
      `GET /healthz HTTP/1.1\r\n${own}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
    ],
    ['an expectation', 417, `POST ${KILL} HTTP/1.1\r\n${own}${json}Expect: miracles\r\n\r\n`],
  ];
  for (const [what, status, text] of cases) {
    const link = wire(t, served, text);
    link.socket.end();
    const got = await link.ended;
    t.strictSame(statusesIn(got).slice(0, 1), [status], `${what}: ${got.slice(0, 200)}`);
  }
  t.notOk(host.calls.includes('kill'), 'nothing that was hidden was found');
  t.equal((await ask(served, '/healthz')).status, 200, 'and it goes on');
});

t.test('tunnels and upgrades lead nowhere', async (t) => {
  const served = await withRecords(t);
  const own = `Host: 127.0.0.1:${served.port}\r\n`;
  t.equal(await wire(t, served, `CONNECT evil.example:443 HTTP/1.1\r\n${own}\r\n`).ended, '');
  const upgrade =
    'Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
  t.notOk(statusesIn(await wire(t, served, `GET /nothing HTTP/1.1\r\n${own}${upgrade}\r\n`).ended).includes(101));
  const h2c = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
  const link = wire(t, served, `GET /healthz HTTP/1.1\r\n${own}${h2c}\r\n`);
  t.strictSame(statusesIn(await link.replied(/"slots":\{[^}]*\}/)), [200], 'an upgrade that nobody makes');
});

t.test('headers without end', async (t) => {
  const served = await serve(t);
  const own = `Host: 127.0.0.1:${served.port}\r\n`;
  const large = await wire(t, served, `GET /healthz HTTP/1.1\r\n${own}X: ${'a'.repeat(20_000)}\r\n\r\n`).ended;
  t.strictSame([statusesIn(large), codeIn(large)], [[431], 'MILLRACE_REQUEST_HEADERS']);
  const path = await wire(t, served, `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${own}\r\n`).ended;
  t.strictSame(statusesIn(path), [431]);
  // More lines than Node hands on unless it is told to: none may be hidden behind them.
  const many = 'a:\r\n'.repeat(3000);
  const hidden = await wire(
    t,
    served,
    `GET /healthz HTTP/1.1\r\n${own}${many}Origin: http://evil.example\r\nConnection: close\r\n\r\n`,
  ).ended;
  t.strictSame(statusesIn(hidden), [403]);
});

t.test('requests in one go are answered in their order', async (t) => {
  const served = await withRecords(t);
  const own = `Host: 127.0.0.1:${served.port}\r\n`;
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\n${own}\r\n`;
  const link = wire(
    t,
    served,
    get('/healthz') +
      get('/nothing') +
      get('/api/v1/topologies') +
      get('/healthz').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
  );
  t.strictSame(statusesIn(await link.ended), [200, 404, 200, 200]);
});

t.test('rubbish behind a request does not answer in its place', async (t) => {
  const served = await withRecords(t);
  const head = `POST /api/v1/topologies/records/ingest/in HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nContent-Type: application/json\r\n`;
  const link = wire(t, served, `${head}Content-Length: 8\r\n\r\n["wait"]`);
  await served.host.untilWaiting(1);
  link.send('rubbish\r\n\r\n');
  t.equal(await link.ended, '', 'the connection ends without a word');
  t.equal(served.host.waiting[0]?.signal.aborted, true, 'and its record is given up');
});

t.test('over IPv6', async (t) => {
  const served = await serve(t, {}, '::1').catch(() => null);
  if (served === null) {
    t.pass('there is no IPv6 here');
    return;
  }
  t.match(served.url, /^http:\/\/\[::1\]:\d+$/);
  const get = (host: string): string => `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  for (const [host, status] of [
    [`[::1]:${served.port}`, 200],
    [`localhost:${served.port}`, 200],
    [`[0:0:0:0:0:0:0:1]:${served.port}`, 200],
    [`[fe80::1]:${served.port}`, 403],
    [`::1:${served.port}`, 403],
  ] as const) {
    t.strictSame(statusesIn(await wire(t, served, get(host), '::1').ended), [status], host);
  }
});
