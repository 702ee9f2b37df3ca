// The file components inside the engine, on virtual time: following goes on through the crash of a worker, and rests
// while there is nothing to read.

import { appendFileSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fileLines, fileSink } from '../../../engine/connect/file/index.js';
import { topology } from '../../../engine/index.js';
import { TestRun } from '../../../engine/testing/index.js';

t.test('lines of a followed file, through a rotation and the crash of a worker, into a sink', async (t) => {
  const folder = t.testdir({ log: 'one\ntwo\n' });
  const path = join(folder, 'log');
  const out = join(folder, 'out.jsonl');
  const copy = topology('copy', (t) => {
    const lines = t.spout('lines', fileLines({ path, follow: true }));
    t.bolt('out', fileSink({ path: out, fsync: false })).shuffle(lines);
  });
  const kit = await TestRun.start(copy);
  const lines = (): unknown[] =>
    readFileSync(out, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { line: unknown }).line);
  await kit.advance('1s');
  t.strictSame(lines(), ['one', 'two']);
  appendFileSync(path, 'three\n');
  renameSync(path, `${path}.1`);
  appendFileSync(path, 'four\n');
  await kit.advance('1s');
  t.strictSame(lines(), ['one', 'two', 'three', 'four']);

  await kit.crash(0);
  appendFileSync(path, 'five\n');
  await kit.advance('1s');
  t.strictSame(lines(), ['one', 'two', 'three', 'four', 'five'], 'what was kept is not read again');

  const [before = 0] = kit.turns();
  await kit.advance('1s');
  const [after = 0] = kit.turns();
  t.ok(after - before < 300, `${after - before} turns in an idle second`);
  t.equal((await kit.close()).status, 'killed');
});

t.test('more tasks than files, and as many sinks: each line once', async (t) => {
  const folder = t.testdir({ 'a.log': 'a\n'.repeat(500), 'b.log': 'b\n'.repeat(500) });
  const copy = topology('copy', (t) => {
    const lines = t.spout('lines', fileLines({ path: join(folder, '*.log') }), { parallelism: 3 });
    t.bolt('out', fileSink({ path: join(folder, 'out.jsonl') }), { parallelism: 2 }).shuffle(lines);
  });
  const kit = await TestRun.start(copy, { workers: 2, virtualTime: false });
  t.equal((await kit.completed).status, 'completed');
  const text = [0, 1].map((task) => readFileSync(join(folder, `out-${task}.jsonl`), 'utf8')).join('');
  t.equal(text.split('\n').length - 1, 1000);
});
