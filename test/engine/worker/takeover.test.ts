// One version of a topology takes over from another one, as its hosts have it do: prepared beside it, opened when the
// other one's spouts stand aside, while that one's bolts finish. What both want, a port or a file, goes over with that.

import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { fileLines, fileSink } from '../../../engine/connect/file/index.js';
import { tcpLines } from '../../../engine/connect/tcp/index.js';
import { Bolt, topology, type Emit, type Tuple } from '../../../engine/index.js';
import type { Topology } from '../../../engine/model/definition.js';
import { TestRun, type TestOptions } from '../../../engine/testing/index.js';
import type { Checkpoint } from '../../../engine/worker/messages.js';
import { rebalanced } from '../../conformance/spreading.js';

const STANDBY: TestOptions = { standby: true, firstIncarnation: 1000 };

/** Keeps how many lines it saw, which it tells every second and at the end. */
class Counting extends Bolt {
  static readonly outputs = ['line'] as const;
  static readonly options = { tickEvery: '1s' } as const;
  private count = 0;

  execute(tuple: Tuple, emit: Emit): void {
    this.count++;
    emit([tuple.values[0]]);
  }

  override tick(emit: Emit): void {
    emit([`so far ${this.count}`]);
  }

  override finish(emit: Emit): void {
    emit([`in all ${this.count}`]);
  }
}

function copying(from: string, to: string): Topology {
  return topology('copy', (t) => {
    const lines = t.spout('lines', fileLines({ path: from, follow: true }));
    const counting = t.bolt('counting', Counting).global(lines);
    t.bolt('out', fileSink({ path: to, fsync: false })).global(counting);
  });
}

t.test('a file that is followed and one that is written', async (t) => {
  const folder = t.testdir({ log: 'one\ntwo\n' });
  const log = join(folder, 'log');
  const out = join(folder, 'out.jsonl');
  const written = (): unknown[] =>
    readFileSync(out, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { line: unknown }).line);
  const kept = new Map<string, Checkpoint>();
  const first = await TestRun.start(copying(log, out), {
    onCheckpoint: (checkpoint) => void kept.set(checkpoint.partition, checkpoint),
  });
  t.teardown(() => first.close());
  await first.advance('500ms');
  const second = await TestRun.start(copying(log, out), STANDBY);
  t.teardown(() => second.close());
  await second.advance('10s');
  appendFileSync(log, 'three\n');
  await first.advance(1000);
  await rebalanced(first, first.run.standAside());
  appendFileSync(log, 'four\n');
  await second.run.openSpouts([...kept.values()]);
  await second.advance(600);
  const ended = first.kill({ waitMs: 60_000 });
  await first.advance(100);
  await ended;
  appendFileSync(log, 'five\n');
  await second.advance(600);
  t.strictSame(written(), ['one', 'two', 'three', 'so far 3', 'four', 'in all 3', 'five', 'so far 2']);
  t.equal((await first.completed).status, 'killed');
});

t.test('a port that both listen on', async (t) => {
  const receiving = (port: number): Topology =>
    topology('receive', (t) => {
      t.bolt('counting', Counting).global(t.spout('lines', tcpLines({ port })));
    });
  const first = await TestRun.start(receiving(0), { virtualTime: false });
  t.teardown(() => first.close());
  const portOf = (run: TestRun): number => run.status().components['lines']!.metrics['port'] ?? 0;
  while (portOf(first) === 0) await new Promise((resolve) => setImmediate(resolve));
  const port = portOf(first);
  const standingBy = async (): Promise<TestRun> => {
    const run = await TestRun.start(receiving(port), { ...STANDBY, virtualTime: false });
    t.teardown(() => run.close());
    return run;
  };
  const second = await standingBy();
  const third = await standingBy();
  const say = async (run: TestRun, line: string): Promise<void> => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.end(`${line}\n`);
    while (!run.executed('counting').some(([each]) => each === line)) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.destroy();
  };
  await say(first, 'to the first one');
  await first.run.standAside();
  await second.run.openSpouts([]);
  await say(second, 'to the second one');
  await second.run.standAside();
  await third.run.openSpouts([]);
  await say(third, 'to the third one');
  await third.run.standAside();
  await second.run.comeBack();
  await say(second, 'to the second one again');
  t.strictSame(
    [first, second, third].map((run) => run.executed('counting').length),
    [1, 2, 1],
  );
});
