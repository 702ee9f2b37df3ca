// Tasks whose calls do nothing but throw are started again: on virtual time, which is the only way to wait for minutes.

import t, { type Test } from 'tap';
import { Bolt, Spout, topology, type BoltContext } from 'millrace';
import { TestRun } from 'millrace/testing';
import { failure } from '../../../../engine/errors.js';
import { HOPELESS_WORKERS_MAX, TASK_ERRORS_MAX, TASK_RESTARTS_MAX } from '../../../../engine/limits.js';
import { Numbers, OneByOne, Work } from '../topologies/broken.js';

const url = new URL('../topologies/broken.js', import.meta.url);

async function brokenRun(t: Test, settings: Readonly<Record<string, unknown>>): Promise<TestRun> {
  const run = await TestRun.start(url, { settings });
  t.teardown(() => run.close());
  return run;
}

const starts = ['constructor', 'prepare', 'activate'];
const ends = ['deactivate', 'close'];

/** The codes of a component's errors, each once, in order. */
function codesOf(run: TestRun, component: string): string[] {
  const codes = run.status().errors.flatMap((kept) => (kept.component === component ? [String(kept.error.code)] : []));
  return [...new Set(codes)];
}

for (const how of ['sync', 'async', 'holding']) {
  t.test(`a bolt that only throws is restarted in its place (${how})`, async (t) => {
    const run = await brokenRun(t, { 'work.healsAt': 1, 'work.how': how });
    await run.advance('9s');
    t.strictSame(run.life('work'), starts, 'not before it went on for long enough');
    await run.advance('6s');
    t.strictSame(run.life('work').slice(0, 8), [...starts, ...ends, ...starts]);
    t.equal(new Set(run.acked('numbers')).size, 20, 'then all is handled, also what it held');
    const { workerDeaths, openTrees } = run.status();
    t.equal(workerDeaths, 0);
    t.equal(openTrees, 0);
    t.equal(run.status().components['work']!.restarts, 1);
    t.equal(run.metrics().components['work']!.restarts, 1);
    t.same(new Set(codesOf(run, 'work')), new Set(['MILLRACE_TASK_THREW', 'MILLRACE_TASK_RESTARTED']));
    t.match(
      run.status().errors.find(({ error }) => error.code === 'MILLRACE_TASK_RESTARTED')?.error.message,
      'no target',
    );
    t.equal((await run.completed).status, 'completed');
  });
}

t.test('errors between which something succeeds restart nothing, however many', async (t) => {
  const run = await brokenRun(t, { 'work.healsAt': 1, 'work.how': 'now and then', 'numbers.count': 40 });
  await run.advance('40s');
  t.strictSame(run.life('work'), starts);
  t.ok(run.status().components['work']!.errors > 300);
  t.strictSame(codesOf(run, 'work'), ['MILLRACE_TASK_THREW']);
});

t.test('a few tuples that fail for ever restart nothing', async (t) => {
  const run = await brokenRun(t, { 'work.healsAt': 1, 'numbers.count': 3 });
  await run.advance('45s');
  t.ok(run.status().components['work']!.errors > TASK_ERRORS_MAX);
  t.strictSame(run.life('work'), starts);
  t.equal(run.status().state, 'active');
});

t.test('a spout that only throws goes on at its progress', async (t) => {
  const run = await brokenRun(t, { 'numbers.healsAt': 1 });
  await run.advance('15s');
  t.strictSame(run.life('numbers').filter((call) => call === 'constructor').length, 2);
  t.strictSame(
    run.acked('numbers'),
    Array.from({ length: 20 }, (_, n) => n),
    'each number once',
  );
  t.same(new Set(codesOf(run, 'numbers')), new Set(['MILLRACE_TASK_THREW', 'MILLRACE_TASK_RESTARTED']));
  t.equal((await run.completed).status, 'completed');
});

t.test('a prepare that fails at the restart is tried again', async (t) => {
  const run = await brokenRun(t, { 'work.healsAt': 3, 'work.how': 'prepare' });
  await run.advance('11s');
  await run.advance('8s');
  t.equal(run.life('work').filter((call) => call === 'constructor').length, 4);
  t.equal(run.status().workerDeaths, 0);
  t.equal((await run.completed).status, 'completed');
});

t.test('a call that never settles makes its worker be replaced', async (t) => {
  const run = await brokenRun(t, { 'work.healsAt': 1, 'work.how': 'hang', 'numbers.count': 30 });
  await run.advance('11s');
  await run.advance('8s');
  const { workerDeaths, workerErrors, components } = run.status();
  t.equal(workerDeaths, 1);
  t.strictSame(workerErrors, [], 'the component is to blame');
  t.match(components['work']!.lastErrors[0]!.error, {
    code: 'MILLRACE_WORKER_DIED',
    message: /task 1 of component "work" is to be restarted and has calls that do not settle$/,
  });
  t.equal((await run.completed).status, 'completed');
});

t.test('restarts that do not help: workers are replaced, then the topology ends as failed', async (t) => {
  const warned: string[] = [];
  const ignore = (): void => undefined;
  const logger = { debug: ignore, info: ignore, warn: (line: string) => void warned.push(line), error: ignore };
  const incarnations: number[] = [];
  class Silent extends Spout {
    static readonly outputs = ['n'] as const;

    async nextTuple(): Promise<undefined> {
      return await new Promise(() => undefined);
    }
  }
  class Ticking extends Bolt {
    override prepare(context: BoltContext): void {
      incarnations.push(context.incarnation);
    }

    execute(): void {
      // Nothing comes.
    }

    override tick(): void {
      throw new RangeError('no target');
    }
  }
  const run = await TestRun.start(
    topology('ticking', (t) => {
      t.bolt('work', Ticking, { tickEvery: '100ms' }).shuffle(t.spout('silent', Silent));
    }),
    { logger },
  );
  t.teardown(() => run.close());
  for (let steps = 0; steps < 300 && run.status().workerDeaths === 0; steps++) await run.advance('1s');
  t.strictSame(incarnations.slice(0, TASK_RESTARTS_MAX + 2), [0, 1, 2, 3, 4, 5, 6, 7], 'one for each instance');
  t.match(
    run.status().components['work']!.lastErrors.find(({ error }) => error.code === 'MILLRACE_WORKER_DIED'),
    {
      task: 0,
      error: {
        message: `worker 0 of topology "ticking" died in component "work" (task 0): task 0 of component "work" does nothing but fail, after ${TASK_RESTARTS_MAX} restarts: no target`,
      },
    },
  );
  for (let steps = 0; steps < 80 && run.status().state === 'active'; steps++) await run.advance('10s');
  const outcome = await run.completed;
  t.match(outcome, {
    status: 'failed',
    error: {
      code: 'MILLRACE_TASK_FAILING',
      message: `task 0 of component "work" did nothing but fail, in ${HOPELESS_WORKERS_MAX} workers one after the other: no target`,
      stack: /Ticking\.tick/,
    },
  });
  t.equal(run.status().workerDeaths, HOPELESS_WORKERS_MAX - 1);
  t.equal(new Set(incarnations).size, incarnations.length, 'no incarnation twice');
  t.equal(incarnations.length, HOPELESS_WORKERS_MAX * (TASK_RESTARTS_MAX + 1), 'and no more instances than that');
  t.equal(run.status().components['work']!.restarts, incarnations.length - 1);
  const waits = warned.filter((line) => line.startsWith('work: task 0 of component "work" is restarted'));
  t.equal(waits.length, HOPELESS_WORKERS_MAX * TASK_RESTARTS_MAX);
});

t.test('other tasks of the worker go on', async (t) => {
  let ticks = 0;
  class Beside extends Bolt {
    execute(): void {
      // It acks what it takes.
    }

    override tick(): void {
      ticks++;
    }
  }
  const run = await TestRun.start(
    topology('beside', (t) => {
      const numbers = t.spout('numbers', OneByOne, { config: { count: 20, healsAt: 0 } });
      t.bolt('work', Work, { config: { healsAt: 1, how: 'returns' } }).shuffle(numbers);
      t.bolt('beside', Beside, { tickEvery: '50ms' }).shuffle(numbers);
    }),
  );
  t.teardown(() => run.close());
  for (let steps = 0; steps < 150 && !run.life('work').includes('close'); steps++) await run.advance('100ms');
  t.equal(run.life('work').at(-1), 'close');
  const before = ticks;
  await run.advance('800ms');
  t.equal(run.life('work').at(-1), 'close', 'it waits');
  const { components } = run.status();
  const { queued } = components['work']!;
  t.ok(queued > 10, `as its input does: ${queued}`);
  t.equal(ticks, before + 16, 'another task goes on');
  await run.advance('300ms');
  t.equal(new Set(run.acked('numbers')).size, 20, 'nothing was lost');
  t.equal(run.status().components['beside']!.restarts, 0);
  t.equal(run.life('beside').filter((call) => call === 'constructor').length, 1);
});

t.test('an `endBatch` that only throws restarts its bolt', async (t) => {
  class Sink extends Bolt {
    private context!: BoltContext;

    override prepare(context: BoltContext): void {
      this.context = context;
    }

    execute(): void {
      // Waits for its batch.
    }

    override async endBatch(): Promise<void> {
      await Promise.resolve();
      if (this.context.incarnation === 0) throw new RangeError('no target');
    }
  }
  const run = await TestRun.start(
    topology('batches', (t) => {
      const numbers = t.spout('numbers', OneByOne, { config: { count: 20, healsAt: 0 } });
      t.bolt('work', Sink).shuffle(numbers);
    }),
  );
  t.teardown(() => run.close());
  await run.advance('20s');
  t.equal(run.status().components['work']!.restarts, 1);
  t.equal((await run.completed).status, 'completed');
  t.equal(new Set(run.acked('numbers')).size, 20);
});

t.test('an error that no replay can help, in the `prepare` of a restart, ends the topology', async (t) => {
  class Gone extends Bolt {
    override prepare(context: BoltContext): void {
      if (context.incarnation > 0) throw failure('MILLRACE_TASK_FAILED_TUPLE', about, { fatal: true });
    }

    execute(): void {
      throw new RangeError('no target');
    }
  }
  const about = { component: 'work', reason: 'the table is gone' };
  const run = await TestRun.start(
    topology('gone', (t) => {
      const numbers = t.spout('numbers', Numbers, { config: { count: 20, healsAt: 0 } });
      t.bolt('work', Gone).shuffle(numbers);
    }),
  );
  t.teardown(() => run.close());
  for (let steps = 0; steps < 6 && run.status().state !== 'failed'; steps++) await run.advance('5s');
  t.match(await run.completed, { status: 'failed', error: { message: /the table is gone/ } });
});
