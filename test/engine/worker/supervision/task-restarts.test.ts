// Tasks whose calls do nothing but throw are started again: on virtual time, which is the only way to wait for minutes.

import t, { type Test } from 'tap';
import { TestRun } from 'millrace/testing';
import { TASK_ERRORS_MAX, TASK_RESTARTS_MAX } from '../../../../engine/limits.js';

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
    t.same(new Set(codesOf(run, 'work')), new Set(['MILLRACE_TASK_THREW', 'MILLRACE_TASK_RESTARTED']));
    t.match(run.status().errors.find(({ error }) => error.code === 'MILLRACE_TASK_RESTARTED')?.error.message, 'no target');
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

t.test('a task that restarts do not help has its worker replaced', async (t) => {
  const run = await brokenRun(t, { 'work.healsAt': TASK_RESTARTS_MAX + 1 });
  for (let steps = 0; steps < 60 && run.status().workerDeaths === 0; steps++) await run.advance('1s');
  const { workerDeaths, components } = run.status();
  t.equal(workerDeaths, 1);
  t.match(components['work']!.lastErrors.find(({ error }) => error.code === 'MILLRACE_WORKER_DIED'), {
    task: 1,
    error: {
      message: `worker 0 of topology "broken" died in component "work" (task 1): task 1 of component "work" still throws after ${TASK_RESTARTS_MAX} restarts: task 1 of component "work" threw`,
    },
  });
  await run.advance('5s');
  t.equal((await run.completed).status, 'completed', 'the incarnation of the new worker is the next one');
});

t.test('a call that never settles makes its worker be replaced', async (t) => {
  const run = await brokenRun(t, { 'work.healsAt': 1, 'work.how': 'hang', 'numbers.count': 30 });
  await run.advance('11s');
  await run.advance('8s');
  t.equal(run.status().workerDeaths, 1);
  t.equal((await run.completed).status, 'completed');
});
