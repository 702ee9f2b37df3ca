// A cycle is rebalanced under load: what goes round is led on by new tasks, feedback too, and none of it is lost (C50).

import { tmpdir } from 'node:os';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { TestRun } from 'millrace/testing';
import { advanceUntil } from './spreading.js';
import { topologyUrl, transports, spread, type Transport } from './transports.js';

const COUNT = 120;
const ROUNDS = 6;

const changes = [
  { parallelism: { first: 4, second: 3 } },
  { workers: 3, parallelism: { second: 5 } },
  { workers: 1, parallelism: { first: 1 } },
  { workers: 2, parallelism: { first: 3, second: 1 } },
];

async function circling(t: Test, { workers, threads, links }: Transport) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-circling-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const directories = ['numbers', 'keeper', 'first', 'second'].map((id) => [`${id}.directory`, directory] as const);
  const settings = { ...spread, ...Object.fromEntries(directories) };
  const run = await TestRun.start(topologyUrl('circling'), { workers, threads, links, settings });
  t.teardown(() => run.close());
  const until = async (least: number): Promise<void> => {
    while (run.executed('second').length < least) await new Promise((resolve) => setImmediate(resolve));
  };
  return { run, until, allow: (what: 'go' | 'end') => writeFileSync(join(directory, what), '') };
}

async function checkEnd(t: Test, run: TestRun): Promise<void> {
  await advanceUntil(run, () => run.status().state !== 'active');
  t.equal((await run.completed).status, 'completed');
  const { first, second, numbers } = run.status().components;
  t.equal(first!.errors + second!.errors, 0, 'no key in two tasks at once');
  t.equal(numbers!.failed, 0);
  t.equal(numbers!.acked, COUNT);
  t.equal(first!.executed, COUNT * ROUNDS);
  t.equal(second!.executed, COUNT * ROUNDS);
  const out = run.executed('out').map(([id]) => id as number);
  t.strictSame(
    out.sort((a, b) => a - b),
    Array.from({ length: COUNT }, (_, id) => id),
    'each comes out once',
  );
}

for (const transport of transports) {
  const { name } = transport;

  void t.test(
    `C50 tasks of a cycle come and go under load: nothing is lost, no key in two tasks (${name})`,
    async (t) => {
      const { run, until, allow } = await circling(t, transport);
      for (const [at, change] of changes.entries()) {
        await until(((at + 1) * COUNT * ROUNDS) / 8);
        await run.rebalance(change);
      }
      allow('go');
      allow('end');
      await checkEnd(t, run);
    },
  );

  void t.test(
    `C50 tasks of a cycle that has come to its end come and go: it ends all the same (${name})`,
    async (t) => {
      const { run, until, allow } = await circling(t, transport);
      await run.rebalance(changes[0]!);
      allow('go');
      await until(COUNT * ROUNDS);
      const hasEnded = (id: string): boolean => run.metrics().components[id]!.condition.state === 'ended';
      await advanceUntil(run, () => hasEnded('first') && hasEnded('second'));
      for (const change of changes.slice(1)) await run.rebalance(change);
      allow('end');
      await checkEnd(t, run);
    },
  );
}
