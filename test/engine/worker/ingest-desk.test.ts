// The supervisor's side of records from outside: bounds, workers that come and go, callers that leave.

import t from 'tap';
import { INGEST_PENDING_MAX } from '../../../engine/limits.js';
import { unpack } from '../../../engine/codec/pack.js';
import type { TopologyDescription } from '../../../engine/model/describe.js';
import { planTasks } from '../../../engine/plan/plan.js';
import { IngestDesk, type IngestHost } from '../../../engine/worker/ingest-desk.js';
import type { IngestRecord } from '../../../engine/worker/messages.js';
import { defaultConfig } from '../../../engine/model/config.js';

const spout = (id: string, parallelism: number) =>
  ({ kind: 'spout', id, parallelism, outputs: { default: ['n'] }, config: {} }) as const;

const description: TopologyDescription = {
  name: 'desk',
  version: null,
  config: { ...defaultConfig, workers: 2, messageTimeoutMs: 1000, keyGroups: 1024 },
  components: [spout('records', 2), spout('other', 1)],
};

/** A desk over workers that the test plays. */
function deskOf() {
  const posted: { readonly worker: number; readonly records: readonly IngestRecord[] }[] = [];
  const started = new Set<number>();
  const host: { -readonly [K in keyof IngestHost]: IngestHost[K] } = {
    state: 'starting',
    isStarted: (worker) => started.has(worker),
    post: (worker, records) => posted.push({ worker, records }),
    now: () => 0,
    errorBelow: (component, sinceMs) => `what "${component}" caused since ${sinceMs}`,
  };
  const desk = new IngestDesk(description, planTasks(description, 2), host);
  const start = (): void => {
    for (const worker of [0, 1]) started.add(worker);
    desk.prepared([0]);
    desk.prepared([1]);
    host.state = 'active';
    desk.open();
  };
  /** Gives a record; how that ended: `done` or the code of its error. */
  const give = (spout: string, n: unknown, signal?: AbortSignal): Promise<string> =>
    desk.ingest(spout, [n], signal).then(() => 'done', codeOf);
  return { desk, host, posted, started, start, give };
}

const codeOf = (thrown: unknown): string => (thrown as { code?: string }).code ?? String(thrown);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test('what is given in one turn goes to each worker in one message, tasks in turn', async (t) => {
  const { desk, posted, start } = deskOf();
  start();
  const calls = [1, 2, 3, 4, 5].map((n) => desk.ingest('records', [n], undefined));
  await turn();
  await turn();
  t.equal(posted.length, 2);
  t.strictSame(
    posted.map(({ worker, records }) => [worker, records.map(({ packed }) => unpack(packed))]),
    [
      [0, [[1], [3], [5]]],
      [1, [[2], [4]]],
    ],
  );
  const numbers = posted.flatMap(({ records }) => records.map(({ call }) => call));
  const [one, two, three, four, five] = numbers as [number, number, number, number, number];
  desk.answered(
    [one, four, 999],
    [
      { call: two, outcome: 'failed', reason: null },
      { call: three, outcome: 'failed', reason: 'odd' },
      { call: five, outcome: 'timeout', reason: null },
      { call: one, outcome: 'failed', reason: null },
    ],
  );
  t.strictSame(
    (await Promise.allSettled(calls)).map((each) => (each.status === 'fulfilled' ? 'done' : String(each.reason))),
    [
      'done',
      'done',
      'MillraceError: the tuple tree of a record for spout "records" failed: what "records" caused since 0',
      'MillraceError: the tuple tree of a record for spout "records" was not done within the message timeout',
      'MillraceError: the tuple tree of a record for spout "records" failed: odd',
    ],
  );
});

t.test('records given while it starts wait for it', async (t) => {
  const { desk, give, posted, start } = deskOf();
  const calls = [give('records', 1), give('other', 1)];
  await turn();
  t.equal(posted.length, 0);
  start();
  await turn();
  await turn();
  t.equal(posted.length, 1);
  desk.answered([posted[0]!.records[0]!.call], []);
  t.strictSame(await Promise.all(calls), ['done', 'MILLRACE_INGEST_SPOUT']);
});

t.test('no more wait than the bound says: while it starts, and for each spout', async (t) => {
  const { desk, give, host, posted, start } = deskOf();
  const early = Array.from({ length: INGEST_PENDING_MAX + 1 }, () => give('records', 1));
  t.equal(await early.pop(), 'MILLRACE_INGEST_FULL');
  start();
  await turn();
  await turn();
  t.equal(await give('records', 1), 'MILLRACE_INGEST_FULL');
  desk.answered([posted[0]!.records[0]!.call], []);
  const again = give('records', 1);
  await turn();
  host.state = 'ending';
  desk.end();
  const ended = await Promise.all([...early, again]);
  t.equal(ended.filter((each) => each === 'done').length, 1);
  t.equal(ended.filter((each) => each === 'MILLRACE_INGEST_ENDED').length, INGEST_PENDING_MAX);
});

t.test('the bytes that wait are bounded too', async (t) => {
  const { desk, give, start } = deskOf();
  start();
  const text = 'x'.repeat(2_000_000);
  const calls = Array.from({ length: 40 }, () => give('records', text));
  const ended = Promise.all(calls);
  await turn();
  desk.end();
  const full = (await ended).filter((each) => each === 'MILLRACE_INGEST_FULL').length;
  t.ok(full >= 5 && full <= 8, `${full} of 40 times 2 MB do not fit into 64 MB`);
});

t.test('a dead worker loses what it was given; what was not given yet goes elsewhere', async (t) => {
  const { desk, give, posted, started, start } = deskOf();
  start();
  const given = [1, 2].map((n) => give('records', n));
  await turn();
  await turn();
  const later = [3, 4].map((n) => give('records', n));
  await Promise.resolve();
  started.delete(0);
  desk.workerDied(0);
  t.strictSame(await Promise.all(given.slice(0, 1)), ['MILLRACE_INGEST_LOST']);
  await turn();
  await turn();
  t.strictSame(
    posted.slice(2).map(({ worker, records }) => [worker, records.length]),
    [[1, 2]],
  );
  started.delete(1);
  desk.workerDied(1);
  const held = give('records', 5);
  await turn();
  t.equal(posted.length, 3);
  started.add(0);
  desk.workerStarted();
  await turn();
  t.equal(posted.length, 4);
  desk.answered([posted[3]!.records[0]!.call], []);
  t.strictSame(await Promise.all([...given, ...later, held]), [
    'MILLRACE_INGEST_LOST',
    'MILLRACE_INGEST_LOST',
    'MILLRACE_INGEST_LOST',
    'MILLRACE_INGEST_LOST',
    'done',
  ]);
});

t.test('a deactivated topology refuses what no worker has', async (t) => {
  const { desk, give, host, posted, started, start } = deskOf();
  start();
  const gathered = give('records', 1);
  await Promise.resolve();
  host.state = 'inactive';
  desk.refuse();
  started.clear();
  host.state = 'active';
  const held = give('records', 1);
  await Promise.resolve();
  host.state = 'inactive';
  desk.refuse();
  await turn();
  t.equal(posted.length, 0);
  t.strictSame(await Promise.all([gathered, held, give('records', 1)]), [
    'MILLRACE_INGEST_INACTIVE',
    'MILLRACE_INGEST_INACTIVE',
    'MILLRACE_INGEST_INACTIVE',
  ]);
});

t.test('one signal may belong to thousands of calls, and is let go when they are settled', async (t) => {
  const { desk, give, posted, start } = deskOf();
  start();
  const caller = new AbortController();
  const { signal } = caller;
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: unknown[]) => {
    listeners++;
    addEventListener.apply(signal, args as never);
  };
  signal.removeEventListener = (...args: unknown[]) => {
    listeners--;
    removeEventListener.apply(signal, args as never);
  };
  const calls = Array.from({ length: 2000 }, () => give('records', 1, signal));
  await turn();
  await turn();
  t.equal(listeners, 1);
  const numbers = posted.flatMap(({ records }) => records.map(({ call }) => call));
  desk.answered(numbers, []);
  t.strictSame(new Set(await Promise.all(calls)), new Set(['done']));
  t.equal(listeners, 0);
  const gone = give('records', 1, signal);
  await turn();
  caller.abort('gone');
  t.equal(await gone, 'gone');
});
