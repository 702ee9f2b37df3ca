// What one host asks another, in by its door: replies of all kinds, an interface that is not there, and who gives up.

import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { askPeer } from '../../../api/host/peer-call.js';
import { RealClock } from '../../../engine/clock.js';
import type { TlsIdentity } from '../../../engine/link/tcp/secure.js';
import type { TcpAddress } from '../../../engine/link/tcp/tcp-wire.js';
import { Door } from '../../../engine/worker/remote/door.js';
import { identity } from '../../engine/link/tcp/certificates.js';

const URL_OF = new URL('http://127.0.0.1:7070/api/v1/things?x=1');

interface Asked {
  readonly door: TcpAddress;
  readonly server: Server;
}

/** A host whose HTTP interface listens nowhere, behind a door. */
async function hostOf(t: Test, tls: TlsIdentity | null, asked?: (socket: Socket) => void): Promise<Asked> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (request.method === 'DELETE') {
        response.writeHead(204).end();
        return;
      }
      response.writeHead(request.method === 'PUT' ? 201 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ method: request.method, url: request.url, host: request.headers.host, body }));
    });
  });
  const clock = new RealClock();
  const take = asked ?? ((socket: Socket) => void server.emit('connection', socket));
  const door = new Door({ host: '127.0.0.1', ports: null, secret: 'the secret of all', tls, clock, asked: take });
  t.teardown(() => {
    door.close();
    server.closeAllConnections();
  });
  return { door: await door.listen(), server };
}

for (const [name, tls] of [
  ['in the clear', null],
  ['over TLS', identity],
] as const) {
  t.test(`questions and replies, ${name}`, async (t) => {
    const { door } = await hostOf(t, tls);
    const reach = { host: '127.0.0.1', ports: null, secret: 'the secret of all', tls };
    const { signal } = new AbortController();
    const got = await askPeer(door, reach, URL_OF, { signal });
    t.equal(got.status, 200);
    t.strictSame(await got.json(), { method: 'GET', url: '/api/v1/things?x=1', host: '127.0.0.1:7070', body: '' });
    const large = 'y'.repeat(300_000);
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < large.length; at += 50_000) yield Buffer.from(large.slice(at, at + 50_000));
    };
    const put = await askPeer(door, reach, URL_OF, { method: 'PUT', body: pieces(), signal });
    t.equal(put.status, 201);
    t.equal(((await put.json()) as { body: string }).body, large);
    const gone = await askPeer(door, reach, URL_OF, { method: 'DELETE', signal });
    t.equal(gone.status, 204);
    t.equal(gone.body, null);
  });
}

t.test('who is not let in hears why', async (t) => {
  const { door } = await hostOf(t, null);
  const { signal } = new AbortController();
  const reach = { host: '127.0.0.1', ports: null, secret: 'another secret', tls: null };
  await t.rejects(askPeer(door, reach, URL_OF, { signal }), { message: /does not know the same secret/ });
  const nobody = { host: '127.0.0.1', port: 1 };
  await t.rejects(askPeer(nobody, reach, URL_OF, { signal }), { message: /ECONNREFUSED/ });
  const aborted = AbortSignal.abort(new Error('no more time'));
  await t.rejects(askPeer(door, reach, URL_OF, { signal: aborted }), { message: 'no more time' });
});

t.test('a host that never replies is waited for as long as the signal says', async (t) => {
  const sockets: Socket[] = [];
  const { door } = await hostOf(t, null, (socket) => void sockets.push(socket));
  const reach = { host: '127.0.0.1', ports: null, secret: 'the secret of all', tls: null };
  const ending = new AbortController();
  const asked = askPeer(door, reach, URL_OF, { signal: ending.signal });
  asked.catch(() => undefined);
  while (sockets.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const closed = new Promise((resolve) => sockets[0]!.once('close', resolve));
  sockets[0]!.resume();
  ending.abort(new Error('too late'));
  await t.rejects(asked, { message: 'too late' });
  await closed;
});
