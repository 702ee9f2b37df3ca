// kill -9 in the middle of `file-lines` to `file-sink`: of the host process, which its parent starts again, and of
// both. Every line is in the output, none is torn, and what is there twice was open or not yet kept at one of the
// kills. More lines: `npm run crash -- --lines 1000000`.

import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import t, { type Test } from 'tap';
import { fromNode } from '../../coordination/store/json-node.js';
import { EmbeddedStore } from '../../coordination/store/embedded/embedded-store.js';
import { checkpointsPath, wishPath } from '../../coordination/paths.js';
import { isWish } from '../../coordination/topology-records.js';
import { unpack } from '../../engine/codec/pack.js';
import { HostCommand, poll, untilState } from './host-command.js';

const { values } = parseArgs({ options: { lines: { type: 'string', default: '100000' } }, strict: false });
const LINES = Number(values.lines);
t.setTimeout(60_000 + LINES);

const COPY = {
  name: 'copy',
  // Few lines go slowly, or no progress would be kept before all of them are through.
  config: { maxSpoutPending: LINES <= 100_000 ? 20 : 1000 },
  spouts: { lines: { type: 'file-lines', config: { path: 'in.txt' } } },
  bolts: {
    out: { type: 'file-sink', config: { path: 'out.jsonl' }, inputs: [{ from: 'lines', grouping: 'global' }] },
  },
};

/** `[component, partition, progress in base64]` */
type Kept = readonly [string, string, string];

/** Where in the input the spout would go on: what is kept of its progress. */
async function keptOffset(dataDirectory: string): Promise<number> {
  const store = await EmbeddedStore.open({ directory: join(dataDirectory, 'store') });
  try {
    const session = await store.connect();
    const { id } = fromNode(await session.get(wishPath('copy')), isWish);
    const path = checkpointsPath(id);
    const pieces = await Promise.all((await session.children(path)).map((each) => session.get(`${path}/${each}`)));
    const kept = pieces.flatMap(({ data }) => JSON.parse(Buffer.from(data).toString()) as readonly Kept[]);
    const offsets = kept.map(
      ([, , progress]) => unpack(Buffer.from(progress, 'base64')) as { readonly offset: number },
    );
    return offsets[0]?.offset ?? 0;
  } finally {
    await store.close();
  }
}

interface Copied {
  /** How often each line of the input is in the output. */
  readonly times: Int32Array;
  /** Characters behind the last line end. */
  readonly torn: number;
}

function copied(file: string): Copied {
  const times = new Int32Array(LINES);
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [''];
  const torn = lines.pop()!.length;
  for (const line of lines) {
    const text = (JSON.parse(line) as { readonly line: string }).line;
    const number = Number(/^line (\d+) of the input$/.exec(text)?.[1]);
    if (!(number < LINES)) throw new Error(`"${line}" is no line of the input`);
    times[number]!++;
  }
  return { times, torn };
}

function count(times: Int32Array, from = 0): number {
  return times.subarray(from).reduce((sum, each) => sum + Math.min(each, 1), 0);
}

async function setUp(t: Test) {
  const directory = t.testdir({ files: {} });
  const [data, output] = [join(directory, 'data'), join(directory, 'files', 'out.jsonl')];
  const text = Array.from({ length: LINES }, (_, number) => `line ${number} of the input\n`).join('');
  writeFileSync(join(directory, 'files', 'in.txt'), text);
  const args = ['--data', 'data', '--files', 'files'];
  const bytes = text.length + LINES * '{"line":""}'.length;
  const until = async (share: number): Promise<void> =>
    await poll(() => existsSync(output) && statSync(output).size > share * bytes);
  /** Lines that are kept as done, and those in the output that are not: they will come again. */
  const look = async (t: Test): Promise<{ readonly kept: number; readonly again: number }> => {
    const offset = await keptOffset(data);
    const below = text.slice(0, offset).split('\n').length - 1;
    const { times, torn } = copied(output);
    const again = count(times, below);
    t.comment(`killed with ${count(times)} lines written, ${below} of them kept as done, a torn end of ${torn}`);
    return { kept: below, again };
  };
  return { directory, data, output, args, until, look };
}

t.test('kill -9 of the host process, and of both, again and again', async (t) => {
  const { directory, output, args, until, look } = await setUp(t);
  let host = await HostCommand.listening(t, directory, args);
  await host.client.submit({ document: COPY });
  let mayRepeat = 0;
  let kept = 0;
  let kills = 0;
  const lookAgain = async (): Promise<void> => {
    const looked = await look(t);
    kept = looked.kept;
    mayRepeat += looked.again;
  };
  for (const share of [0.25, 0.5, 0.75]) {
    await until(share);
    if (kills++ % 2 === 0) {
      // Held for as long as it takes to read what the dead one left.
      host.signal('SIGSTOP');
      await host.killChild();
      await lookAgain();
      host.signal('SIGCONT');
      await host.says(/the host is back at/);
    } else {
      await host.killBoth();
      await lookAgain();
      host = await HostCommand.listening(t, directory, [...args, '--listen', `127.0.0.1:${host.port}`]);
    }
  }
  const { state, components } = await untilState(host.client, 'copy', ['completed', 'failed', 'killed']);
  t.equal(state, 'completed');
  const { times, torn } = copied(output);
  t.equal(torn, 0, 'no line is torn');
  t.equal(count(times), LINES, 'every line is in the output');
  const repeated = times.reduce((sum, each) => sum + each - 1, 0);
  t.ok(repeated <= mayRepeat, `no more lines are repeated than were not kept at a kill`);
  t.comment(`${LINES} lines, ${kills} kills, ${repeated} lines repeated, of ${mayRepeat} that were not kept`);
  t.equal(components['lines']!.emitted, LINES - kept, 'the last life of the host began where the one before had kept');
  t.match(await host.stop(), { exitCode: 0 });
});
