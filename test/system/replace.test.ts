// A topology that reads lines while they are written, on a host in a process of its own, replaced by versions with
// other code: every line is in the file of the sink, the new version goes on where the one before let go, and what does
// not start leaves that one counting.

import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { millrace } from '../api/cli/command.js';
import { HostCommand, poll } from './host-command.js';

t.setTimeout(150_000);

/** Marks lines with its version; what it is given fails where it stands. */
function marking(version: string, { top = '', prepare = '', open = '' } = {}): string {
  return `
import { Bolt, Spout, topology, type Emit, type Tuple } from 'millrace';
import { fileLines, fileSink } from 'millrace/connect/file';
${top}
class Mark extends Bolt {
  static readonly outputs = ['version', 'n'] as const;
  override prepare(): void { ${prepare} }
  execute(tuple: Tuple<[line: string]>, emit: Emit): void { emit(['${version}', Number(tuple.values[0])]); }
}
class Beside extends Spout {
  static readonly outputs = ['line'] as const;
  override open(): void { ${open} }
  nextTuple(): void {}
}
export default topology('marking', (t) => {
  const lines = t.spout('lines', fileLines({ path: 'files/lines', follow: true }));
  const beside = t.spout('beside', Beside);
  const mark = t.bolt('mark', Mark, { parallelism: 2 }).shuffle(lines, { locality: false }).shuffle(beside);
  t.bolt('out', fileSink({ path: 'files/out.jsonl', fsync: false })).shuffle(mark);
}, { version: '${version}', workers: 2 });
`;
}

interface Marked {
  readonly version: string;
  readonly n: number;
}

interface Scene {
  readonly host: HostCommand;
  /** Writes that many more lines, bit by bit. */
  feed(count: number): Promise<void>;
  /** Writes lines as long as that goes on. */
  feedDuring<T>(work: Promise<T>): Promise<T>;
  /** How many lines were fed. */
  readonly fed: () => number;
  /** What is in the file of the sink. */
  marked(): readonly Marked[];
  /** Resolves when each of the lines was seen. */
  allSeen(): Promise<void>;
  submit(name: string, text: string, ...more: readonly string[]): ReturnType<typeof millrace>;
}

async function start(t: Test): Promise<Scene> {
  const directory = t.testdir({ files: { lines: '' } });
  const host = await HostCommand.listening(t, directory, ['--slots', '4', '--data', 'data']);
  let fed = 0;
  const marked = (): readonly Marked[] => {
    const file = join(directory, 'files/out.jsonl');
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Marked);
  };
  const feedSome = async (): Promise<void> => {
    const lines = Array.from({ length: 20 }, (_, at) => `${fed + at}\n`);
    appendFileSync(join(directory, 'files/lines'), lines.join(''));
    fed += lines.length;
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  return {
    host,
    marked,
    fed: () => fed,
    feed: async (count) => {
      for (const until = fed + count; fed < until; await feedSome());
    },
    feedDuring: async (work) => {
      let isOver = false;
      const over = (): void => void (isOver = true);
      work.then(over, over);
      while (!isOver) await feedSome();
      return await work;
    },
    allSeen: async () => await poll(() => new Set(marked().map(({ n }) => n)).size === fed),
    submit: async (name, text, ...more) => {
      writeFileSync(join(directory, name), text);
      return await millrace(directory, ['submit', name, ...more, '--host', host.url]);
    },
  };
}

t.test('every line is seen by one version or the other', async (t) => {
  const { host, feed, feedDuring, fed, marked, allSeen, submit } = await start(t);
  t.match(await submit('one.ts', marking('one')), { exitCode: 0 });
  await feed(1000);
  await poll(() => marked().length > 500);
  const two = await feedDuring(submit('two.ts', marking('two'), '--replace'));
  t.match(two, {
    exitCode: 0,
    stdout: 'marking\n',
    stderr: /\nmarking: replaced version one \(\w+\) by two \(\w+\)\n$/,
  });
  const third = await feedDuring(submit('three.ts', marking('three'), '--replace', '--set', 'out.fsync=true'));
  t.equal(third.exitCode, 0, third.stderr);
  await feed(100);
  await allSeen();
  const all = marked();
  const of = (version: string): readonly number[] => all.flatMap((each) => (each.version === version ? each.n : []));
  t.ok(of('one').length > 500, 'what the first one wrote stays');
  t.ok(Math.min(...of('two')) > 500, 'the second one began where it let go');
  t.ok(Math.min(...of('three')) > Math.min(...of('two')), 'and so did the third');
  t.comment(`${fed()} lines, ${all.length - fed()} of them came again`);
  t.match(await host.client.describe('marking'), {
    version: 'three',
    state: 'active',
    refused: null,
    replacement: null,
  });
  const ended = (await host.client.list()).slice(1);
  t.match(
    ended.map(({ version, state }) => [version, state]),
    [
      ['two', 'killed'],
      ['one', 'killed'],
    ],
  );
  t.match(await host.stop(), { exitCode: 0 });
  t.equal(readdirSync(join(t.testdirName, 'files')).length, 2, 'nothing else was written');
});

t.test('a version that does not start, or finds no room, leaves the one before counting', async (t) => {
  const { host, feed, feedDuring, marked, allSeen, submit } = await start(t);
  t.match(await submit('one.ts', marking('one')), { exitCode: 0 });
  await feed(500);
  await poll(() => marked().length > 0);
  const before = await host.client.describe('marking');
  const thrown = (text: string): string => `throw new RangeError('${text}');`;
  const cases = [
    [{ top: thrown('no module') }, 'MILLRACE_DEFINITION_THREW', /no module/],
    [{ prepare: thrown('no bolt') }, 'MILLRACE_REPLACE_FAILED', /prepare of component "mark" failed: no bolt/],
    [{ open: thrown('no spout') }, 'MILLRACE_REPLACE_FAILED', /open of component "beside" failed: no spout/],
  ] as const;
  for (const [how, code, why] of cases) {
    const refused = await feedDuring(submit('bad.ts', marking('bad', how), '--replace'));
    t.equal(refused.exitCode, 1, code);
    t.match(refused.stderr, new RegExp(`^error ${code}: `, 'm'));
    t.match(refused.stderr, why);
    t.match(refused.stderr, /bad\.ts:\d+/, 'with the place in its code');
    t.equal(refused.stdout, '');
    await allSeen();
  }
  const room = await feedDuring(submit('large.ts', marking('large'), '--replace', '--set', 'workers=3'));
  t.match(room, { exitCode: 1, stderr: /MILLRACE_REPLACE_ROOM: .*not enough free slots for its 3 workers[^]*hint: / });
  const other = await submit('other.ts', marking('x').replace("topology('marking'", "topology('other'"), '--replace');
  t.match(other, { exitCode: 3, stderr: /MILLRACE_REPLACE_UNKNOWN: there is no topology "other"[^]*hint: / });
  await allSeen();
  t.ok(marked().every(({ version }) => version === 'one'));
  const { id, refused, workerDeaths } = await host.client.describe('marking');
  t.match(
    { id, refused, workerDeaths },
    { id: before.id, workerDeaths: 0, refused: { error: { code: 'MILLRACE_REPLACE_ROOM' } } },
  );
  const { stdout } = await millrace(t.testdirName, ['describe', 'marking', '--host', host.url]);
  t.match(stdout, /\nversion \w+ did not replace it: MILLRACE_REPLACE_ROOM: /);
  t.match(await submit('two.ts', marking('two'), '--replace'), { exitCode: 0 });
  await feed(100);
  await allSeen();
  t.match(await host.stop(), { exitCode: 0 });
});
