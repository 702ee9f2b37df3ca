// How runs of a host begin when their code is not here yet, and which one of two versions takes records; what they do
// else, whole hosts show.

import t, { type Test } from 'tap';
import { EngineRunner } from '../../../api/host/engine-runner.js';
import type { RunOrder } from '../../../coordination/host/runner.js';
import type { RunStage } from '../../../coordination/topology-records.js';
import { RealClock, VirtualClock } from '../../../engine/clock.js';
import { failure } from '../../../engine/errors.js';
import { silentLogger } from '../../../engine/log.js';
import { describe } from '../../../engine/model/describe.js';
import { loadTopology, type TopologySource } from '../../../engine/worker/module.js';
import { topologyUrl } from '../../conformance/transports.js';

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

/** Two versions of a topology that takes records, the second of which stands by. */
async function versions(t: Test) {
  const source: TopologySource = { kind: 'module', url: topologyUrl('ingesting').href, settings: {} };
  const description = describe(await loadTopology(source));
  const runner = new EngineRunner({
    ...{
      logger: silentLogger,
      clock: new RealClock(),
      slots: 2,
      spares: null,
      print: () => undefined,
      waitsForCode: false,
    },
    ...{ together: null, filesRootOf: () => null, heldBack: new Set<string>(), onRunning: () => undefined },
    sourceOf: () => Promise.resolve(source),
    parametersOf: () => ({ now: {}, ready: Promise.resolve(), close: () => undefined }),
  });
  const start = (id: string, standby: boolean) => {
    const stages: (RunStage | null)[] = [];
    const rebalanced: number[] = [];
    const order = {
      ...{
        id,
        name: 'words',
        description,
        revision: 1,
        epoch: 1,
        change: 0,
        parallelism: {},
        checkpoints: [],
        standby,
      },
      ...{ places: [{ host: 'a', boot: '1', slot: 0 }], firstIncarnation: standby ? 1000 : 0 },
    } as unknown as RunOrder;
    const run = runner.start(order, {
      ...listener,
      stage: (stage) => void stages.push(stage),
      rebalanced: ({ change }) => void rebalanced.push(change),
    });
    t.teardown(async () => {
      run.kill({ waitMs: 0 });
      await run.ended;
    });
    const reaches = async (stage: RunStage | null): Promise<void> => {
      while (stages.at(-1) !== stage) await turn();
    };
    return { run, stages, rebalanced, reaches };
  };
  const { signal } = new AbortController();
  /** Counts are told a little later than answers. */
  const executed = async (id: string, count: number): Promise<number> => {
    const now = (): number => runner.doneOf(id)!.components['clerk']!.executed;
    while (now() < count) await turn();
    return now();
  };
  const ingest = (customer: string) => runner.ingest('words', undefined, 'orders', [customer, 'ack'], signal);
  return { runner, start, ingest, signal, executed };
}

t.test('records go to the version whose spouts are open', { timeout: 60_000 }, async (t) => {
  const { runner, start, ingest, signal, executed } = await versions(t);
  const first = start('first', false);
  await runner.arrival('words', signal);
  await ingest('Ahab');
  t.equal(await executed('first', 1), 1);
  const second = start('second', true);
  second.run.rebalance({ workers: 1, places: [], parallelism: { clerk: 3 }, change: 1 });
  await second.reaches('standby');
  await ingest('Ishmael');
  t.equal(await executed('first', 2), 2);
  first.run.standAside();
  t.equal(ingest('Pip'), null, 'neither takes any');
  await first.reaches('aside');
  t.equal(ingest('Pip'), null);
  t.strictSame(second.rebalanced, []);
  const arrival = runner.arrival('words', signal);
  second.run.open([]);
  await arrival;
  await ingest('Queequeg');
  t.equal(await executed('first', 2), 2);
  t.equal(await executed('second', 1), 1);
  await runner.rebalanced('second', 1, signal);
  t.strictSame(second.rebalanced, [1], 'what was asked for before is carried out when it is open');
  first.run.kill({ waitMs: 10_000 });
  t.match(await first.run.ended, { status: 'killed', error: null });
  t.strictSame(first.stages, ['aside']);
  t.strictSame(second.stages, ['standby', 'open']);
});

t.test('a version that made room in vain takes records again', { timeout: 60_000 }, async (t) => {
  const { runner, start, ingest, signal, executed } = await versions(t);
  const first = start('first', false);
  first.run.standAside();
  await first.reaches('aside');
  const arrival = runner.arrival('words', signal);
  first.run.comeBack();
  await arrival;
  await ingest('Ahab');
  t.equal(await executed('first', 1), 1);
  t.strictSame(first.stages, ['aside', null]);
});

t.test('a version that is killed while it stands by', { timeout: 60_000 }, async (t) => {
  const { start } = await versions(t);
  const { run, stages, reaches } = start('second', true);
  await reaches('standby');
  run.kill({ waitMs: 3_600_000 });
  t.match(await run.ended, { status: 'killed', error: null });
  run.open([]);
  run.standAside();
  run.comeBack();
  t.strictSame(stages, ['standby']);
});
