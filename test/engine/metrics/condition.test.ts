// What a task does, or what keeps it from it, in one line.

import t from 'tap';
import { conditionOf, worstOf, type Condition, type TaskFacts } from '../../../engine/metrics/condition.js';

const IDLE: TaskFacts = {
  kind: 'bolt',
  runState: 'active',
  ended: false,
  broken: false,
  blocker: null,
  blockedNow: false,
  stalled: 0,
  waitsForAcksNow: false,
  waitedForAcks: 0,
  openTrees: 0,
  openTreesMax: 1000,
  calls: 0,
  concurrency: 1,
  callsShare: 0,
  busy: 0,
  workerBusy: 0,
  worker: 2,
  queued: 0,
  queueFill: 0,
  perSecond: 0,
  windowSeconds: 9.6,
};

const cases: readonly (readonly [Partial<TaskFacts>, Condition['state'], string])[] = [
  [{}, 'idle', 'idle: no input'],
  [{ kind: 'spout' }, 'idle', 'idle: has nothing to emit'],
  [{ perSecond: 1234.4, busy: 0.124 }, 'flowing', 'executes 1,234 a second, busy 12 %'],
  [{ kind: 'spout', perSecond: 0.1 }, 'flowing', 'emits 0.10 a second, busy 0 %'],
  [{ busy: 0.98, perSecond: 5 }, 'busy', 'busy 98 %'],
  [
    { queued: 912, queueFill: 0.9, busy: 0.34, workerBusy: 0.99, perSecond: 5 },
    'backlogged',
    '912 tuples wait: worker 2 is busy 99 %, 34 % of it here',
  ],
  [{ queued: 1, workerBusy: 1 }, 'backlogged', '1 tuples wait: worker 2 is busy 100 %, 0 % of it here'],
  [{ kind: 'spout', queued: 3, perSecond: 2 }, 'flowing', 'emits 2.0 a second, busy 0 %'],
  [
    { blocker: 'count#1 (its mailbox is full)', stalled: 0.97, perSecond: 9, busy: 0.9 },
    'blocked',
    'blocked by count#1 (its mailbox is full), 97 % of the last 10 s',
  ],
  [{ blocker: 'count#1 (no credit left)', stalled: 0.49, perSecond: 9 }, 'flowing', 'executes 9.0 a second, busy 0 %'],
  [
    { blocker: 'count#1 (no credit left)', stalled: 0.1, blockedNow: true, windowSeconds: 0.2 },
    'blocked',
    'blocked by count#1 (no credit left), 10 % of the last second',
  ],
  [
    { kind: 'spout', waitedForAcks: 0.93, openTrees: 10_000, openTreesMax: 10_000, perSecond: 70 },
    'waiting-for-acks',
    'waits for acks, 93 % of the last 10 s: 10,000 of 10,000 trees open',
  ],
  [
    { kind: 'spout', waitsForAcksNow: true, openTrees: 1 },
    'waiting-for-acks',
    'waits for acks, 0 % of the last 10 s: 1 of 1,000 trees open',
  ],
  [{ callsShare: 0.96, calls: 8, concurrency: 8, perSecond: 3 }, 'calls-full', 'waits for its calls: 8 of 8 under way'],
  [{ callsShare: 0.5, calls: 8, concurrency: 8, perSecond: 0 }, 'calls-full', 'waits for its calls: 8 of 8 under way'],
  [{ callsShare: 0.5, calls: 8, concurrency: 8, perSecond: 4 }, 'flowing', 'executes 4.0 a second, busy 0 %'],
  [{ broken: true, ended: true }, 'broken', 'gave up after an error that no replay can help'],
  [{ ended: true, busy: 1 }, 'ended', 'ended'],
  [{ ended: true, kind: 'spout' }, 'ended', 'ended: nothing more comes'],
  [{ runState: 'starting' }, 'starting', 'starting: not all tasks are prepared'],
  [{ runState: 'inactive', kind: 'spout' }, 'inactive', 'deactivated'],
  [{ runState: 'inactive' }, 'idle', 'idle: no input'],
  [{ runState: 'failed', busy: 1 }, 'ended', 'ended'],
];

for (const [facts, state, text] of cases) {
  t.test(`${JSON.stringify(facts)}: ${text}`, async (t) => {
    t.strictSame(conditionOf({ ...IDLE, ...facts }), { state, text });
  });
}

t.test('a component is as the worst of its tasks', async (t) => {
  const busy: Condition = { state: 'busy', text: 'busy 98 %' };
  const idle: Condition = { state: 'idle', text: 'idle: no input' };
  const blocked: Condition = { state: 'blocked', text: 'blocked by a#0' };
  t.strictSame(worstOf([busy]), busy);
  t.strictSame(worstOf([idle, busy, blocked, busy]), { state: 'blocked', text: '1 of 4 tasks: blocked by a#0' });
  t.strictSame(worstOf([idle, busy, busy]), { state: 'busy', text: '2 of 3 tasks: busy 98 %' });
  t.match(worstOf([]), { state: 'ended' });
});
