// What tests of rebalances do with the topology `spreading`: let virtual time pass until something holds, and look
// whether everything was handled once.

import type { TestRun } from 'millrace/testing';
import { topologyUrl, type Test } from './transports.js';

export const spreading = topologyUrl('spreading');
/** All its records. */
export const ALL = 8 * 120;

/** Runs until that holds, or for a while of virtual time. */
export async function advanceUntil(run: TestRun, holds: () => boolean, stepMs = 10): Promise<void> {
  for (let steps = 0; steps < 3000 && !holds(); steps++) await run.advance(stepMs);
}

export async function rebalance(run: TestRun, change: Parameters<TestRun['rebalance']>[0]): Promise<void> {
  await rebalanced(run, run.rebalance(change));
}

/** Everything was handled once; each task of a bolt has what it got of one partition and key in order. */
export function checkAll(t: Test, run: TestRun): void {
  const acked = run.acked('records');
  t.equal(acked.length, ALL);
  t.equal(new Set(acked).size, ALL, 'each record is acked once');
  t.strictSame(run.failed('records'), []);
  for (const bolt of ['owner', 'sink', 'refusing']) {
    const seen = run.executed(bolt).map(([partition, seq]) => `${partition as string}/${seq as number}`);
    t.equal(seen.length, ALL, `${bolt} takes each record once`);
    t.equal(new Set(seen).size, ALL);
  }
  const last = new Map<string, number>();
  let disorder = 0;
  for (const { task, values } of run.of('executed', 'owner')) {
    const [partition, seq, key] = values as [string, number, string];
    const way = `${task} ${partition} ${key}`;
    if (seq <= (last.get(way) ?? -1)) disorder++;
    last.set(way, seq);
  }
  t.equal(disorder, 0, 'in order for each sender and key');
}

/** Lets time pass until a rebalance is over. */
export async function rebalanced(run: TestRun, done: Promise<void>, stepMs = 10): Promise<void> {
  let over = false;
  const ended = done.finally(() => (over = true));
  ended.catch(() => undefined);
  await advanceUntil(run, () => over, stepMs);
  await ended;
}
