// `http-poll`: records out of answers, conditions, progress, what is asked again and when, and what servers can do to
// it. Real servers on loopback, on ports that the system gives; time is virtual.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { HttpPoll, httpPoll } from '../../../engine/connect/http/index.js';
import { JsonPointer, POINTER_PATTERN } from '../../../engine/connect/http/pointer.js';
import { SeenIds } from '../../../engine/connect/http/seen.js';
import type { VirtualClock } from '../../../engine/clock.js';
import { isMillraceError, type MillraceError } from '../../../engine/errors.js';
import { topology } from '../../../engine/index.js';
import { TestRun } from '../../../engine/testing/index.js';
import { fakeContext, recorder, thrownBy, type Emitted, type FakeContext } from './fakes.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server whose answers the test gives; it remembers what it was asked. */
class Site {
  readonly requests: IncomingMessage[] = [];
  handler: Handler = (_request, response) => void response.end('[]');
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      this.requests.push(request);
      this.handler(request, response);
    });
  }

  static async start(t: Test): Promise<Site> {
    const site = new Site();
    site.server.listen(0, '127.0.0.1');
    await once(site.server, 'listening');
    t.teardown(() => {
      site.server.closeAllConnections();
      site.server.close();
    });
    return site;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  gives(document: unknown, headers: Readonly<Record<string, string>> = {}, status = 200): void {
    this.handler = (_request, response) => {
      response.writeHead(status, headers);
      response.end(typeof document === 'string' ? document : JSON.stringify(document));
    };
  }
}

/** A spout that is driven call by call. */
class Driven {
  readonly context: FakeContext;
  readonly spout: HttpPoll;
  readonly emitted: Emitted[];
  readonly errors: MillraceError[] = [];
  private readonly emit;

  constructor(
    t: Test,
    config: Readonly<Record<string, unknown>>,
    options: { clock?: VirtualClock; progress?: Map<string, unknown> } = {},
  ) {
    const { emit, emitted } = recorder();
    this.emit = emit;
    this.emitted = emitted;
    this.context = fakeContext(options);
    this.spout = new HttpPoll({ every: '10s', ...config }, 1);
    this.spout.open(this.context);
    t.teardown(() => this.spout.close());
  }

  get values(): unknown[] {
    return this.emitted.map(({ values }) => values[0]);
  }

  next(): void {
    try {
      this.spout.nextTuple(this.emit);
    } catch (error) {
      if (!isMillraceError(error)) throw error;
      this.errors.push(error);
    }
  }

  advance(ms: number): void {
    this.context.clock.step(this.context.clock.now() + ms);
  }

  /** Asks until that is so; the runner's time limit ends what never is. */
  async until(condition: () => boolean): Promise<void> {
    for (;;) {
      this.next();
      if (condition()) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Nothing is asked, however often it is called now. */
  async rests(site: Site): Promise<boolean> {
    const before = site.requests.length;
    for (let round = 0; round < 20; round++) {
      this.next();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return site.requests.length === before;
  }

  ackAll(): void {
    for (const { id } of this.emitted) this.spout.ack(id);
  }
}

t.test('each record of the list is a tuple, in its order, again and again', async (t) => {
  const site = await Site.start(t);
  site.gives({ data: { items: [{ id: 1, name: 'a', more: 1 }, { id: 2 }] } });
  const url = `${site.origin}/news?key=1`;
  const driven = new Driven(t, { url, items: '/data/items', fields: ['name', 'id'], headers: { 'x-key': 'k' } });
  await driven.until(() => driven.emitted.length === 2);
  t.strictSame(
    driven.emitted.map(({ values }) => values),
    [
      ['a', 1],
      [null, 2],
    ],
  );
  t.match(site.requests[0], {
    method: 'GET',
    url: '/news?key=1',
    headers: { 'x-key': 'k', accept: 'application/json', 'user-agent': 'millrace' },
  });
  t.equal(site.requests[0]?.headers['if-none-match'], undefined);
  driven.ackAll();
  driven.advance(9999);
  t.ok(await driven.rests(site));
  driven.advance(1);
  await driven.until(() => driven.emitted.length === 4);
  t.equal(site.requests.length, 2);
});

t.test('without a list or fields, what comes is one record', async (t) => {
  const site = await Site.start(t);
  site.handler = (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end(gzipSync('\ufeff{"a":[1]}'));
  };
  const driven = new Driven(t, { url: site.origin });
  await driven.until(() => driven.emitted.length === 1);
  t.strictSame(driven.values, [{ a: [1] }]);
});

t.test('an answer that did not change costs nothing, and progress is that of processed records', async (t) => {
  const site = await Site.start(t);
  let tag = 'v1';
  site.handler = (request, response) => {
    const headers = { etag: `"${tag}"`, 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' };
    response.writeHead(request.headers['if-none-match'] === `"${tag}"` ? 304 : 200, headers);
    response.end(request.headers['if-none-match'] === `"${tag}"` ? undefined : `["${tag}-a","${tag}-b"]`);
  };
  const progress = new Map<string, unknown>();
  const driven = new Driven(t, { url: site.origin }, { progress });
  await driven.until(() => driven.emitted.length === 2);
  driven.spout.ack(driven.emitted[0]?.id);
  driven.next();
  t.equal(progress.size, 0, 'a record is still out');
  driven.advance(10_000);
  await driven.until(() => site.requests.length === 2);
  t.match(site.requests[1]?.headers, {
    'if-none-match': '"v1"',
    'if-modified-since': 'Mon, 01 Jan 2024 00:00:00 GMT',
  });
  t.ok(await driven.rests(site));
  tag = 'v2';
  driven.advance(10_000);
  await driven.until(() => driven.emitted.length === 4);
  driven.next();
  for (const { id } of driven.emitted.slice(2)) driven.spout.ack(id);
  t.equal(progress.size, 0, 'what is kept never passes a record of an answer before');
  driven.spout.ack(driven.emitted[1]?.id);
  t.strictSame([...progress.values()], [{ etag: '"v2"', modified: 'Mon, 01 Jan 2024 00:00:00 GMT' }]);
  driven.spout.close();

  const restarted = new Driven(t, { url: site.origin }, { progress });
  await restarted.until(() => site.requests.length === 4);
  t.equal(site.requests[3]?.headers['if-none-match'], '"v2"');
  t.ok(await restarted.rests(site));
  t.strictSame(restarted.emitted, []);
  const other = new Driven(t, { url: `${site.origin}/other` }, { progress });
  await other.until(() => other.emitted.length === 2);
});

t.test('a record that fails comes again from memory, and polling goes on', async (t) => {
  const site = await Site.start(t);
  site.gives(['a'], { etag: '1' });
  const driven = new Driven(t, { url: site.origin, every: '1s' });
  await driven.until(() => driven.emitted.length === 1);
  for (let round = 2; round < 40; round++) {
    site.gives([round], { etag: String(round) });
    driven.advance(1000);
    await driven.until(() => driven.values.includes(round));
    for (const { id, values } of driven.emitted) if (values[0] !== 'a') driven.spout.ack(id);
    driven.next();
  }
  t.equal(driven.context.progress.size, 0);
  driven.spout.fail(driven.emitted[0]?.id);
  driven.advance(100);
  driven.next();
  t.equal(driven.values.at(-1), 'a');
  driven.spout.ack(driven.emitted[0]?.id);
  t.strictSame([...driven.context.progress.values()], [{ etag: '39', modified: null }]);
});

t.test('records whose id came before are left out, as far as memory goes', async (t) => {
  const site = await Site.start(t);
  const driven = new Driven(t, { url: site.origin, id: '/key/id', fields: ['name'], seenMax: 3 });
  const record = (id: unknown): unknown => ({ key: { id }, name: id });
  const poll = async (ids: readonly unknown[], emitted: number): Promise<void> => {
    site.gives(ids.map(record));
    const asked = site.requests.length;
    driven.advance(10_000);
    await driven.until(() => site.requests.length > asked && driven.emitted.length >= emitted);
    await driven.rests(site);
  };
  await poll([1, 2, 1, '1'], 3);
  await poll([2, 3], 4);
  await poll([2, '1', 1, undefined, undefined], 7);
  t.strictSame(
    driven.values,
    [1, 2, '1', 3, 1, null, null].map((each) => each ?? null),
  );
  const seen = new SeenIds(2);
  t.equal(seen.meet('x'.repeat(1000)), false);
  t.equal(seen.meet('x'.repeat(1000)), true);
  t.equal(seen.meet(['x']), false);
  t.equal(seen.meet(2), false, 'the oldest goes');
  t.equal(seen.meet('x'.repeat(1000)), false);
});

t.test('records that are out are bounded', async (t) => {
  const site = await Site.start(t);
  site.gives([1, 2, 3, 4, 5]);
  const driven = new Driven(t, { url: site.origin, pendingMax: 2 });
  await driven.until(() => driven.emitted.length === 2);
  driven.advance(60_000);
  t.ok(await driven.rests(site), 'nor is anything asked before the records are out');
  t.equal(driven.emitted.length, 2);
  for (let at = 0; at < 5; at++) {
    driven.spout.ack(driven.emitted[at]?.id);
    driven.next();
  }
  t.strictSame(driven.values, [1, 2, 3, 4, 5]);
});

t.test('a failed request is told, and asked again after longer and longer', async (t) => {
  const site = await Site.start(t);
  const driven = new Driven(t, { url: `${site.origin}/a?secret=1`, every: '1s' });
  site.gives('no', {}, 500);
  for (let failures = 1, waitMs = 1000; failures < 12; failures++, waitMs = Math.min(300_000, waitMs * 2)) {
    await driven.until(() => driven.errors.length === failures);
    t.equal(driven.errors.at(-1)?.code, 'MILLRACE_HTTP_STATUS');
    driven.advance(waitMs / 2 - 1);
    t.ok(await driven.rests(site), `rests for half of ${waitMs}`);
    driven.advance(waitMs / 2 + 1);
  }
  t.match(driven.errors[0]?.message, /GET http:\/\/127\.0\.0\.1:\d+\/a\?… was answered with status 500/);
  t.equal(driven.errors[0]?.fatal, false);
  site.gives([1]);
  await driven.until(() => driven.emitted.length === 1);
  site.gives('', {}, 404);
  driven.advance(1000);
  const errors = driven.errors.length;
  await driven.until(() => driven.errors.length > errors);
  driven.advance(1000);
  const asked = site.requests.length;
  await driven.until(() => site.requests.length > asked);
  t.pass('after a good answer it starts with a short wait again');
});

t.test('a server that asks for patience gets it', async (t) => {
  const site = await Site.start(t);
  for (const [headers, waitMs] of [
    [{ 'retry-after': '7' }, 7000],
    [{ 'retry-after': 'Mon, 01 Jan 2024 00:00:09 GMT', date: 'Mon, 01 Jan 2024 00:00:00 GMT' }, 9000],
    [{ 'retry-after': '999999999' }, 3_600_000],
    [{ 'retry-after': 'soon' }, 500],
  ] as const) {
    const driven = new Driven(t, { url: site.origin, every: 1 });
    site.gives('', headers, 429);
    await driven.until(() => driven.errors.length === 1);
    driven.advance(waitMs - 1);
    t.ok(await driven.rests(site), headers['retry-after']);
    driven.advance(Math.max(1, 1001 - waitMs));
    await driven.until(() => driven.errors.length === 2);
    driven.spout.close();
  }
});

t.test('answers that cannot be used are told with the reason, and nothing of them is emitted', async (t) => {
  const site = await Site.start(t);
  const other = await Site.start(t);
  const told = async (config: Readonly<Record<string, unknown>>, handler: Handler, waitMs = 0): Promise<string> => {
    site.handler = handler;
    const asked = site.requests.length;
    const driven = new Driven(t, { url: site.origin, ...config });
    await driven.until(() => site.requests.length > asked || driven.errors.length > 0);
    driven.advance(waitMs);
    await driven.until(() => driven.errors.length > 0);
    t.strictSame(driven.emitted, []);
    driven.spout.close();
    return `${driven.errors[0]?.code ?? ''}: ${driven.errors[0]?.message ?? ''}`;
  };
  const says =
    (body: string, headers: Readonly<Record<string, string>> = {}): Handler =>
    (_request, response) => {
      response.writeHead(200, headers);
      response.end(body);
    };
  const to =
    (location: string): Handler =>
    (_request, response) => {
      response.writeHead(302, { location });
      response.end();
    };
  t.match(await told({}, says('<html>')), /^MILLRACE_HTTP_ANSWER: .*it is not JSON: /);
  t.match(await told({ items: '/a' }, says('{"b":1}')), /has nothing at "\/a"/);
  t.match(await told({ fields: ['a'] }, says('[{"a":1},2]')), /record 1 of "" is no object/);
  t.match(await told({ bodyBytesMax: 5 }, says('[1,2,3]')), /more than 5 bytes/);
  const endless: Handler = (_request, response) => {
    response.on('error', () => undefined);
    const send = (): void => {
      while (!response.destroyed && response.write('[1,2,3,4,5,6,7]'));
    };
    response.on('drain', send);
    send();
  };
  t.match(await told({ bodyBytesMax: 100_000 }, endless), /more than 100000 bytes/);
  t.match(await told({}, (request) => void request.socket.destroy()), /^MILLRACE_HTTP_REQUEST: GET .* failed: /);
  t.match(await told({ timeout: '2s' }, () => undefined, 2000), /failed: no answer within 2000 ms/);
  const half: Handler = (_request, response) => void response.write('[1,');
  t.match(await told({ timeout: '2s' }, half, 2000), /failed: no answer within 2000 ms/);
  t.match(await told({ redirectsMax: 3 }, to('/again')), /redirected more than 3 times/);
  t.match(await told({}, to('ftp://example.org/')), /redirected to ftp:, which is not HTTP/);
  t.match(await told({}, to('http://[')), /redirected to something that is no URL/);
  t.match(await told({ url: 'http://127.0.0.1:1/' }, says('')), /^MILLRACE_HTTP_REQUEST/);
  other.gives([1]);
  site.handler = to(`${other.origin}/there`);
  const driven = new Driven(t, { url: site.origin, headers: { authorization: 'secret' } });
  await driven.until(() => driven.emitted.length === 1);
  t.equal(site.requests.at(-1)?.headers.authorization, 'secret');
  t.equal(other.requests[0]?.headers.authorization, undefined, 'another origin hears no secrets');
});

t.test('a record that no tuple can hold is left out, and told', async (t) => {
  const site = await Site.start(t);
  site.gives([1, 'large', 3], { etag: 'x' });
  const driven = new Driven(t, { url: site.origin });
  const refusing = Object.assign(
    (values: readonly unknown[]) => {
      if (values[0] === 'large') throw new RangeError('too large');
    },
    { direct: () => undefined, ready: async () => undefined, signal: new AbortController().signal },
  );
  let told = 0;
  await driven.until(() => site.requests.length === 1);
  await new Promise((resolve) => setImmediate(resolve));
  for (let round = 0; round < 10_000 && told === 0; round++) {
    try {
      driven.spout.nextTuple(refusing);
    } catch (error) {
      told++;
      t.match(error, { message: 'too large' });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(told, 1);
  t.doesNotThrow(() => driven.next(), 'it goes on with the next');
  t.strictSame(driven.values, [3]);
});

t.test('closing ends a request that is under way', async (t) => {
  const site = await Site.start(t);
  let cut = 0;
  site.handler = (request) => void request.socket.on('close', () => cut++);
  const driven = new Driven(t, { url: site.origin });
  await driven.until(() => site.requests.length === 1);
  driven.spout.close();
  while (cut === 0) await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(driven.errors, []);
});

t.test('settings are told by name', async (t) => {
  const good = { url: 'http://127.0.0.1/', every: '1s' };
  for (const [key, value, message] of [
    ['url', 'ftp://a', /begins with http/],
    ['url', 'http://user:pass@127.0.0.1/', /must hold no user and no password/],
    ['url', `http://127.0.0.1/${'a'.repeat(3000)}`, /2048 characters/],
    ['every', undefined, /must be a duration/],
    ['every', 'often', /must be a duration/],
    ['timeout', 0, /must be a duration/],
    ['headers', { a: 1 }, /must be texts, which "a" is not/],
    ['headers', { 'a b': 'x' }, /has "a b", which cannot be sent/],
    ['headers', ['a'], /must be an object of texts/],
    ['headers', Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`h${at}`, 'x'])), /at most 64/],
    ['items', 'a/b', /must be a JSON pointer/],
    ['id', '/~2', /must be a JSON pointer/],
    ['fields', [], /list of texts/],
    ['seenMax', 0, /whole number/],
    ['pendingMax', 0, /whole number/],
    ['bodyBytesMax', 0, /whole number/],
    ['redirectsMax', 99, /whole number/],
  ] as const) {
    const error = thrownBy(() => new HttpPoll({ ...good, [key]: value }));
    t.equal(error.code, 'MILLRACE_CONNECT_SETTING');
    t.match(error.message, message);
    t.ok(error.message.includes(`"${key}"`), error.message);
  }
  const error = thrownBy(() => new HttpPoll(good).open(fakeContext({ parallelism: 2 })));
  t.match(error.message, /"parallelism".*must be 1, not 2: every task would get the same records/);
});

t.test('pointers find what the document holds, and nothing else', async (t) => {
  const document = { a: [{ 'b/c': 1, 'd~e': 2, '': 3 }], f: null };
  for (const [text, found] of [
    ['', document],
    ['/a/0/b~1c', 1],
    ['/a/0/d~0e', 2],
    ['/a/0/', 3],
    ['/f', null],
    ['/f/x', undefined],
    ['/a/1', undefined],
    ['/a/-1', undefined],
    ['/a/00', undefined],
    ['/a/length', undefined],
    ['/constructor', undefined],
    ['/__proto__', undefined],
  ] as const) {
    t.strictSame(JsonPointer.read(text)?.find(document), found, text);
  }
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 4 }), fc.anything(), (names, value) => {
      const text = names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
      const made = names.reduceRight<unknown>((inner, name) => Object.fromEntries([[name, inner]]), value);
      return Object.is(JsonPointer.read(text)?.find(made), value) && new RegExp(POINTER_PATTERN).test(text);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => (JsonPointer.read(text) === null) !== new RegExp(POINTER_PATTERN).test(text)),
  );
});

t.test('in a topology its records are processed, and failed requests are only told', async (t) => {
  const site = await Site.start(t);
  site.gives('', {}, 503);
  const kit = await TestRun.start(
    topology('poll', (t) => {
      const records = t.spout('records', httpPoll({ url: site.origin, every: '5s', fields: ['id'], id: '/id' }));
      t.bolt('sink', () => undefined).fields(records, 'id');
    }),
  );
  t.teardown(async () => void (await kit.close()));
  while (site.requests.length === 0) await kit.settle();
  site.gives([{ id: 1 }, { id: 2 }]);
  while (kit.executed('sink').length < 2) await kit.advance('1s');
  t.strictSame(kit.executed('sink'), [[1], [2]]);
  await kit.settle();
  t.equal(kit.acked('records').length, 2);
});
