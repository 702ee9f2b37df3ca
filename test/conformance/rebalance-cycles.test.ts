// A cycle is rebalanced under load: what goes round is led on by new tasks, feedback too, and none of it is lost (C50).

import { tmpdir } from 'node:os';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { TestRun } from 'millrace/testing';
import { advanceUntil } from './spreading.js';
import { topologyUrl, transports } from './transports.js';

const COUNT = 300;
const ROUNDS = 6;

for (const { name, workers, threads, links } of transports) {
  void t.test(
    `C50 tasks of a cycle come and go under load: nothing is lost, no key in two tasks (${name})`,
    async (t) => {
      const directory = mkdtempSync(join(tmpdir(), 'millrace-circling-'));
      t.teardown(() => rmSync(directory, { recursive: true }));
      const settings = { 'first.directory': directory, 'second.directory': directory };
      const run = await TestRun.start(topologyUrl('circling'), { workers, threads, links, settings });
      t.teardown(() => run.close());
      const taken = (): number => run.executed('second').length;
      const changes = [
        { parallelism: { first: 4, second: 3 } },
        { workers: 3, parallelism: { second: 5 } },
        { workers: 1, parallelism: { first: 1 } },
        { workers: 2, parallelism: { first: 3, second: 1 } },
      ];
      for (const [at, change] of changes.entries()) {
        const least = ((at + 1) * COUNT * ROUNDS) / 8;
        while (taken() < least) await new Promise((resolve) => setImmediate(resolve));
        await run.rebalance(change);
      }
      t.ok(taken() < COUNT * ROUNDS, 'it went round meanwhile');
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
    },
  );
}
