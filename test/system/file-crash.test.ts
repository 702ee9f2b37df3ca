// kill -9 in the middle of `file-lines` to `file-sink`, again and again: every line is in the output, no line is torn,
// and what is there twice was open or not yet kept at one of the kills.

import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

t.setTimeout(120_000);

const CHILD = fileURLToPath(new URL('./copying-lines.js', import.meta.url));

interface Copy {
  readonly directory: string;
  readonly spout: Readonly<Record<string, unknown>>;
  readonly sink: Readonly<Record<string, unknown>>;
}

/** Runs the copy until it ends, or until `isEnough` of what it acked says so: then it is killed. */
async function run(copy: Copy, incarnation: number, isEnough: (acked: number) => boolean): Promise<boolean> {
  const args = [CHILD, JSON.stringify(copy.spout), JSON.stringify(copy.sink), 'journal', String(incarnation)];
  const child = spawn(process.execPath, args, { cwd: copy.directory, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    const acked = Number(text.trimEnd().split('\n').at(-1));
    if (isEnough(acked)) child.kill('SIGKILL');
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== null && code !== 0) throw new Error(`the copy ended with ${code}`);
  return code === 0;
}

/** The lines of all files that the sink wrote, but for one that a kill left torn. */
function wholeLines(directory: string): string[] {
  const files = readdirSync(directory).filter((name) => name.startsWith('out'));
  return files.flatMap((name) => {
    const lines = readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => (JSON.parse(line) as { line: string }).line);
  });
}

/** How many lines are in the output, but not below the kept offset: they come again. */
function notKept(directory: string, text: string): number {
  const journal = join(directory, 'journal');
  const lines = existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').slice(0, -1) : [];
  const offset = lines.length === 0 ? 0 : (JSON.parse(lines.at(-1) ?? '') as [string, { offset: number }])[1].offset;
  const below = text.slice(0, offset).split('\n').length - 1;
  return new Set(wholeLines(directory)).size - below;
}

function check(t: Test, directory: string, expected: readonly string[], mayRepeat: number): void {
  for (const name of readdirSync(directory).filter((each) => each.startsWith('out'))) {
    t.match(readFileSync(join(directory, name), 'utf8'), /\n$|^$/, `${name} ends with a whole line`);
  }
  const seen = new Map<string, number>();
  for (const line of wholeLines(directory)) seen.set(line, (seen.get(line) ?? 0) + 1);
  t.strictSame(
    expected.filter((line) => !seen.has(line)),
    [],
    'every line is there',
  );
  t.equal(seen.size, expected.length, 'and nothing else');
  const repeated = [...seen.values()].reduce((sum, times) => sum + times - 1, 0);
  t.ok(repeated <= mayRepeat, `${repeated} lines repeated, of ${mayRepeat} that were not kept`);
}

for (const [name, sink] of [
  ['one file', { path: 'out.jsonl', fsync: false }],
  ['files put aside by size, each batch on the disk', { path: 'out.jsonl', rotateBytes: 100_000 }],
] as const) {
  t.test(`a complete file into ${name}`, async (t) => {
    const directory = t.testdir();
    const lines = Array.from({ length: 40_000 }, (_, n) => `line ${n} ${'é'.repeat(n % 40)}`);
    // ASCII for the offsets in the journal, which are in bytes.
    const ascii = lines.map((line) => line.replaceAll('é', 'e'));
    const text = `${ascii.join('\n')}\n`;
    writeFileSync(join(directory, 'in.txt'), text);
    const copy = { directory, spout: { path: 'in.txt' }, sink };
    let mayRepeat = 0;
    let incarnation = 0;
    for (const enough of [200, 3000, 1, 7000, 500, 12_000]) {
      const isOver = await run(copy, incarnation++, (acked) => acked >= enough);
      mayRepeat += notKept(directory, text);
      if (isOver) break;
    }
    t.equal(await run(copy, incarnation, () => false), true, 'left alone, it ends');
    check(t, directory, ascii, mayRepeat);
  });
}

t.test('a followed file that is rotated while its reader is alive and while it is not', async (t) => {
  const directory = t.testdir();
  const path = join(directory, 'in.log');
  const expected: string[] = [];
  const add = (count: number): void => {
    const from = expected.length;
    for (let n = from; n < from + count; n++) expected.push(`line ${n}`);
    appendFileSync(path, expected.slice(from).join('\n') + '\n');
  };
  const copy = { directory, spout: { path: 'in.log*', follow: true }, sink: { path: 'out.jsonl', fsync: false } };
  add(1000);
  for (let incarnation = 0; incarnation < 6; incarnation++) {
    let rotations = 0;
    await run(copy, incarnation, (acked) => {
      if (acked > 500 && rotations++ === 0) {
        add(500);
        renameSync(path, `${path}.${incarnation}`);
        add(2000);
      }
      return acked >= 1500 + 300 * incarnation;
    });
    add(3000);
    if (incarnation % 2 === 0) renameSync(path, `${path}.down-${incarnation}`);
    add(1000);
  }
  const all = new Set<string>();
  await run(copy, 6, () => {
    for (const line of wholeLines(directory)) all.add(line);
    return all.size >= expected.length;
  });
  t.strictSame(
    expected.filter((line) => !all.has(line)),
    [],
    'every line is there',
  );
  t.equal(all.size, expected.length, 'and nothing else');
});
