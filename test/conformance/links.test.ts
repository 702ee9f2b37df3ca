// Links between living workers that break for good, or bring what cannot be right: open trees fail and are replayed,
// no worker dies, nothing is lost, and the topology completes.

import diagnostics from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import t from 'tap';
import { TestRun } from 'millrace/testing';
import { range, topologyUrl, spread } from './transports.js';

/** The sockets of TCP links that were accepted in this thread and live. */
function watchSockets(): Set<Socket> {
  const sockets = new Set<Socket>();
  diagnostics.subscribe('net.server.socket', (message) => {
    const { socket } = message as { readonly socket: Socket };
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

const sockets = watchSockets();

async function start(t: { teardown(call: () => unknown): void }, warnings: string[] = []): Promise<TestRun> {
  const logger = { debug: () => undefined, info: () => undefined, error: () => undefined };
  const run = await TestRun.start(topologyUrl('numbers'), {
    fed: ['command'],
    workers: 2,
    links: 'tcp',
    limits: { batchTuplesMax: 8 },
    settings: { ...spread, messageTimeout: '30s' },
    logger: { ...logger, warn: (message) => void warnings.push(message) },
  });
  t.teardown(() => run.close());
  return run;
}

async function advanceUntil(run: TestRun, holds: () => boolean): Promise<void> {
  for (let steps = 0; steps < 3_000 && !holds(); steps++) await run.advance(20);
}

async function completes(run: TestRun): Promise<void> {
  run.endFeed('command');
  await advanceUntil(run, () => run.status().state !== 'active');
}

const reached = (run: TestRun): Set<unknown> => new Set(run.executed('sink').map(([number]) => number));

t.test('a link that is lost between living workers is made anew, and what was open is replayed', async (t) => {
  const warnings: string[] = [];
  const run = await start(t, warnings);
  let losses = 0;
  for (let round = 0; round < 5; round++) {
    const before = reached(run).size;
    await advanceUntil(run, () => reached(run).size > before + 15);
    const [socket] = sockets;
    // What comes out of order at the other end is no frame.
    socket?.write(Buffer.alloc(64, 0xee));
    const had = warnings.length;
    for (let looks = 0; looks < 10_000 && warnings.length === had; looks++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    losses += warnings.length - had;
  }
  await completes(run);
  t.equal(losses, 5, 'each is told once');
  t.ok(warnings.every((warning) => /the link between workers \d and \d of topology "\w+" was lost/.test(warning)));
  t.equal(run.status().state, 'completed');
  t.equal(run.status().workerDeaths, 0);
  const count = 200;
  t.strictSame(
    range(count).filter((number) => !reached(run).has(number)),
    [],
  );
  t.equal(run.status().openTrees, 0);
});

t.test('sockets that break and come back fail nothing', async (t) => {
  const warnings: string[] = [];
  const run = await start(t, warnings);
  for (let round = 0; round < 10; round++) {
    const before = reached(run).size;
    await advanceUntil(run, () => reached(run).size > before + 15);
    for (const socket of sockets) socket.destroy();
  }
  await completes(run);
  t.equal(run.status().state, 'completed');
  t.strictSame(run.failed('numbers'), []);
  const handled = run.executed('sink').map(([number]) => number);
  t.strictSame(handled.filter((number) => typeof number === 'number').length, 200, 'each once');
  t.strictSame(handled.slice(-3), ['first took 200', 'second took 201', 'third took 202']);
  t.strictSame(warnings, []);
});

t.test('frames whose integers are changed on the way crash nobody', async (t) => {
  const run = await start(t);
  let seed = 12_345;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  let changed = 0;
  let spoiling = true;
  const spoil = (socket: Socket): void => {
    const write = (bytes: Uint8Array): boolean => Socket.prototype.write.call(socket, bytes);
    const changing = (bytes: Uint8Array): boolean => {
      // Heads and signs have 16 bytes; what is longer is a frame, in memory that may be sent again.
      if (!spoiling || bytes.length <= 16 || random(4) > 0) return write(bytes);
      const copy = Buffer.from(bytes);
      copy.writeInt32LE(
        random(3) === 0 ? random(1 << 30) * (random(2) * 2 - 1) : random(12) - 1,
        random(copy.length >> 2) * 4,
      );
      changed++;
      return write(copy);
    };
    Object.assign(socket, { write: changing });
  };
  const seen = new Set<Socket>();
  for (let round = 0; round < 60; round++) {
    for (const socket of sockets) {
      if (seen.has(socket)) continue;
      seen.add(socket);
      spoil(socket);
    }
    await run.advance(20);
  }
  spoiling = false;
  // Trees whose acks were changed are failed by the message timeout at the latest.
  await run.advance('40s');
  await completes(run);
  t.ok(changed > 20, `${changed} frames were changed`);
  t.equal(run.status().state, 'completed');
  t.equal(run.status().workerDeaths, 0);
});
