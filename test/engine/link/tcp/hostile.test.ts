// What strangers, broken programs and other versions send to a worker that listens: nothing crashes, nothing grows
// without bound, and the good link goes on.

import { connect, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { VirtualClock } from '../../../../engine/clock.js';
import { PROTOCOL_VERSION } from '../../../../engine/codec/data-frame.js';
import { FRAME_BYTES_MAX, tcpLinkLimits } from '../../../../engine/limits.js';
import { FrameReader, writeHead } from '../../../../engine/link/tcp/frame-reader.js';
import { greetAsCaller, Intake } from '../../../../engine/link/tcp/greeting.js';
import type { TcpAddress } from '../../../../engine/link/tcp/tcp-wire.js';
import { frameOf, numberOf, Taken, tcpPair, token, type TcpPair } from './ends.js';

type Test = Pick<typeof t, 'strictSame' | 'teardown'>;

const key = { key: token, purpose: 'millrace link' };

function socketTo(address: TcpAddress): Socket {
  const socket = connect(address);
  socket.on('error', () => undefined);
  return socket;
}

const closeOf = (socket: Socket): Promise<void> =>
  new Promise((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));

/** The good link still carries, in both directions. */
async function stillGoes(t: Test, pair: TcpPair): Promise<void> {
  const next = pair.atFar.dataFrames.length;
  pair.near.sendData(frameOf(next));
  pair.far.sendControl(frameOf(next));
  await pair.atFar.until(() => pair.atFar.dataFrames.length > next);
  await pair.atNear.until(() => pair.atNear.controlFrames.length > next);
  t.strictSame(pair.atFar.dataFrames.map(numberOf), [...Array(next + 1).keys()]);
  t.strictSame([...pair.atNear.reasons, ...pair.atFar.reasons], []);
}

/** One who knows the token, and asks for a lane of link 8, which leads to worker 2. */
async function insider(pair: TcpPair, link = 8, lane = 0, from = 2, to = 0, received = 0): Promise<Socket> {
  const socket = socketTo(pair.address);
  const intake = new Intake(socket);
  if ((await greetAsCaller(intake, key)) !== 'greeted') throw new Error('not greeted');
  const want = Buffer.alloc(20);
  [link, lane, from, to, received].forEach((value, index) => want.writeInt32LE(value, index * 4));
  socket.write(want);
  await intake.take(8);
  intake.end();
  return socket;
}

/** A link of the listener's to worker 2, who is the insider. */
function victimOf(t: Pick<Test, 'teardown'> | null, pair: TcpPair): Taken & { close(): void } {
  const wire = pair.listener.wire({ link: 8, worker: 2, connects: false });
  const taken = Object.assign(new Taken(), { close: () => wire.close() });
  wire.open(taken);
  t?.teardown(() => wire.close());
  return taken;
}

t.test('whatever strangers send is refused, and the good link goes on', async (t) => {
  const pair = await tcpPair();
  t.teardown(() => pair.close());
  await stillGoes(t, pair);
  const hello = Buffer.alloc(24);
  hello.writeUInt32LE(0x4d524c4b, 0);
  hello.writeUInt32LE(PROTOCOL_VERSION, 4);
  const proof = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const sent = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    proof.map((bytes) => Buffer.concat([hello, bytes])),
    fc.tuple(proof, fc.nat(55)).map(([bytes, cut]) => Buffer.concat([hello, bytes]).subarray(0, cut)),
  );
  const property = fc.asyncProperty(sent, fc.array(fc.nat(60), { maxLength: 4 }), async (bytes, pieces) => {
    const before = pair.listener.strangers;
    const socket = socketTo(pair.address);
    socket.resume();
    let at = 0;
    for (const piece of pieces) socket.write(bytes.slice(at, (at += piece)));
    socket.end(bytes.slice(at));
    await closeOf(socket);
    while (pair.listener.strangers === before) await new Promise((resolve) => setImmediate(resolve));
  });
  await fc.assert(property, { numRuns: 150 });
  await stillGoes(t, pair);
});

t.test('one that greets and never stops, and one that says nothing, are closed', async (t) => {
  const clock = new VirtualClock();
  const pair = await tcpPair({ clock });
  t.teardown(() => pair.close());
  await stillGoes(t, pair);
  const endless = socketTo(pair.address);
  const bytes = Buffer.alloc(64 * 1024, 7);
  const pour = (): void => void (endless.destroyed || endless.write(bytes, pour));
  pour();
  await closeOf(endless);
  const dripping = socketTo(pair.address);
  dripping.write(Buffer.from([0x4b]));
  const silent = socketTo(pair.address);
  await new Promise((resolve) => silent.once('connect', resolve));
  // The listener takes a connection in some turn; from then on the deadline of it runs.
  const closed = Promise.all([closeOf(silent), closeOf(dripping)]);
  for (const socket of [silent, dripping]) socket.resume();
  while (!silent.closed || !dripping.closed) {
    clock.step(clock.now() + tcpLinkLimits.handshakeMs / 10);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
  await stillGoes(t, pair);
});

t.test('a crowd of strangers that say nothing keeps nobody out', async (t) => {
  const halfOpenMax = 8;
  const pair = await tcpPair({ limits: { halfOpenMax } });
  t.teardown(() => pair.close());
  const crowd = Array.from({ length: 100 }, () => socketTo(pair.address).resume());
  t.teardown(() => crowd.forEach((socket) => socket.destroy()));
  const taken = victimOf(t, pair);
  const socket = await insider(pair);
  const frame = frameOf(3);
  socket.write(Buffer.concat([writeHead(frame, 1, 0), frame]));
  await taken.until(() => taken.dataFrames.length === 1);
  const left = (): number => crowd.filter((each) => !each.destroyed).length;
  while (left() > halfOpenMax) await new Promise((resolve) => setImmediate(resolve));
  t.ok(left() <= halfOpenMax);
  socket.destroy();
  await stillGoes(t, pair);
});

t.test('a greeting that was recorded opens nothing', async (t) => {
  const pair = await tcpPair({ open: false });
  t.teardown(() => pair.close());
  const said: Buffer[] = [];
  const recorder = createServer((inbound) => {
    const outbound = socketTo(pair.address);
    inbound.on('error', () => undefined).on('data', (chunk: Buffer) => said.push(chunk) && outbound.write(chunk));
    outbound.on('data', (chunk: Buffer) => inbound.write(chunk)).on('close', () => inbound.destroy());
    inbound.on('close', () => outbound.destroy());
  });
  t.teardown(() => recorder.close());
  const port = await new Promise<number>((resolve) => {
    recorder.listen(0, '127.0.0.1', () => resolve((recorder.address() as { readonly port: number }).port));
  });
  const taken = victimOf(t, pair);
  const good = await insider({ ...pair, address: { host: '127.0.0.1', port } });
  const frame = frameOf(1);
  good.write(Buffer.concat([writeHead(frame, 1, 0), frame]));
  await taken.until(() => taken.dataFrames.length === 1);
  const again = socketTo(pair.address).resume();
  const { strangers } = pair.listener;
  again.write(Buffer.concat(said));
  await closeOf(again);
  t.equal(pair.listener.strangers, strangers + 1);
  t.equal(taken.dataFrames.length, 1);
  good.destroy();
});

t.test('another version is refused, and the error names both', async (t) => {
  const pair = await tcpPair({ open: false });
  t.teardown(() => pair.close());
  const other = createServer((socket) => {
    const hello = Buffer.alloc(24);
    hello.writeUInt32LE(0x4d524c4b, 0);
    hello.writeUInt32LE(99, 4);
    socket.on('error', () => undefined).end(hello);
  });
  t.teardown(() => other.close());
  const port = await new Promise<number>((resolve) => {
    other.listen(0, '127.0.0.1', () => resolve((other.address() as { readonly port: number }).port));
  });
  pair.caller.reach(5, { host: '127.0.0.1', port });
  const taken = new Taken();
  pair.caller.wire({ link: 9, worker: 5, connects: true }).open(taken);
  await taken.until(() => taken.reasons.length > 0);
  t.match(taken.reasons, [/other end speaks version 99 .* this one version \d+/]);
  const told = socketTo(pair.address);
  const hello = Buffer.alloc(24);
  hello.writeUInt32LE(0x4d524c4b, 0);
  hello.writeUInt32LE(99, 4);
  told.write(hello);
  const answer = await new Intake(told).take(24);
  t.equal(answer?.readUInt32LE(4), PROTOCOL_VERSION, 'it is told which one is spoken here');
});

t.test('links that are not there, or lead elsewhere, are not opened', async (t) => {
  const pair = await tcpPair();
  t.teardown(() => pair.close());
  const taken = victimOf(t, pair);
  const wants = [
    [9, 0, 2, 0],
    [8, 2, 2, 0],
    [8, -1, 2, 0],
    [8, 0, 1, 0],
    [8, 0, 2, 1],
    [7, 0, 2, 0],
    [-2_147_483_648, 0, 2, 0],
  ] as const;
  for (const want of wants) {
    const socket = await insider(pair, ...want);
    socket.resume();
    await closeOf(socket);
  }
  t.strictSame(taken.reasons, []);
  await stillGoes(t, pair);
});

t.test('frames that cannot be right end their link and no other', async (t) => {
  const pair = await tcpPair();
  t.teardown(() => pair.close());
  const frame = frameOf(1, 40);
  const whole = (number: number, confirmed = 0): Buffer => Buffer.concat([writeHead(frame, number, confirmed), frame]);
  const head = (length: number, kind: number): Buffer => {
    const bytes = writeHead(frame, 1, 0);
    bytes.writeUInt32LE(length, 0);
    bytes.writeUInt32LE(kind, 4);
    return bytes;
  };
  const spoilt: readonly (readonly [RegExp, Buffer])[] = [
    [/came after frame 0/, whole(2)],
    [/came after frame 1/, Buffer.concat([whole(1), whole(3)])],
    [/was confirmed, of 0 to 0/, whole(1, 1)],
    [/above 8388608/, head(FRAME_BYTES_MAX + 1, 0x4d4c0001)],
    [/above 8388608/, head(0xffffffff, 0x4d4c0001)],
    [/not the head of a frame/, head(40, 0x4d4c0003)],
    [/does not go with its kind/, head(0, 0x4d4c0001)],
    [/does not go with its kind/, head(40, 0x4d4c0002)],
    [/not the head of a frame/, Buffer.alloc(100_000, 9)],
  ];
  for (const [expected, bytes] of spoilt) {
    const taken = victimOf(t, pair);
    const socket = await insider(pair);
    socket.resume().write(bytes);
    await taken.until(() => taken.reasons.length > 0);
    t.match(taken.reasons, [expected]);
    await closeOf(socket);
  }
  const taken = victimOf(t, pair);
  const socket = await insider(pair, 8, 0, 2, 0, 5);
  await taken.until(() => taken.reasons.length > 0);
  t.match(taken.reasons, [/frame 5 was confirmed, of 0 to 0/], 'nor can the other end have what was never sent');
  socket.destroy();
  await stillGoes(t, pair);
});

t.test('random frames: what is right arrives once and in order, the first that is not ends the link', async (t) => {
  const pair = await tcpPair();
  t.teardown(() => pair.close());
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constant('next' as const) },
    { weight: 2, arbitrary: fc.constant('again' as const) },
    { weight: 1, arbitrary: fc.constantFrom('early' as const, 'garbage' as const) },
  );
  const property = fc.asyncProperty(
    fc.array(piece, { maxLength: 12 }),
    fc.integer({ min: 5, max: 64 }),
    async (pieces, cut) => {
      const taken = victimOf(null, pair);
      const socket = await insider(pair);
      socket.resume();
      let number = 0;
      const parts: Buffer[] = [];
      let ends = false;
      for (const each of pieces) {
        const frame = frameOf(each === 'next' ? ++number : number, 24);
        if (each === 'garbage') parts.push(Buffer.alloc(50, 1));
        else parts.push(Buffer.concat([writeHead(frame, each === 'early' ? number + 2 : number, 0), frame]));
        ends = each === 'garbage' || each === 'early';
        if (ends) break;
      }
      const bytes = Buffer.concat(parts);
      for (let at = 0; at < bytes.length; at += cut) socket.write(bytes.subarray(at, at + cut));
      await taken.until(() => taken.dataFrames.length === number && taken.reasons.length === (ends ? 1 : 0));
      if (taken.dataFrames.map(numberOf).join() !== [...Array(number).keys()].map((n) => n + 1).join()) {
        throw new Error('otherwise');
      }
      socket.destroy();
      await closeOf(socket);
      taken.close();
    },
  );
  await fc.assert(property, { numRuns: 60 });
  await stillGoes(t, pair);
});

t.test('a large frame that was announced takes no more memory than what came of it', async (t) => {
  const reader = new FrameReader({ confirmed: () => undefined, frame: () => undefined, closed: false });
  const room = (): number => (reader as unknown as { body: Buffer }).body.length;
  const head = writeHead(frameOf(1, 4), 1, 0);
  head.writeUInt32LE(FRAME_BYTES_MAX, 0);
  reader.push(head);
  for (let came = 0; came < FRAME_BYTES_MAX - 10_000; came += 10_000) {
    if (room() > Math.max(64 * 1024, 2 * came)) t.fail(`${room()} bytes for ${came}`);
    reader.push(Buffer.alloc(10_000));
  }
  t.ok(room() <= FRAME_BYTES_MAX);
});
