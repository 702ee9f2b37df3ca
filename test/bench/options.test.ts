// The command line of the benchmarks: what is wrong with it is said before anything runs; results are saved as JSON.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bench } from './kit.js';
import { readOptions, UsageError } from './options.js';
import { spreadOf } from './report.js';

const names = ['words', 'id'];

t.test('names, labels and flags', (t) => {
  const options = readOptions(['words/one/tracked', '--peer', 'rxjs', '--rounds', '3', '--seconds', '0.5'], names);
  t.match(options, {
    selections: [{ name: 'words', labels: ['one', 'tracked'] }],
    peers: ['rxjs'],
    rounds: 3,
    measureMs: 500,
    json: false,
    save: null,
  });
  const all = readOptions([], names);
  t.same(
    all.selections.map(({ name }) => name),
    names,
    'everything unless it is said otherwise',
  );
  t.same(all.peers, ['loop']);
  t.end();
});

for (const [args, says] of [
  [['wrods'], 'there is no benchmark "wrods"; there are words, id'],
  [['--peer', 'flink'], 'there is no peer "flink"; there are loop, storm, rxjs, streams'],
  [['--rounds', '0'], '--rounds takes a whole number from 1 to 1000, not "0"'],
  [['--rounds', '1.5'], '--rounds takes a whole number from 1 to 1000, not "1.5"'],
  [['--seconds', 'soon'], '--seconds takes seconds above 0 and up to 86400, not "soon"'],
  [['--warm-up', ''], '--warm-up takes seconds above 0 and up to 86400, not ""'],
] as const) {
  t.test(`refuses ${args.join(' ')}`, (t) => {
    t.throws(() => readOptions(args, names), new UsageError(says));
    t.end();
  });
}

t.test('an unknown flag, an unknown label, a file that cannot be written', async (t) => {
  for (const [args, says] of [
    [['--loud'], /Unknown option '--loud'/],
    [['words/three'], /"words" has no side with three; its labels are loop, one, tracked/],
    [['growth/luck'], /"growth" has no table luck; its tables are tasks, open-trees/],
  ] as const) {
    const { code, stdout, stderr } = await bench(t, args);
    t.equal(code, 2);
    t.equal(stdout, '');
    t.match(stderr, says);
    t.match(stderr, /usage: npm run bench/);
  }
  const { code, stderr } = await bench(t, ['micro/hash', '--save', join(t.testdir(), 'nowhere', 'results.json')]);
  t.equal(code, 2);
  t.match(stderr, /cannot write .*results\.json/);
});

t.test('results are saved with the machine that they come from', async (t) => {
  const file = join(t.testdir(), 'results.json');
  const { code, stdout } = await bench(t, ['micro/mailbox', '--seconds', '0.05', '--save', file]);
  t.equal(code, 0);
  t.match(stdout, /Micro: mailbox\n.*p99\n/);
  t.match(JSON.parse(readFileSync(file, 'utf8')), {
    machine: { node: process.version, cores: Number },
    reports: [{ kind: 'table', benchmark: 'micro' }],
  });
});

t.test('a median is between the two in the middle', (t) => {
  t.same(spreadOf([3, 1, 2]), { min: 1, median: 2, max: 3 });
  t.same(spreadOf([4, 1, 2, 3]), { min: 1, median: 2.5, max: 4 });
  t.same(spreadOf([7]), { min: 7, median: 7, max: 7 });
  t.end();
});
