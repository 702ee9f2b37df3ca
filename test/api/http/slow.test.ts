// Callers that are slow, leave in the middle, or stay when the host wants to go. The bounds are tiny here; that
// something ends is told by the other side, never by a time.

import { connect, type Socket } from 'node:net';
import t from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import { ARTIFACT_BYTES_MAX } from '../../../engine/limits.js';
import type { Logger } from '../../../engine/log.js';
import { createServer } from '../../../api/http/server.js';
import { FakeHost, INGESTING } from '../fake-host.js';
import { ask, codeIn, post, serve, statusesIn, wire } from './served.js';

const BASE = '/api/v1/topologies';
const INGEST = `${BASE}/records/ingest/in`;
const HASH = 'a'.repeat(64);

function head(method: string, path: string, port: number, length: number, type = 'application/json'): string {
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`;
}

const hasty = { headersTimeoutMs: 50, requestTimeoutMs: 100, timeoutCheckMs: 10 };

t.test('headers and bodies that drip are given up', async (t) => {
  const served = await serve(t, { limits: hasty });
  const { port } = served;
  const refused = [[408], 'MILLRACE_REQUEST_TIMEOUT'];
  const headers = await wire(t, served, `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Slow: `).ended;
  t.strictSame([statusesIn(headers), codeIn(headers)], refused, 'headers');
  const body = await wire(t, served, `${head('POST', BASE, port, 100)}{"name": `).ended;
  t.strictSame([statusesIn(body), codeIn(body)], refused, 'a body');
  const path = `/api/v1/artifacts/${HASH}`;
  const artifact = await wire(t, served, `${head('PUT', path, port, 100, 'application/javascript')}export`).ended;
  t.strictSame([statusesIn(artifact), codeIn(artifact)], refused, 'an artifact');
  const nothing = await wire(t, served).ended;
  t.strictSame(statusesIn(nothing), [408], 'not even a byte');
  t.strictSame(served.host.calls, ['putArtifact'], 'nothing was submitted');
  t.equal((await ask(served, '/healthz')).status, 200);
});

t.test('a record may take longer than any of that', async (t) => {
  const served = await serve(t, { limits: { ...hasty, stalledMs: 20, keepAliveMs: 20 } });
  await post(served, BASE, INGESTING);
  const answer = post(served, INGEST, ['wait']);
  await served.host.untilWaiting(1);
  // A connection that does nothing at all is gone by then.
  await wire(t, served).ended;
  await wire(t, served).ended;
  t.equal(served.host.waiting[0]?.signal.aborted, false);
  served.host.waiting[0]?.done();
  t.equal((await answer).status, 204);
});

t.test('a caller that leaves gives up its record', async (t) => {
  const errors: string[] = [];
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (text) => void errors.push(text),
  };
  const served = await serve(t, { logger });
  await post(served, BASE, INGESTING);
  const link = wire(t, served, `${head('POST', INGEST, served.port, 8)}["wait"]`);
  await served.host.untilWaiting(1);
  const { signal } = served.host.waiting[0]!;
  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  link.socket.resetAndDestroy();
  await aborted;
  // A host that says it in words of its own says nothing to worry about, either.
  served.host.ingest = async (_name, _spout, _record, given) => {
    await new Promise<void>((_resolve, reject) => given.addEventListener('abort', () => reject(given.reason as Error)));
  };
  const other = wire(t, served, `${head('POST', INGEST, served.port, 8)}["wait"]`);
  await new Promise<void>((resolve) => other.socket.once('connect', resolve));
  other.socket.end();
  await other.ended;
  t.equal((await ask(served, '/healthz')).status, 200);
  t.strictSame(errors, [], 'that is nobody else’s concern');
});

t.test('a caller that leaves in the middle of a body has asked for nothing', async (t) => {
  const errors: string[] = [];
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (text) => void errors.push(text),
  };
  const served = await serve(t, { logger });
  let stopped: () => void = () => undefined;
  const isStopped = new Promise<void>((resolve) => (stopped = resolve));
  served.host.putArtifact = async (sha256, content) => {
    let bytes = 0;
    try {
      for await (const chunk of content) {
        bytes += chunk.length;
        gone.socket.resetAndDestroy();
      }
      return { sha256, bytes, created: true };
    } finally {
      stopped();
    }
  };
  const gone = wire(
    t,
    served,
    `${head('PUT', `/api/v1/artifacts/${HASH}`, served.port, 100, 'application/javascript')}export`,
  );
  await isStopped;
  const half = wire(t, served, `${head('POST', BASE, served.port, 1000)}${JSON.stringify(INGESTING)}`);
  await new Promise<void>((resolve) => half.socket.once('connect', resolve));
  half.socket.end();
  await half.ended;
  t.equal((await ask(served, '/healthz')).status, 200);
  t.notOk(served.host.calls.includes('submit'));
  t.strictSame(errors, []);
});

t.test('an artifact that says that it is too large is not even begun', async (t) => {
  const served = await serve(t);
  const length = ARTIFACT_BYTES_MAX + 1;
  const text = await wire(
    t,
    served,
    head('PUT', `/api/v1/artifacts/${HASH}`, served.port, length, 'application/javascript'),
  ).replied(/TOO_LARGE/);
  t.strictSame([statusesIn(text), codeIn(text)], [[413], 'MILLRACE_ARTIFACT_TOO_LARGE']);
  const chunked = `PUT /api/v1/artifacts/${HASH} HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nContent-Type: application/javascript\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const link = wire(t, served, chunked);
  const piece = `10000\r\n${'a'.repeat(65_536)}\r\n`;
  const pour = (): void => {
    while (link.socket.writable && link.socket.write(piece));
  };
  link.socket.on('drain', pour);
  pour();
  t.equal(codeIn(await link.replied(/TOO_LARGE/)), 'MILLRACE_ARTIFACT_TOO_LARGE', 'also when it does not say so');
  t.strictSame(statusesIn(await link.ended), [413], 'and who never ends is cut off');
});

t.test('there are no more connections than that', async (t) => {
  const served = await serve(t, { limits: { connectionsMax: 2 } });
  const open = [wire(t, served), wire(t, served)];
  await Promise.all(open.map(async ({ socket }) => await connected(socket)));
  t.equal(await wire(t, served, `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\n\r\n`).ended, '');
  open[0]!.socket.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  open[1]!.send(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\n\r\n`);
  t.strictSame(statusesIn(await open[1]!.replied(/slots/)), [200], 'those that are there are served');
});

async function connected(socket: Socket): Promise<void> {
  if (socket.readyState !== 'open') await new Promise<void>((resolve) => socket.once('connect', resolve));
}

t.test('closing lets what is under way end, and takes nothing new', async (t) => {
  const clock = new VirtualClock();
  const served = await serve(t, { clock });
  await post(served, BASE, INGESTING);
  const early = wire(t, served);
  await connected(early.socket);
  const answer = post(served, INGEST, ['wait']);
  await served.host.untilWaiting(1);
  const closing = served.server.close();
  early.send(head('POST', `${BASE}/records/kill`, served.port, 0));
  const text = await early.ended;
  t.strictSame([statusesIn(text), codeIn(text)], [[503], 'MILLRACE_API_CLOSING']);
  t.match(text, /^connection: close\r$/im);
  await t.rejects(ask(served, '/healthz'), { code: 'ECONNREFUSED' }, 'nobody listens any more');
  served.host.waiting[0]?.done();
  t.match(await answer, { status: 204, headers: { connection: 'close' } });
  await closing;
  t.equal(clock.nextDueMs(), undefined, 'no timer is left');
  await served.server.close();
});

t.test('closing does not wait for ever', async (t) => {
  const clock = new VirtualClock();
  const served = await serve(t, { clock, limits: { closeMs: 5000 } });
  await post(served, BASE, INGESTING);
  const idle = wire(t, served);
  await connected(idle.socket);
  const answer = post(served, INGEST, ['wait']).catch((error: unknown) => error);
  await served.host.untilWaiting(1);
  const closing = served.server.close();
  t.equal(clock.nextDueMs(), 5000);
  clock.step(5000);
  await closing;
  t.match(await answer, { code: 'ECONNRESET' });
  t.equal(served.host.waiting[0]?.signal.aborted, true, 'its record is given up');
  await idle.ended;
});

t.test('connections that ask nothing hold nothing up', async (t) => {
  const clock = new VirtualClock();
  const served = await serve(t, { clock });
  const idle = wire(t, served);
  await connected(idle.socket);
  const used = wire(t, served, `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\n\r\n`);
  await used.replied(/slots/);
  await served.server.close();
  await Promise.all([idle.ended, used.ended]);
  t.equal(clock.now(), 0);
});

t.test('a server that never listened closes', async (t) => {
  await createServer({ service: new FakeHost() }).close();
  t.pass();
});

t.test('a thousand connections at once', async (t) => {
  const served = await serve(t);
  const request = `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nConnection: close\r\n\r\n`;
  const texts = await Promise.all(
    Array.from({ length: 1000 }, async () => {
      const socket = connect(served.port, '127.0.0.1');
      socket.write(request);
      let text = '';
      for await (const part of socket.setEncoding('utf8')) text += part as string;
      return text;
    }),
  );
  t.ok(texts.every((text) => statusesIn(text)[0] === 200));
});
