// `tcp-lines`: lines however they are cut, answers, back pressure, bounds, and what peers and ports can do to it. Real
// sockets on loopback, on ports that the system gives; time is virtual.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { tcpLines, TcpLines } from '../../../engine/connect/tcp/index.js';
import { LineSplitter } from '../../../engine/connect/tcp/line-splitter.js';
import { VirtualClock } from '../../../engine/clock.js';
import type { SpoutContext } from '../../../engine/component/context.js';
import { isMillraceError } from '../../../engine/errors.js';
import { topology } from '../../../engine/index.js';
import { TestRun } from '../../../engine/testing/index.js';
import { fakeContext, recorder, thrownBy, type Emitted } from './fakes.js';

/** Lets I/O happen until that is so; the runner's time limit ends what never is. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

class Running {
  readonly clock = new VirtualClock();
  readonly log: string[] = [];
  readonly gauges = new Map<string, number>();
  readonly counters = new Map<string, number>();
  readonly emitted: Emitted[];
  readonly spout: TcpLines;
  readonly peers: Peer[] = [];
  private readonly emit;

  private constructor(spout: TcpLines) {
    this.spout = spout;
    const { emit, emitted } = recorder();
    this.emit = emit;
    this.emitted = emitted;
  }

  static async start(t: Test, config: Readonly<Record<string, unknown>> = {}): Promise<Running> {
    const running = new Running(new TcpLines({ port: 0, ...config }));
    t.teardown(async () => {
      for (const { socket } of running.peers) socket.destroy();
      await running.spout.close();
    });
    await running.spout.open(running.context());
    return running;
  }

  context(): SpoutContext {
    const { clock, log, gauges, counters } = this;
    const write = (message: string): void => void log.push(message);
    return {
      ...fakeContext({ clock }),
      logger: { debug: write, info: write, warn: write, error: write },
      metrics: {
        counter: (name) => ({ add: (amount = 1) => counters.set(name, (counters.get(name) ?? 0) + amount) }),
        gauge: (name) => ({ set: (value) => gauges.set(name, value) }),
        histogram: () => ({ record: () => undefined }),
      },
    };
  }

  get port(): number {
    return this.gauges.get('port') ?? 0;
  }

  get lines(): unknown[] {
    return this.emitted.map(({ values }) => values[0]);
  }

  next(): number {
    const before = this.emitted.length;
    this.spout.nextTuple(this.emit);
    return this.emitted.length - before;
  }

  /** Asks until that many tuples are out in all. */
  async out(count: number): Promise<void> {
    await until(() => {
      while (this.next() > 0 && this.emitted.length < count);
      return this.emitted.length >= count;
    });
  }

  advance(ms: number): void {
    this.clock.step(this.clock.now() + ms);
  }

  async peer(): Promise<Peer> {
    const peer = new Peer(connect({ port: this.port, host: '127.0.0.1', allowHalfOpen: true }));
    this.peers.push(peer);
    await once(peer.socket, 'connect');
    return peer;
  }
}

class Peer {
  readonly socket: Socket;
  received = '';
  ended = false;
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => (this.received += chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('end', () => (this.ended = true));
    socket.on('close', () => (this.closed = true));
  }

  get address(): string {
    return `127.0.0.1:${this.socket.localPort ?? 0}`;
  }
}

t.test('lines are the same however their bytes are cut', async (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', 'ß', '𝒳', '\n', '\r\n', '\r', ' ', 'bc'), maxLength: 60 });
  fc.assert(
    fc.property(text, fc.array(fc.nat(8), { maxLength: 60 }), fc.boolean(), (whole, sizes, greedy) => {
      const bytes = Buffer.from(whole);
      const splitter = new LineSplitter(1000);
      const lines: string[] = [];
      const drain = (): void => {
        for (let next = splitter.next(); next !== null && next !== 'too long'; next = splitter.next())
          lines.push(next.line);
      };
      let at = 0;
      for (const size of sizes) {
        splitter.push(bytes.subarray(at, at + size));
        at += size;
        if (greedy) drain();
      }
      splitter.push(bytes.subarray(at));
      drain();
      const expected = whole.split('\n');
      const rest = expected.pop() ?? '';
      t.strictSame(
        lines,
        expected.map((line) => line.replace(/\r$/, '')),
      );
      return splitter.partialBytes === Buffer.byteLength(rest);
    }),
    { numRuns: 500 },
  );
  const splitter = new LineSplitter(3);
  for (const byte of 'abc\r\nabcd') splitter.push(Buffer.from(byte));
  t.strictSame(splitter.next(), { line: 'abc', bytes: 3 });
  t.equal(splitter.next(), null, 'the fourth may be a \\r');
  splitter.push(Buffer.from('e'));
  t.equal(splitter.next(), 'too long');
  const ended = new LineSplitter(3);
  ended.push(Buffer.from('abcd\n'));
  t.equal(ended.next(), 'too long');
});

t.test('each line of each connection is a tuple with its peer, and the port is told', async (t) => {
  const running = await Running.start(t);
  t.match(running.log[0], new RegExp(`^listens on 127\\.0\\.0\\.1:${running.port}$`));
  const [one, two] = [await running.peer(), await running.peer()];
  one.socket.write('call me\r\nish');
  two.socket.write('a\n\nb\n');
  await running.out(4);
  one.socket.write('mael\n');
  await running.out(5);
  const of = (peer: Peer): unknown[] =>
    running.emitted.filter(({ values }) => values[1] === peer.address).map(({ values }) => values[0]);
  t.strictSame(of(one), ['call me', 'ishmael']);
  t.strictSame(of(two), ['a', '', 'b']);
  t.equal(running.gauges.get('connections'), 2);
  one.socket.end();
  for (const { id } of running.emitted) running.spout.ack(id);
  await until(() => one.closed);
  t.equal(one.received, '', 'nothing is answered');
  t.equal(two.closed, false, 'the others live');
});

t.test('with answers, each line is told done or failed, in the order in which they end', async (t) => {
  const running = await Running.start(t, { ack: true });
  const peer = await running.peer();
  peer.socket.end('a\nb\nc\n');
  await running.out(3);
  const [a, b, c] = running.emitted;
  running.spout.ack(b?.id);
  running.spout.fail(a?.id);
  await until(() => peer.received.length >= 14);
  t.equal(peer.ended, false, 'the connection stays for the answers');
  running.spout.ack(c?.id);
  await until(() => peer.closed);
  t.equal(peer.received, 'ok 2\nfailed 1\nok 3\n');
  running.advance(100_000);
  t.equal(running.next(), 0, 'a sender that was told sends again itself');
});

t.test('without answers, a failed line comes again, and is given up by name', async (t) => {
  const running = await Running.start(t, { retries: 2 });
  const peer = await running.peer();
  peer.socket.end('a\nb\n');
  await running.out(2);
  for (const [waitMs, count] of [
    [100, 3],
    [200, 4],
  ] as const) {
    running.spout.fail(running.emitted.find(({ values }) => values[0] === 'a')?.id);
    running.advance(waitMs - 1);
    t.equal(running.next(), 0);
    running.advance(1);
    t.equal(running.next(), 1);
    t.equal(running.emitted.length, count);
  }
  running.spout.fail(running.emitted[0]?.id);
  t.equal(running.counters.get('linesGivenUp'), 1);
  t.match(running.log.at(-1), /gave up line 1 of 127\.0\.0\.1:\d+ after 3 failures/);
  t.equal(running.next(), 1, 'it comes as a dead letter');
  const letter = running.emitted.at(-1);
  t.match(letter?.values, ['MILLRACE_TASK_THREW', String, null, 3, 'default', ['a', String]]);
  t.equal(letter?.id, running.emitted[0]?.id);
  running.spout.ack(running.emitted[1]?.id);
  t.equal(peer.closed, false);
  running.spout.ack(letter?.id);
  await until(() => peer.closed);
  running.advance(100_000);
  t.equal(running.next(), 0);
});

t.test('where no retries are stated, a line is given up after ten without a letter', async (t) => {
  const running = await Running.start(t);
  const peer = await running.peer();
  peer.socket.end('a\n');
  await running.out(1);
  for (let retry = 0; retry < 10; retry++) {
    running.spout.fail(running.emitted[0]?.id);
    running.advance(30_000);
    t.equal(running.next(), 1);
  }
  running.spout.fail(running.emitted[0]?.id);
  t.equal(running.counters.get('linesGivenUp'), 1);
  await until(() => peer.closed);
  running.advance(100_000);
  t.equal(running.next(), 0);
  t.equal(running.emitted.length, 11);
});

t.test('it reads no more than it may emit', async (t) => {
  const running = await Running.start(t, { pendingMax: 3 });
  const peer = await running.peer();
  const lines = 40_000;
  const text = `${'x'.repeat(999)}\n`;
  let sent = 0;
  const send = (): void => {
    while (sent < lines && peer.socket.write(text)) sent++;
  };
  peer.socket.on('drain', send);
  send();
  await running.out(3);
  for (let round = 0; round < 200; round++) {
    t.equal(running.next(), 0);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.ok(sent < lines, `the sender was held back after ${sent} lines`);
  let acked = 0;
  await until(() => {
    while (running.next() > 0 || acked < running.emitted.length) {
      if (acked < running.emitted.length) running.spout.ack(running.emitted[acked++]?.id);
    }
    return acked >= lines - 1;
  });
  t.ok(running.lines.every((line) => typeof line === 'string' && line.length === 999));
});

t.test('connections take turns', async (t) => {
  const running = await Running.start(t);
  const [one, two] = [await running.peer(), await running.peer()];
  one.socket.write('a\n'.repeat(1000));
  two.socket.write('b\n'.repeat(3));
  await until(() => (running.spout as unknown as { readyConnections: Set<unknown> }).readyConnections.size === 2);
  await running.out(6);
  t.equal(running.lines.slice(0, 6).filter((line) => line === 'b').length, 3);
});

t.test('a line that is too long closes its connection, after the lines before it are answered', async (t) => {
  const running = await Running.start(t, { lineBytesMax: 10, ack: true });
  const [bad, good] = [await running.peer(), await running.peer()];
  bad.socket.write(`fine\n${'x'.repeat(100_000)}`);
  await running.out(1);
  await until(() => bad.received.includes('failed 2\n'));
  running.spout.ack(running.emitted[0]?.id);
  await until(() => bad.ended);
  t.equal(bad.received, 'failed 2\nok 1\n');
  t.match(running.log.at(-1), /closed the connection of 127\.0\.0\.1:\d+: its line 2 is longer than 10 bytes/);
  t.equal(running.counters.get('linesTooLong'), 1);
  running.advance(999);
  running.next();
  t.equal(running.gauges.get('connections'), 2, 'it has a second to let go');
  running.advance(100);
  running.next();
  await until(() => running.gauges.get('connections') === 1);
  good.socket.write('0123456789\r\n');
  await running.out(2);
  t.equal(running.lines[1], '0123456789');
});

t.test('what a connection leaves without a line end is dropped and counted', async (t) => {
  const running = await Running.start(t);
  const peer = await running.peer();
  peer.socket.end('whole\ntor');
  await running.out(1);
  running.spout.ack(running.emitted[0]?.id);
  await until(() => peer.closed);
  t.equal(running.counters.get('linesTorn'), 1);
  t.strictSame(running.lines, ['whole']);
});

t.test('peers that reset, stay silent or come in too large a number cost nobody else', async (t) => {
  const running = await Running.start(t, { connectionsMax: 2, idleTimeout: '5s', ack: true });
  const [gone, silent] = [await running.peer(), await running.peer()];
  gone.socket.write('a\nb\n');
  await running.out(2);
  const refused = await running.peer();
  await until(() => refused.ended || refused.closed);
  t.equal(running.counters.get('connectionsRefused'), 1);
  t.match(running.log.at(-1), /refused a connection: there are 2, and may be 2/);
  gone.socket.resetAndDestroy();
  await until(() => running.gauges.get('connections') === 1);
  for (const { id } of running.emitted) running.spout.ack(id);
  running.advance(4999);
  running.next();
  silent.socket.write('c\n');
  await running.out(3);
  running.advance(60_000);
  running.next();
  t.equal(running.counters.get('connectionsIdle'), undefined, 'what is waited for is not idle');
  running.spout.ack(running.emitted[2]?.id);
  running.advance(5000);
  running.next();
  await until(() => silent.ended);
  t.equal(silent.received, 'ok 1\n');
  t.equal(running.counters.get('connectionsIdle'), 1);
});

t.test('a port in use is told by its number, and so is an address of another machine', async (t) => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const { port } = other.address() as AddressInfo;
  const told = async (config: Readonly<Record<string, unknown>>, parallelism = 1): Promise<string> => {
    const spout = new TcpLines(config);
    try {
      await spout.open(fakeContext({ parallelism }));
    } catch (error) {
      if (isMillraceError(error)) return `${error.code} ${String(error.fatal)} ${error.message}`;
      throw error;
    } finally {
      await spout.close();
    }
    return 'it listens';
  };
  const inUse = await told({ port });
  t.match(inUse, /^MILLRACE_TCP_PORT_IN_USE true /);
  t.ok(inUse.includes(`port ${port} of 127.0.0.1 is in use: component "component"`));
  t.match(await told({ port: 0, host: '192.0.2.1' }), /^MILLRACE_TCP_LISTEN true .*"192\.0\.2\.1".*EADDRNOTAVAIL/);
  t.match(await told({ port: 65_535 }, 2), /^MILLRACE_CONNECT_SETTING true .*port for each of 2 tasks/);
});

t.test('it closes with its connections, and settings are told by name', async (t) => {
  const running = await Running.start(t);
  const peer = await running.peer();
  peer.socket.write('a\n');
  await running.out(1);
  peer.socket.on('end', () => peer.socket.end());
  await running.spout.close();
  await until(() => peer.closed);
  running.spout.ack(running.emitted[0]?.id);
  const late = connect({ port: running.port, host: '127.0.0.1' });
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
  t.equal(error.code, 'ECONNREFUSED');
  await new TcpLines({ port: 0 }).close();
  for (const [key, value] of [
    ['port', undefined],
    ['port', 70_000],
    ['host', ''],
    ['ack', 'yes'],
    ['connectionsMax', 0],
    ['pendingMax', 0],
    ['lineBytesMax', 1e9],
    ['idleTimeout', '5 years'],
    ['retries', -1],
  ] as const) {
    const wrong = thrownBy(() => new TcpLines({ port: 0, [key]: value }));
    t.equal(wrong.code, 'MILLRACE_CONNECT_SETTING');
    t.match(wrong.message, `"${key}"`);
  }
});

t.test('in a topology its lines are processed and answered', async (t) => {
  const log: string[] = [];
  const write = (message: string): void => void log.push(message);
  const kit = await TestRun.start(
    topology('tcp', (t) => {
      const lines = t.spout('lines', tcpLines({ port: 0, ack: true }));
      t.bolt('upper', (tuple) => {
        if (tuple.values[0] === 'bad') throw new Error('refused');
      }).shuffle(lines);
    }),
    { logger: { debug: write, info: write, warn: write, error: write } },
  );
  t.teardown(async () => void (await kit.close()));
  const port = Number(/listens on 127\.0\.0\.1:(\d+)/.exec(log.join('\n'))?.[1]);
  const peer = new Peer(connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
  peer.socket.end('good\nbad\n');
  while (!peer.ended) await kit.advance(16);
  t.strictSame(peer.received.split('\n').toSorted(), ['', 'failed 2', 'ok 1']);
});
