// How runs of a host begin when their code is not here yet; what they do then, whole hosts show.

import t from 'tap';
import { EngineRunner } from '../../../api/host/engine-runner.js';
import type { RunOrder } from '../../../coordination/host/runner.js';
import { VirtualClock } from '../../../engine/clock.js';
import { failure } from '../../../engine/errors.js';
import { silentLogger } from '../../../engine/log.js';

const sha256 = 'a'.repeat(64);
const order = { id: 'i', name: 'words' } as unknown as RunOrder;
const listener = {
  checkpoint: () => undefined,
  rebalanced: () => undefined,
  away: () => undefined,
  stage: () => undefined,
};

/** A runner whose code is there after so many tries, and broken then. */
function runnerOf(waitsForCode: boolean, tries: number) {
  const clock = new VirtualClock();
  const asked: number[] = [];
  const runner = new EngineRunner({
    logger: silentLogger,
    clock,
    slots: 1,
    print: () => undefined,
    waitsForCode,
    together: null,
    spares: null,
    sourceOf: async () => {
      asked.push(clock.now());
      throw asked.length > tries ? new Error('broken') : failure('MILLRACE_ARTIFACT_UNKNOWN', { sha256 });
    },
    filesRootOf: () => null,
    parametersOf: () => ({ now: {}, ready: Promise.resolve(), close: () => undefined }),
    heldBack: new Set(),
    onRunning: () => undefined,
  });
  return { runner, clock, asked };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

t.test('code that another host has is waited for, longer each time', async (t) => {
  const { runner, clock, asked } = runnerOf(true, 3);
  const { ended } = runner.start(order, listener);
  for (let step = 0; step < 10; step++) {
    await turn();
    clock.step(clock.now() + 60_000);
  }
  t.match(await ended, { status: 'failed', error: { message: 'broken' } });
  const waits = asked.slice(1).map((atMs, index) => atMs - asked[index]!);
  t.equal(waits.length, 3);
  t.ok(
    waits.every((waitMs, index) => index === 0 || waitMs > waits[index - 1]!),
    waits.join(', '),
  );
});

t.test('killed while it waits for its code, it is over', async (t) => {
  const { runner, clock } = runnerOf(true, Infinity);
  const run = runner.start(order, listener);
  await turn();
  run.kill({ waitMs: 0 });
  t.match(await run.ended, { status: 'killed', error: null });
  t.equal(clock.nextDueMs(), undefined, 'no timer is left');
});

t.test('a host that is alone waits for nobody', async (t) => {
  const { runner } = runnerOf(false, Infinity);
  t.match(await runner.start(order, listener).ended, {
    status: 'failed',
    error: { code: 'MILLRACE_ARTIFACT_UNKNOWN' },
  });
});
