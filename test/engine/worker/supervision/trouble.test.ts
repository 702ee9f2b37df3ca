// What user code can do to its worker, on real threads: each ends in a worker that is replaced, an error that names the
// component, and every number handled all the same.

import t, { type Test } from 'tap';
import { WORKER_DEATHS_MAX } from '../../../../engine/limits.js';
import { faultyRun, numbersIn, runFaulty, type Ended, type Faulty } from './faulty.js';

const TUPLES = 50;

interface Expected {
  readonly component?: string;
  readonly task?: number;
  readonly code: string;
  readonly message: RegExp;
  readonly stack?: RegExp;
}

function recovered(t: Test, { outcome, status, lines }: Ended, expected: Expected, deaths = 1): void {
  const { component = 'work', task = 2, code, message, stack } = expected;
  t.strictSame(outcome, { status: 'completed', error: null });
  t.strictSame(
    numbersIn(lines),
    Array.from({ length: TUPLES }, (_, n) => n),
    'every number was handled',
  );
  t.equal(status.workerDeaths, deaths);
  const [kept] = status.components[component]!.lastErrors.slice(-1);
  t.match(kept, { component, task, error: { code, message } });
  if (stack !== undefined) t.match(kept?.error.stack, stack, 'with the place in the source of the user');
}

const inWork = (text: string): RegExp => new RegExp(`^worker \\d of topology "faulty" ${text}`);

async function recovers(t: Test, faulty: Faulty, expected: Expected, deaths = 1): Promise<void> {
  recovered(t, await runFaulty({ tuples: TUPLES, ...faulty }), expected, deaths);
}

for (const workers of [1, 2]) {
  const on = `(${workers === 1 ? 'called directly by the spout' : 'on two workers'})`;
  t.test(`a bolt that spins ${on}`, (t) =>
    recovers(
      t,
      { trouble: 'spin', workers, settings: { stallTimeout: 1000 } },
      {
        code: 'MILLRACE_WORKER_STALLED',
        message: inWork('did not let go of its thread for 1.* s in component "work" \\(task 2\\)$'),
        stack: /^\s+at [^]*spin .*faulty\.ts:\d+:\d+\)?\s+at Work\.misbehave .*faulty\.ts/,
      },
    ),
  );

  t.test(`a bolt that exits ${on}`, (t) =>
    recovers(
      t,
      { trouble: 'exit', workers },
      {
        code: 'MILLRACE_WORKER_DIED',
        message: inWork('died in component "work" \\(task 2\\): process\\.exit\\(3\\) was called$'),
        stack: /at Work\.misbehave .*faulty\.ts/,
      },
    ),
  );

  t.test(`a bolt that fills the heap ${on}`, (t) =>
    recovers(
      t,
      { trouble: 'heap', workers, settings: { workerHeapMb: 48 } },
      {
        code: 'MILLRACE_WORKER_HEAP',
        message: inWork('used up its heap of 48 MB in component "work" \\(task 2\\)$'),
      },
    ),
  );
}

t.test('a spout that spins', (t) =>
  recovers(
    t,
    { trouble: 'spin-in-spout', settings: { stallTimeout: 1000 }, workers: 1 },
    {
      component: 'numbers',
      task: 0,
      code: 'MILLRACE_WORKER_STALLED',
      message: inWork('did not let go of its thread for 1.* s in component "numbers" \\(task 0\\)$'),
      stack: /at Numbers\.nextTuple .*faulty\.ts/,
    },
  ),
);

t.test('a timer that spins: the stack says where', async (t) => {
  const { outcome, status } = await runFaulty({ trouble: 'spin-later', settings: { stallTimeout: 1000 } });
  t.equal(outcome.status, 'completed');
  t.match(status.errors, [{ component: '(worker)', error: { code: 'MILLRACE_WORKER_STALLED' } }]);
  t.match(status.errors[0]?.error.stack, /at (Timeout\.)?spin .*faulty\.ts/);
});

t.test('a prepare that spins in the replacement', (t) =>
  recovers(
    t,
    { trouble: 'spin-in-prepare', settings: { stallTimeout: 1000 } },
    { code: 'MILLRACE_WORKER_DIED', message: inWork('died in component "work"') },
    2,
  ),
);

t.test('a prepare that fails in the replacements is tried again', (t) =>
  recovers(
    t,
    { trouble: 'prepare', times: 3 },
    { code: 'MILLRACE_WORKER_DIED', message: inWork('died in component "work"') },
    4,
  ),
);

t.test('a bolt whose timer throws', (t) =>
  recovers(
    t,
    { trouble: 'timer', workers: 3 },
    {
      code: 'MILLRACE_WORKER_DIED',
      message: inWork('died in component "work" \\(task 2\\): in a timer$'),
      stack: /RangeError: in a timer\n\s+at .*faulty\.ts/,
    },
  ),
);

t.test('a bolt that leaves a promise rejected: the stack names its class', (t) =>
  recovers(
    t,
    { trouble: 'rejection' },
    {
      code: 'MILLRACE_WORKER_DIED',
      message: inWork('died in component "work" \\(task 2\\): nobody caught me$'),
      stack: /RangeError: nobody caught me\n\s+at Work\.misbehave .*faulty\.ts/,
    },
  ),
);

t.test('a bolt that keeps buffers, a few at a time', async (t) => {
  const { outcome, status } = await runFaulty({ trouble: 'buffers', settings: { workerBuffersMb: 64 } });
  t.equal(outcome.status, 'completed');
  t.match(status.errors, [{ error: { code: 'MILLRACE_WORKER_BUFFERS' } }]);
  t.match(status.errors[0]?.error.message, inWork('held \\d+ MB in buffers.*, and may have 64$'));
});

t.test('a bolt that keeps buffers in one call that never ends', (t) =>
  recovers(
    t,
    { trouble: 'buffers-at-once', settings: { workerBuffersMb: 200, stallTimeout: null } },
    {
      code: 'MILLRACE_WORKER_BUFFERS',
      message: inWork('held \\d+ MB in buffers in component "work" \\(task 2\\), and may have 200$'),
      stack: /at Work\.misbehave .*faulty\.ts/,
    },
  ),
);

t.test('a module that loads no more ends its topology, after some waits', async (t) => {
  const folder = t.testdir({ state: 'whole' });
  const { outcome, status } = await runFaulty({
    trouble: 'load',
    loads: `${folder}/state`,
    printed: () => t.testdir({ state: 'broken' }),
    speed: 20,
  });
  t.match(outcome, {
    status: 'failed',
    error: {
      code: 'MILLRACE_WORKER_FAILING',
      message: /the module of topology "faulty" failed to load in a worker: a file that it needs is gone$/,
    },
  });
  t.equal(status.workerDeaths, WORKER_DEATHS_MAX + 1);
  t.match(status.errors.at(-1), { error: { code: 'MILLRACE_WORKER_DIED' } });
});

t.test('a topology whose worker always dies fails with the component as its reason', async (t) => {
  const { outcome, status } = await runFaulty({ trouble: 'exit', times: 1e9, speed: 20 });
  t.match(outcome, {
    status: 'failed',
    error: { code: 'MILLRACE_WORKER_FAILING', message: /died in component "work" \(task 2\): process\.exit\(3\)/ },
  });
  t.equal(status.state, 'failed');
});

t.test('an operator may kill workers as often as he likes', async (t) => {
  const kills = 3 * WORKER_DEATHS_MAX;
  let killed = 0;
  const run = await faultyRun({
    tuples: 1e9,
    printed: (_line, each) => {
      if (killed > each.status().workerDeaths || killed >= kills) return;
      void each.crashWorker(killed++ % 2);
    },
  });
  await run.start();
  while (run.status().workerDeaths < kills && run.status().state === 'active') {
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.match(run.status(), { state: 'active', workerDeaths: kills });
  await run.kill();
});
