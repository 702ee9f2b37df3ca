// The contract of a wire, kept by both of its implementations: each frame once, in order, data and control apart.

import { MessageChannel } from 'node:worker_threads';
import t from 'tap';
import { FRAME_BYTES_MAX } from '../../../engine/limits.js';
import { PortWire } from '../../../engine/link/port-wire.js';
import { frameOf, numberOf, Taken, tcpPair, type WirePair } from './tcp/ends.js';

type Open = boolean;

async function portPair(open: Open): Promise<WirePair> {
  const data = new MessageChannel();
  const control = new MessageChannel();
  const near = new PortWire({ data: data.port1, control: control.port1 });
  const far = new PortWire({ data: data.port2, control: control.port2 });
  const atNear = new Taken();
  const atFar = new Taken();
  if (open) {
    near.open(atNear);
    far.open(atFar);
  }
  const close = (): void => {
    near.close();
    far.close();
  };
  return await Promise.resolve({ near, far, atNear, atFar, close });
}

const wires: Readonly<Record<string, (open: Open) => Promise<WirePair>>> = {
  ports: portPair,
  tcp: async (open) => await tcpPair({ open }),
};

for (const [name, pairOf] of Object.entries(wires)) {
  void t.test(`${name}: frames of all sizes arrive in order, in both directions`, async (t) => {
    const pair = await pairOf(true);
    t.teardown(() => pair.close());
    const sizes = [4, 5, 7, 16, 1000, 65_535, 65_536, 65_537, 300_000, FRAME_BYTES_MAX, 4];
    sizes.forEach((bytes, number) => {
      pair.near.sendData(frameOf(number, bytes));
      pair.far.sendData(frameOf(number, bytes));
      pair.near.sendControl(frameOf(100 + number, bytes));
      pair.far.sendControl(frameOf(100 + number, bytes));
    });
    for (const taken of [pair.atNear, pair.atFar]) {
      await taken.until(() => taken.dataFrames.length + taken.controlFrames.length === 2 * sizes.length);
      t.strictSame(taken.dataFrames.map(numberOf), [...sizes.keys()]);
      t.strictSame(
        taken.controlFrames.map(numberOf),
        [...sizes.keys()].map((number) => 100 + number),
      );
      t.strictSame(
        taken.dataFrames.map((frame) => frame.length),
        sizes,
      );
      t.ok(
        taken.dataFrames.every((frame) => frame.byteOffset % 4 === 0),
        'they can be read as integers where they stand',
      );
    }
  });

  void t.test(`${name}: what is sent before the other end is open waits`, async (t) => {
    const pair = await pairOf(false);
    t.teardown(() => pair.close());
    pair.near.sendData(frameOf(1));
    pair.near.sendControl(frameOf(2));
    pair.near.open(pair.atNear);
    pair.near.sendData(frameOf(3));
    // The near end gets its time to send, and the frames to come.
    await new Promise((resolve) => setImmediate(resolve));
    pair.far.open(pair.atFar);
    await pair.atFar.until(() => pair.atFar.dataFrames.length === 2 && pair.atFar.controlFrames.length === 1);
    t.strictSame(pair.atFar.dataFrames.map(numberOf), [1, 3]);
    t.strictSame(pair.atFar.controlFrames.map(numberOf), [2]);
  });

  void t.test(`${name}: a closed end takes nothing and says nothing`, async (t) => {
    const pair = await pairOf(true);
    t.teardown(() => pair.close());
    pair.near.sendData(frameOf(1));
    await pair.atFar.until(() => pair.atFar.dataFrames.length === 1);
    pair.far.close();
    pair.far.close();
    pair.near.sendData(frameOf(2));
    pair.far.sendData(frameOf(3));
    pair.far.sendControl(frameOf(3));
    pair.near.close();
    pair.near.sendData(frameOf(4));
    await new Promise((resolve) => setImmediate(resolve));
    t.strictSame(pair.atFar.dataFrames.map(numberOf), [1]);
    t.strictSame(pair.atNear.dataFrames, []);
    t.strictSame([...pair.atNear.reasons, ...pair.atFar.reasons], []);
  });
}
