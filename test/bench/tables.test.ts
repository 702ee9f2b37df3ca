// The benchmarks that end in tables, with sizes that take no time: each size has its row, and what grows is flagged.

import t from 'tap';
import { runningEnsemble } from '../coordination/ensemble/running.js';
import { isTable, smoke } from './kit.js';
import { allocationsTable } from './measures/allocations.js';
import { GROWTHS, growthTable, measureGrowth } from './measures/growth.js';
import { residentTable, tasksTable, treesTable, workersTable } from './measures/memory.js';
import { startTable } from './measures/start.js';
import { storeTable } from './measures/store.js';

const timing = { warmUpMs: 50, measureMs: 100 };

for (const growth of GROWTHS) {
  t.test(`growth of ${growth.label}`, async (t) => {
    isTable(t, await measureGrowth(growth, growth.sizes.slice(0, 2), timing), 2);
  });
}

t.test('what becomes dearer by more than a cache explains is flagged', (t) => {
  const growth = { ...GROWTHS[0]!, unitsOf: () => 1 };
  const at = (size: number, nsPerTuple: number) => ({ size, perSecond: 1, nsPerTuple });
  t.same(growthTable(growth, [at(10, 100), at(100, 150), at(1000, 199)]).flags, []);
  const { flags } = growthTable(growth, [at(10, 100), at(100, 90), at(1000, 270)]);
  t.same(flags, ['at 1000 tasks a tuple taken costs 3.0 times the least before']);
  t.end();
});

t.test('memory', async (t) => {
  isTable(t, treesTable(1000), 1);
  isTable(t, await tasksTable([1, 10], timing), 2);
  isTable(t, await workersTable([1], timing), 2);
  isTable(t, await residentTable('words', timing), 11);
});

t.test('micro-benchmarks of each kind', async (t) => {
  const reports = await smoke(t, ['micro/hash', 'micro/codec', 'micro/ledger', 'micro/mailbox', 'micro/groupings']);
  t.same(
    reports.map((report) => report.kind === 'table' && report.title),
    ['hash', 'codec', 'ledger', 'mailbox', 'groupings'].map((label) => `Micro: ${label}`),
  );
  for (const [index, rows] of [5, 2, 3, 1, 5].entries()) isTable(t, reports[index], rows);
});

t.test('what is allocated for each sentence is told by place', async (t) => {
  const table = await allocationsTable(1000, timing);
  const all = table.rows.at(-1)!;
  t.equal(all[0], 'in all');
  t.ok(Number(all[1]) > 0, 'sentences and words are allocated');
  t.ok(
    table.rows.some(([place]) => /test\/bench\/topologies/.test(String(place))),
    'code of the topology is among them',
  );
});

t.test('the start is taken until the first line', async (t) => {
  const start = { name: 'a line', command: process.execPath };
  const prints = { ...start, args: ['-e', 'console.log(1); setInterval(() => {}, 1000)'] };
  isTable(t, await startTable([{ ...prints, maxMs: Infinity }], 1), 1);
  t.same((await startTable([{ ...prints, maxMs: 0 }], 1)).flags, ['"a line" takes longer than 0 ms']);
  const silent = { ...start, args: ['-e', ''], maxMs: Infinity };
  await t.rejects(startTable([silent], 1), /ended without printing a word/);
});

t.test('the store on ZooKeeper beside the client as it comes', async (t) => {
  const { connectString } = await runningEnsemble(t, { servers: 1 });
  isTable(t, await storeTable(connectString, [2], 1, timing), 3);
});
