// Topologies on real threads: how they start, end, and get over what happens to their workers.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { isMillraceError } from '../../../engine/errors.js';
import { WORKER_DEATHS_MAX } from '../../../engine/limits.js';
import { numbersIn, runOf, runToEnd, type Ended, type Trouble } from './trouble.js';

const TUPLES = 200;

/** Everything was handled, whatever happened on the way. */
function isComplete(t: Test, { outcome, status, lines }: Ended): void {
  t.strictSame(outcome, { status: 'completed', error: null });
  t.strictSame(
    numbersIn(lines),
    Array.from({ length: TUPLES }, (_, n) => n),
    'every tuple was executed',
  );
  t.equal(status.state, 'completed');
  t.equal(status.openTrees, 0);
  for (const [id, { queued, outbox }] of Object.entries(status.components)) {
    t.equal(queued, 0, `nothing waits in mailboxes of ${id}`);
    t.equal(outbox, 0, `nothing waits for credit of ${id}`);
  }
}

t.test('C117 it starts, completes, and its counts stay readable', async (t) => {
  const ended = await runToEnd({});
  isComplete(t, ended);
  t.match(ended.status.components, {
    numbers: { kind: 'spout', parallelism: 1, emitted: TUPLES, acked: TUPLES, failed: 0 },
    work: { kind: 'bolt', parallelism: 2, executed: TUPLES, acked: TUPLES, failed: 0 },
  });
  t.equal(ended.status.workerDeaths, 0);
  t.equal(ended.status.completeLatency.count, TUPLES);
});

t.test('with the smallest limits everything still gets through', async (t) => {
  const ended = await runToEnd({
    limits: {
      batchTuplesMax: 1,
      batchBytesMax: 1,
      mailboxTuplesMax: 1,
      mailboxBytesMax: 1,
      channelReserveTuples: 0,
      channelReserveBytes: 0,
      linkSharedTuples: 0,
      linkSharedBytes: 0,
      openRootsMax: 2,
      sparseRootsMax: 1,
      sliceTuplesMax: 1,
      directDepthMax: 1,
    },
  });
  isComplete(t, ended);
});

async function startFails(t: Test, trouble: Trouble, code: string, message: RegExp): Promise<void> {
  const run = await runOf(trouble);
  const error: unknown = await run.start().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  t.ok(isMillraceError(error));
  t.match(error, { code, message });
  t.match(await run.completed, { status: 'failed', error: { code } });
  t.equal(run.status().state, 'failed');
}

t.test('a module that throws in a worker', (t) =>
  startFails(t, { trouble: 'import' }, 'MILLRACE_WORKER_MODULE', /"trouble".*not in this thread/),
);

t.test('a module that exports something else in a worker', (t) =>
  startFails(t, { trouble: 'export' }, 'MILLRACE_DEFINITION_EXPORT', /a text/),
);

t.test('a module that defines something else in a worker', (t) =>
  startFails(t, { trouble: 'definition' }, 'MILLRACE_WORKER_DEFINITION', /another definition of topology "trouble"/),
);

t.test('an open that throws', (t) =>
  startFails(t, { trouble: 'open' }, 'MILLRACE_WORKER_START', /open of component "numbers" failed: no such place/),
);

t.test('an activate that throws ends the topology with its error', async (t) => {
  const run = await runOf({ trouble: 'activate' });
  await run.start().catch(() => undefined);
  t.match(await run.completed, {
    status: 'failed',
    error: { code: 'MILLRACE_WORKER_START', message: /activate of component "work" failed: not now/ },
  });
});

for (const [worker, what] of [
  [1, 'a bolt'],
  [0, 'the spout'],
] as const) {
  t.test(`C114 C121 the worker of ${what} is killed: it is replaced, and nothing is lost`, async (t) => {
    let crashed = 0;
    let crashedMs = 0;
    let replayedMs = 0;
    const ended = await runToEnd(
      { trouble: 'hang', index: worker },
      {
        printed: (line, run) => {
          if (line.startsWith('replays') && replayedMs === 0) replayedMs = performance.now();
          if (!line.startsWith('hangs') || crashed++ > 0) return;
          crashedMs = performance.now();
          void run.crashWorker(worker);
        },
      },
    );
    if (replayedMs > 0) {
      t.comment(`${Math.round(replayedMs - crashedMs)} ms from the death to the first replay (the goal is 1000)`);
    }
    isComplete(t, ended);
    t.equal(ended.status.workerDeaths, 1);
    t.match(ended.status.errors, [
      { error: { code: 'MILLRACE_WORKER_DIED', message: new RegExp(`worker ${worker} `) } },
    ]);
  });
}

t.test('one worker after the other is killed, the second while the first is replaced', async (t) => {
  let crashed = 0;
  // With little credit tuples wait in outboxes when the workers die.
  const limits = { channelReserveTuples: 1, linkSharedTuples: 2 };
  const ended = await runToEnd(
    { trouble: 'hang', limits },
    {
      printed: (line, run) => {
        if (!line.startsWith('hangs') || crashed++ > 0) return;
        void run.crashWorker(1);
        void run.crashWorker(0);
      },
    },
  );
  isComplete(t, ended);
  t.equal(ended.status.workerDeaths, 2);
});

for (const trouble of ['exit', 'timer', 'rejection']) {
  t.test(`a worker whose code causes ${trouble} is replaced`, async (t) => {
    const ended = await runToEnd({ trouble });
    isComplete(t, ended);
    t.equal(ended.status.workerDeaths, 1);
  });
}

t.test('what is thrown may be anything: the tuple fails and the worker lives', async (t) => {
  const run = await runOf({ trouble: 'throw', index: 0, tuples: 4 });
  const failed = new Promise<void>((resolve) => {
    const look = (): void => {
      if (run.status().components['work']!.failed > 0) resolve();
      else setImmediate(look);
    };
    look();
  });
  await run.start();
  await failed;
  await run.kill();
  t.equal(run.status().workerDeaths, 0);
  t.match(run.status().errors[0], { component: 'work', error: { code: 'MILLRACE_TASK_THREW' } });
});

t.test('a worker that dies again and again ends the topology', async (t) => {
  const { outcome, status } = await runToEnd({ trouble: 'exit', always: true });
  t.match(outcome, { status: 'failed', error: { code: 'MILLRACE_WORKER_FAILING' } });
  t.equal(status.workerDeaths, WORKER_DEATHS_MAX + 1);
  t.equal(status.state, 'failed');
});

t.test('C118 kill ends it at once, as often as it is asked for', async (t) => {
  const run = await runOf({ tuples: 1e9 });
  await run.start();
  await Promise.all([run.kill(), run.kill()]);
  t.strictSame(await run.completed, { status: 'killed', error: null });
  await run.kill();
  t.equal(run.status().state, 'killed');
});

t.test('kill while it starts', async (t) => {
  const run = await runOf({});
  const started = run.start();
  void run.kill();
  await t.rejects(started, { code: 'MILLRACE_RUN_KILLED' });
  t.strictSame(await run.completed, { status: 'killed', error: null });
});

t.test('C40 deactivated while it starts, it starts inactive', async (t) => {
  const run = await runOf({});
  const started = run.start();
  const deactivated = run.deactivate();
  await started;
  await deactivated;
  t.match(run.status(), { state: 'inactive', components: { numbers: { emitted: 0 } } });
  const again = run.activate();
  t.equal(run.status().state, 'active');
  await again;
  t.strictSame(await run.completed, { status: 'completed', error: null });
  t.equal(run.status().components['numbers']!.emitted, TUPLES);
});

t.test('who waits for a switch of the spouts is let go when all is over', async (t) => {
  const run = await runOf({});
  const deactivated = run.deactivate();
  const started = run.start();
  const activated = run.activate();
  const killed = run.kill({ waitMs: 60_000 });
  await t.rejects(started, { code: 'MILLRACE_RUN_KILLED' });
  await Promise.all([deactivated, activated, killed]);
  await run.deactivate();
  t.equal(run.status().state, 'killed');
});

t.test('C118 drain: the spout stops, what is under way is handled', async (t) => {
  const { outcome, status } = await runToEnd({ tuples: 1e9 }, { started: (run) => run.drain() });
  t.strictSame(outcome, { status: 'killed', error: null });
  const { numbers, work } = status.components;
  t.equal(numbers!.acked, numbers!.emitted);
  t.equal(work!.executed, numbers!.emitted);
  t.equal(status.openTrees, 0);
});

t.test('no thread or port holds the process when all is over', async (t) => {
  const script = fileURLToPath(new URL('./exits.js', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (part: string) => (text[name] += part));
  }
  t.teardown(() => child.kill('SIGKILL'));
  const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve));
  t.equal(text.stderr, '');
  t.equal(text.stdout, 'completed killed killed completed MILLRACE_RUN_KILLED MILLRACE_WORKER_START');
  t.equal(exitCode, 0);
});
