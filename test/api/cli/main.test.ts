// The command as a process with real topologies: data and summary, settings, errors of components, signals, broken
// pipes.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ENDLESS, NUMBERS } from '../modules.js';
import { leavesNothing, millrace, summaryIn } from './command.js';

t.setTimeout(120_000);

t.test('a module runs to its end', async (t) => {
  const directory = t.testdir({ 'numbers.ts': NUMBERS });
  const plain = await millrace(directory, ['run', 'numbers.ts']);
  t.equal(plain.exitCode, 0);
  t.equal(plain.stdout.split('\n').length, 4, 'three lines of data and nothing else');
  t.match(plain.stderr, /numbers completed after/);
  const json = await millrace(directory, ['run', 'numbers.ts', '--json', '--workers', '2', '--set', 'numbers.count=5']);
  t.equal(json.exitCode, 0);
  t.match(summaryIn(json), {
    type: 'summary',
    topology: 'numbers',
    status: 'completed',
    workers: 2,
    components: { numbers: { emitted: 5, acked: 5, failed: 0 }, log: { executed: 5, acked: 5, failed: 0 } },
    error: null,
  });
  leavesNothing(t, directory);
});

t.test('the word count document works as it stands', async (t) => {
  const document = {
    name: 'word-count',
    spouts: { lines: { type: 'file-lines', config: { path: 'text.txt' } } },
    bolts: {
      split: { type: 'split-words', parallelism: 2, inputs: [{ from: 'lines', grouping: 'shuffle' }] },
      count: { type: 'count', parallelism: 2, inputs: [{ from: 'split', grouping: 'fields', fields: ['word'] }] },
      out: { type: 'file-sink', config: { path: 'counts.jsonl' }, inputs: [{ from: 'count', grouping: 'global' }] },
    },
  };
  const text = 'Call me Ishmael.\nthe whale, the WHALE\n\nme\n';
  for (const workers of ['1', '2']) {
    const directory = t.testdir({ 'words.json': JSON.stringify(document), 'text.txt': text });
    const ended = await millrace(directory, ['run', 'words.json', '--json', '--workers', workers]);
    t.equal(ended.exitCode, 0, ended.stderr);
    t.match(summaryIn(ended), {
      topology: 'word-count',
      status: 'completed',
      components: { lines: { acked: 4, failed: 0 } },
    });
    const highest = new Map<string, number>();
    for (const line of readFileSync(join(directory, 'counts.jsonl'), 'utf8').trim().split('\n')) {
      const { word, count } = JSON.parse(line) as { word: string; count: number };
      highest.set(word, Math.max(count, highest.get(word) ?? 0));
    }
    t.strictSame(Object.fromEntries(highest), { call: 1, me: 2, ishmael: 1, the: 2, whale: 2 });
  }
});

t.test('a spout that cannot open its file ends the topology as failed', async (t) => {
  const document = { name: 'lost', spouts: { lines: { type: 'file-lines', config: { path: 'lost.txt' } } }, bolts: {} };
  const directory = t.testdir({ 'lost.json': JSON.stringify(document) });
  const ended = await millrace(directory, ['run', 'lost.json', '--json']);
  t.match(ended, { exitCode: 1, stderr: /lost\.txt/ });
  t.match(summaryIn(ended), { topology: 'lost', status: 'failed', error: { message: /lost\.txt/ } });
});

t.test('an error of a component is told with the place in its source', async (t) => {
  const text = ENDLESS.replace('execute() {}', "execute() {\n    throw new RangeError('odd');\n  }");
  const directory = t.testdir({ 'odd.ts': text });
  const line = text.split('\n').findIndex((each) => each.includes('RangeError')) + 1;
  let isAsked = false;
  const ended = await millrace(directory, ['run', 'odd.ts'], {
    onText: (all, { kill }) => {
      if (isAsked || !all.includes('odd.ts:')) return;
      isAsked = kill('SIGINT') === true;
    },
  });
  t.equal(ended.exitCode, 130);
  t.match(
    ended.stderr,
    new RegExp(`error MILLRACE_TASK_THREW: .*"nothing".*odd\\n {4}at Nothing\\.execute \\(odd\\.ts:${line}:11\\)`),
  );
});

t.test('Ctrl-C drains', async (t) => {
  const directory = t.testdir({ 'endless.ts': ENDLESS });
  let isAsked = false;
  const ended = await millrace(directory, ['run', 'endless.ts', '--json'], {
    onText: (all, { kill }) => {
      if (!isAsked && all.includes('begun')) isAsked = kill('SIGINT') === true;
    },
  });
  t.equal(ended.exitCode, 130);
  t.match(ended.stderr, 'Ctrl-C again');
  t.match(summaryIn(ended), { topology: 'endless', status: 'killed' });
  leavesNothing(t, directory);
});

t.test('SIGTERM while the definition is read leaves nothing behind', async (t) => {
  const directory = t.testdir({ 'spins.ts': "console.log('spinning'); for (;;);" });
  let isAsked = false;
  const ended = await millrace(directory, ['run', 'spins.ts', '--json'], {
    onText: (all, { kill }) => {
      if (!isAsked && all.includes('spinning')) isAsked = kill('SIGTERM') === true;
    },
  });
  t.equal(ended.exitCode, 143);
  t.match(summaryIn(ended), { topology: null, status: 'killed', error: { code: 'MILLRACE_RUN_INTERRUPTED' } });
  leavesNothing(t, directory);
});

t.test('who reads standard output may leave', async (t) => {
  const text = ENDLESS.replace(
    'nextTuple(emit) {',
    'async nextTuple(emit) { await this.context.print(String(this.#n));',
  ).replace('open(context) {', 'context; open(context) { this.context = context;');
  const directory = t.testdir({ 'chatty.ts': text });
  const ended = await millrace(directory, ['run', 'chatty.ts'], {
    onText: (all, { leave }) => void (all.includes('begun') && leave()),
  });
  t.match(ended, { exitCode: 0, stderr: /^endless runs: [^\n]+\n$/ });
  leavesNothing(t, directory);
});
