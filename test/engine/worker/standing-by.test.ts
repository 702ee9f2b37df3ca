// A run that stands by: its bolts are there, and nothing of its spouts, until these are opened. Whatever happens before
// they are, nothing is read; when one of them cannot be opened, the run fails.

import type { TestRun } from 'millrace/testing';
import type { Checkpoint } from '../../../engine/worker/messages.js';
import { advanceUntil, ALL, checkAll, rebalance, rebalanced, spreading } from '../../conformance/spreading.js';
import { linked, onEachTransport, settleUntil, topologyUrl, type Test } from '../../conformance/transports.js';

const standby = { standby: true, firstIncarnation: 1000 };

const calls = (run: TestRun, component: string, call: string): number =>
  run.life(component).filter((each) => each === call).length;

/** Eight partitions, each so far. */
const progress = (to: number): Checkpoint[] =>
  Array.from({ length: 8 }, (_, at) => ({ component: 'records', partition: `p${at}`, progress: to }));

async function open(run: TestRun, checkpoints: readonly Checkpoint[] = []): Promise<void> {
  await rebalanced(run, run.run.openSpouts(checkpoints));
}

async function completes(t: Test, run: TestRun): Promise<void> {
  await advanceUntil(run, () => !['active', 'inactive'].includes(run.status().state));
  t.equal((await run.completed).status, 'completed');
}

onEachTransport(
  'no spout is made before it is opened; then it goes on from what it is given',
  spreading,
  standby,
  async (t, run) => {
    t.equal(run.status().state, 'standby');
    await run.advance('1s');
    t.strictSame(run.life('records'), [], 'none was constructed');
    t.equal(calls(run, 'owner', 'prepare'), 2);
    t.match(run.metrics().components['records'], { condition: { state: 'inactive', text: /stands by/ } });
    await t.rejects(run.run.standAside(), {
      code: 'MILLRACE_SPOUTS_STATE',
      message: 'topology "spreading" is standby: its spouts cannot stand aside now',
    });
    await t.rejects(run.rebalance({ workers: 1 }), { code: 'MILLRACE_REBALANCE_STATE' });
    await run.run.comeBack();
    await run.run.openSpouts(progress(100));
    t.equal(run.status().state, 'active');
    await t.rejects(run.run.openSpouts([]), { code: 'MILLRACE_SPOUTS_STATE' });
    await completes(t, run);
    const records = run.acked('records');
    t.equal(records.length, 8 * 20, 'what was not done before');
    t.equal(new Set(records).size, 8 * 20);
    t.ok(records.every((id) => Number((id as string).split('/')[1]) >= 100));
    t.ok(run.of('emitted', 'records').every(({ incarnation }) => incarnation === 1000));
    t.equal(calls(run, 'records', 'close'), 2);
  },
);

onEachTransport(
  'what is rebalanced, dies and stands aside afterwards is as in any run',
  spreading,
  standby,
  async (t, run) => {
    await open(run);
    await run.advance(20);
    await rebalance(run, { workers: 3, parallelism: { records: 3, owner: 3 } });
    await rebalanced(run, run.run.standAside());
    await rebalanced(run, run.run.comeBack());
    await completes(t, run);
    checkAll(t, run);
  },
);

onEachTransport(
  'a worker that dies later goes on from what is kept since',
  spreading,
  standby,
  async (t, run) => {
    await open(run, progress(10));
    await run.advance(50);
    await run.crash(0);
    await advanceUntil(run, () => run.status().state !== 'active');
    t.equal((await run.completed).status, 'completed');
    t.equal(new Set(run.acked('records')).size, ALL - 8 * 10, 'every record is acked');
  },
  linked,
);

for (const worker of [0, 1]) {
  onEachTransport(
    `worker ${worker} dies while it stands by: another one takes its place`,
    spreading,
    standby,
    async (t, run) => {
      await run.crash(worker);
      await run.settle();
      t.equal(run.status().state, 'standby');
      t.equal(run.status().workerDeaths, 1);
      t.strictSame(run.life('records'), []);
      await open(run);
      await completes(t, run);
      checkAll(t, run);
    },
    linked,
  );

  onEachTransport(
    `worker ${worker} dies, and spouts are to be opened at once`,
    spreading,
    standby,
    async (t, run) => {
      await run.crash(worker);
      while (run.status().workerDeaths === 0) await new Promise((resolve) => setImmediate(resolve));
      await open(run);
      await completes(t, run);
      checkAll(t, run);
    },
    linked,
  );
}

onEachTransport(
  'a spout that cannot be opened: the run fails, and everything is closed',
  spreading,
  { ...standby, settings: { 'records.parallelism': 4 } },
  async (t, run) => {
    await t.rejects(open(run), {
      code: 'MILLRACE_WORKER_START',
      message: 'open of component "records" failed: no room for four',
    });
    t.match(await run.completed, { status: 'failed', error: { code: 'MILLRACE_WORKER_START' } });
    t.equal(calls(run, 'owner', 'close'), 2);
    t.equal(calls(run, 'records', 'close'), calls(run, 'records', 'constructor'));
    t.strictSame(run.emitted('records'), []);
  },
);

const HANGING = { ...standby, settings: { 'records.parallelism': 5 } };

onEachTransport('a spout that is never open: the run fails', spreading, HANGING, async (t, run) => {
  await t.rejects(rebalanced(run, run.run.openSpouts([]), 500), { code: 'MILLRACE_REBALANCE_TIMEOUT' });
  t.equal((await run.completed).status, 'failed');
});

onEachTransport(
  'a worker dies while spouts are opened: the run fails',
  spreading,
  HANGING,
  async (t, run) => {
    const opened = run.run.openSpouts([]);
    opened.catch(() => undefined);
    await advanceUntil(run, () => calls(run, 'records', 'open') === 5);
    t.equal(run.status().state, 'standby');
    await t.rejects(run.run.openSpouts([]), { code: 'MILLRACE_SPOUTS_STATE' }, 'they are being opened');
    await run.crash(1);
    await t.rejects(opened, {
      code: 'MILLRACE_SPOUTS_WORKER_DIED',
      message: /^worker 1 of topology "spreading" died while its spouts were being opened: /,
    });
    t.match(await run.completed, { status: 'failed', error: { code: 'MILLRACE_SPOUTS_WORKER_DIED' } });
  },
  linked,
);

onEachTransport(
  'killed while it stands by, or opens, it ends at once',
  spreading,
  HANGING,
  async (t, run, transport) => {
    if (transport.links === 'tcp') {
      await run.kill({ waitMs: 3_600_000 });
      t.strictSame(run.life('records'), []);
    } else {
      const refused = t.rejects(run.run.openSpouts([]), { code: 'MILLRACE_RUN_KILLED' });
      await advanceUntil(run, () => calls(run, 'records', 'open') === 5);
      await run.kill({ waitMs: 3_600_000 });
      await refused;
    }
    t.match(await run.completed, { status: 'killed', error: null });
    t.equal(calls(run, 'owner', 'close'), 2);
  },
);

onEachTransport('drained while it stands by, it is killed', spreading, standby, async (t, run) => {
  run.drain();
  t.match(await run.completed, { status: 'killed', error: null });
});

onEachTransport(
  'deactivated while it stands by, its spouts are opened and rest',
  spreading,
  standby,
  async (t, run) => {
    await run.deactivate();
    t.equal(run.status().state, 'standby');
    await open(run);
    t.equal(run.status().state, 'inactive');
    await run.advance(200);
    t.equal(calls(run, 'records', 'open'), 2);
    t.strictSame(run.emitted('records'), []);
    await run.activate();
    await completes(t, run);
    checkAll(t, run);
  },
);

onEachTransport(
  'bolts do not tick before spouts are open',
  topologyUrl('ticking'),
  { ...standby, fed: ['source'] },
  async (t, run) => {
    await run.advance('5m');
    t.strictSame(run.executed('sink'), []);
    await run.crash(0);
    await run.advance('1m');
    t.strictSame(run.executed('sink'), [], 'nor in another worker');
    await open(run);
    await run.advance('65s');
    t.equal(run.executed('sink').length, 2);
  },
  linked,
);

onEachTransport(
  'records from outside are taken when spouts are open',
  topologyUrl('ingesting'),
  standby,
  async (t, run) => {
    await t.rejects(run.ingest('orders', ['Ahab', 'ack']), { code: 'MILLRACE_INGEST_INACTIVE' });
    await open(run);
    await run.ingest('orders', ['Ahab', 'ack']);
    await t.rejects(run.ingest('unknown', ['Ahab', 'ack']), { code: 'MILLRACE_INGEST_SPOUT' });
    await run.settle();
    t.strictSame(run.executed('clerk'), [['Ahab', 'ack']]);
  },
);

const spouts = ['source', 'loose'];

onEachTransport(
  'what ends comes to its end, in cycles too',
  topologyUrl('cycling'),
  { ...standby, fed: spouts },
  async (t, run) => {
    await open(run);
    for (const number of [1, 2, 3]) run.feed('source', [`n${number}`, 20], { id: number });
    await settleUntil(run, () => run.acked('source').length === 3);
    for (const spout of spouts) run.endFeed(spout);
    await run.settle();
    t.equal((await run.completed).status, 'completed');
  },
);
