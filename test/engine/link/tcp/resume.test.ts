// A TCP link whose sockets break: frames go on by number, and past the time for that the link is lost.

import type { Socket } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { VirtualClock } from '../../../../engine/clock.js';
import { tcpLinkLimits } from '../../../../engine/limits.js';
import { RemoteLedger } from '../../../../engine/ack/remote-ledger.js';
import { Link } from '../../../../engine/link/link.js';
import type { Wire } from '../../../../engine/link/wire.js';
import { CuttingProxy, frameOf, numberOf, tcpPair } from './ends.js';
import { FakeHost, FakeSender, numbersOf, push } from '../fakes.js';

t.test('sockets that are cut at any byte lose nothing and double nothing', async (t) => {
  let cuts = 0;
  const property = fc.asyncProperty(
    fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 12 }),
    fc.array(fc.integer({ min: 4, max: 3_000 }), { minLength: 1, maxLength: 40 }),
    async (cutsAt, sizes) => {
      let connection = 0;
      // The last ones may live: else nothing would ever get through.
      const proxy = new CuttingProxy(() => cutsAt[connection++] ?? Infinity);
      const pair = await tcpPair({ between: async (address) => await proxy.listen(address) });
      sizes.forEach((bytes, number) => {
        for (const wire of [pair.near, pair.far]) {
          wire.sendData(frameOf(number, bytes));
          wire.sendControl(frameOf(number, bytes));
        }
      });
      for (const taken of [pair.atNear, pair.atFar]) {
        await taken.until(() => taken.dataFrames.length >= sizes.length && taken.controlFrames.length >= sizes.length);
        const expected = [...sizes.keys()].join();
        if (taken.dataFrames.map(numberOf).join() !== expected) throw new Error('data came otherwise');
        if (taken.controlFrames.map(numberOf).join() !== expected) throw new Error('control came otherwise');
        if (taken.reasons.length > 0) throw new Error(taken.reasons[0]);
      }
      cuts += proxy.cuts;
      pair.close();
      proxy.close();
    },
  );
  await fc.assert(property, { numRuns: 40 });
  t.ok(cuts > 40, `${cuts} cuts`);
});

t.test('tuples, acks and credit all come back over a link that is cut all the time', async (t) => {
  let seed = 1;
  const proxy = new CuttingProxy(() => (seed = (seed * 48_271) % 2_147_483_647) % 20_000);
  const pair = await tcpPair({ between: async (address) => await proxy.listen(address) });
  t.teardown(() => {
    pair.close();
    proxy.close();
  });
  const sender = new FakeHost({ batchTuplesMax: 16, linkSharedTuples: 64, linkSharedBytes: 4096 });
  const receiver = new FakeHost();
  const link = new Link(sender, pair.near, { id: 7, worker: 0 });
  const back = new Link(receiver, pair.far, { id: 7, worker: 1 });
  const channel = link.channelTo(0, 10, new FakeSender());
  const count = 8_000;
  const ledger = new RemoteLedger(0, 0, back);
  let done: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (done = resolve));
  const onTurn = (host: FakeHost, target: Link, turn: () => void): void => {
    let asked = false;
    host.requestTurn = () => {
      if (asked) return;
      asked = true;
      setImmediate(() => {
        asked = false;
        turn();
        target.flush();
      });
    };
  };
  let acked = 0;
  onTurn(receiver, back, () => {
    while (receiver.take(10)) ledger.ack(0, acked, ++acked, 1);
  });
  onTurn(sender, link, () => {
    if (sender.acks.length === count && channel.outstandingTuples === 0) done();
  });
  back.open();
  link.open();
  for (let n = 0; n < count; n++) push(channel, n);
  link.flush();
  await over;
  t.strictSame(
    numbersOf(receiver, channel),
    Array.from({ length: count }, (_, n) => n),
  );
  t.strictSame(
    sender.acks.map(([, , , root]) => root),
    Array.from({ length: count }, (_, n) => n),
  );
  t.equal(channel.outstandingBytes, 0);
  t.equal(link.waiting, 0);
  t.strictSame([...sender.refused, ...receiver.refused, ...sender.lost, ...receiver.lost], []);
  t.ok(proxy.cuts > 5, `${proxy.cuts} cuts`);
});

t.test('a link that is broken for too long is lost at both ends', async (t) => {
  const clock = new VirtualClock();
  const proxy = new CuttingProxy(() => Infinity);
  const limits = { retryMaxMs: tcpLinkLimits.retryMaxMs };
  const pair = await tcpPair({ clock, limits, between: async (address) => await proxy.listen(address) });
  t.teardown(() => {
    pair.close();
    proxy.close();
  });
  pair.near.sendData(frameOf(1));
  pair.near.sendControl(frameOf(1));
  await pair.atFar.until(() => pair.atFar.dataFrames.length + pair.atFar.controlFrames.length === 2);
  proxy.cutForGood();
  pair.near.sendData(frameOf(2));
  while (pair.atNear.reasons.length + pair.atFar.reasons.length < 2) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.step(clock.now() + tcpLinkLimits.resumeMs / 8);
  }
  t.match(pair.atNear.reasons, [/worker 0 was not reached for 20 s/]);
  t.match(pair.atFar.reasons, [/worker 1 was not reached for 20 s/]);
  t.equal(pair.atFar.dataFrames.length, 1);
  t.equal(clock.nextDueMs(), undefined, 'nothing is left behind');
});

t.test('an end that hears nothing any more takes its sockets for broken and connects again', async (t) => {
  const clock = new VirtualClock();
  const proxy = new CuttingProxy(() => Infinity);
  const pair = await tcpPair({ clock, between: async (address) => await proxy.listen(address) });
  t.teardown(() => {
    pair.close();
    proxy.close();
  });
  pair.near.sendData(frameOf(1));
  await pair.atFar.until(() => pair.atFar.dataFrames.length === 1);
  const before = [...proxy.connections];
  // The way stays open and carries nothing: what a pulled cable looks like.
  for (const socket of before) socket.pause();
  pair.far.sendData(frameOf(2));
  const isNew = (socket: Socket): boolean => !before.includes(socket);
  while (![...proxy.connections].some(isNew)) {
    clock.step(clock.now() + tcpLinkLimits.beatMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const steps = (async () => {
    while (pair.atNear.dataFrames.length === 0) {
      clock.step(clock.now() + 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await Promise.all([steps, pair.atNear.until(() => pair.atNear.dataFrames.length === 1)]);
  t.ok(clock.now() >= tcpLinkLimits.beatMs * tcpLinkLimits.silentBeatsMax);
  t.strictSame(pair.atNear.dataFrames.map(numberOf), [2]);
  t.strictSame(pair.atNear.reasons, []);
});

t.test('what waits for a broken link is bounded: then the link is given up', async (t) => {
  for (const limits of [{ keptFramesMax: 10 }, { keptBytesMax: 100 }]) {
    const pair = await tcpPair({ limits, between: () => Promise.resolve({ host: '127.0.0.1', port: 1 }) });
    for (let n = 0; n < 10; n++) pair.near.sendData(frameOf(n, 10));
    t.strictSame(pair.atNear.reasons, []);
    pair.near.sendData(frameOf(10, 10));
    t.match(pair.atNear.reasons, [/10 frames \(100 bytes\) are not confirmed/]);
    pair.near.sendData(frameOf(11, 10));
    t.equal(pair.atNear.reasons.length, 1);
    pair.close();
  }
});

t.test('what is sent is forgotten once it is confirmed, also when nothing goes the other way', async (t) => {
  const pair = await tcpPair({ limits: { keptFramesMax: 60 } });
  t.teardown(() => pair.close());
  for (let n = 0; n < 2_000; n += 20) {
    for (let more = n; more < n + 20; more++) pair.near.sendControl(frameOf(more));
    await pair.atFar.until(() => pair.atFar.controlFrames.length === n + 20);
    while (keptOf(pair.near) >= tcpLinkLimits.confirmFrames) await new Promise((resolve) => setImmediate(resolve));
  }
  t.strictSame(pair.atNear.reasons, []);
  t.equal(pair.atFar.controlFrames.length, 2_000);
});

t.test('data that nobody reads holds up no control', async (t) => {
  const pair = await tcpPair();
  t.teardown(() => pair.close());
  pair.near.sendData(frameOf(0));
  await pair.atFar.until(() => pair.atFar.dataFrames.length === 1);
  for (let n = 1; n <= 60; n++) pair.near.sendData(frameOf(n, 1024 * 1024));
  pair.near.sendControl(frameOf(1));
  await pair.atFar.until(() => pair.atFar.controlFrames.length === 1);
  t.ok(pair.atFar.dataFrames.length < 61, `${pair.atFar.dataFrames.length} frames of data were first`);
});

/** How many control frames wait for their confirmation. */
function keptOf(wire: Wire): number {
  const { lanes } = wire as unknown as { lanes: { lane: { kept: unknown[]; first: number } }[] };
  return lanes[1]!.lane.kept.length - lanes[1]!.lane.first;
}
