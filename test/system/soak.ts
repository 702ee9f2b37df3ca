// npm run soak -- [--seconds n] [--every n] [--mode tracked|untracked|large] [--busy-us n]
//
// A spout a thousand times faster than its bolt, on two workers, for ten minutes in all: tracked without
// `maxSpoutPending`, untracked, and tracked with payloads of 1 MB. Every 15 seconds it prints what the process and its
// threads hold in memory and how full every queue is, and at the end of each mode a verdict. Exit code 1 when
//   - resident size, the heaps, what they hold outside, or a queue rises (trend.ts) in the second half: a share of 5 %
//     of its mean, but at least 16 MB or 1,280 tuples (a slice and a batch, by which outboxes swing), is none;
//   - what waits anywhere is ever more than the limits promise, which are printed.

import { parseArgs } from 'node:util';
import { describe } from '../../engine/model/describe.js';
import { runtimeLimits } from '../../engine/limits.js';
import { silentLogger } from '../../engine/log.js';
import { loadTopology, type TopologySource } from '../../engine/worker/module.js';
import { TopologyRun } from '../../engine/worker/topology-run.js';
import { promisedBy, type Promised } from './promised.js';
import { trendOf, type Flatness } from './trend.js';

interface Mode {
  readonly title: string;
  readonly file: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly tupleBytes: number;
  /** Work of the bolt on each tuple: about a thousand times what the spout does to make one. */
  readonly busyUs: number;
}

const MEGABYTE = 1024 * 1024;

const modes: Readonly<Record<string, Mode>> = {
  tracked: {
    title: 'tracked, no maxSpoutPending',
    file: 'slow-bolt',
    settings: { 'numbers.tracked': true },
    tupleBytes: 64,
    busyUs: 1000,
  },
  untracked: {
    title: 'untracked',
    file: 'slow-bolt',
    settings: { 'numbers.tracked': false },
    tupleBytes: 64,
    busyUs: 1000,
  },
  large: {
    title: 'tracked, payloads of 1 MB',
    file: 'slow-large',
    settings: {},
    tupleBytes: MEGABYTE + 64,
    busyUs: 50_000,
  },
};

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    every: { type: 'string', default: '15' },
    mode: { type: 'string' },
    'busy-us': { type: 'string' },
  },
});

/** One look, in bytes and tuples. */
type Sample = Readonly<Record<Column, number>>;
type Column = (typeof columns)[number]['key'];

const bytes = { share: 0.05, least: 16 * MEGABYTE };
const tuples = { share: 0.05, least: runtimeLimits.sliceTuplesMax + runtimeLimits.batchTuplesMax };
const columns = [
  { key: 'resident', title: 'resident MB', per: MEGABYTE, flat: bytes },
  { key: 'heap', title: 'heaps MB', per: MEGABYTE, flat: bytes },
  { key: 'external', title: 'external MB', per: MEGABYTE, flat: bytes },
  { key: 'mailbox', title: 'mailbox', per: 1, flat: tuples },
  { key: 'mailboxBytes', title: 'mailbox MB', per: MEGABYTE, flat: bytes },
  { key: 'outbox', title: 'outbox', per: 1, flat: tuples },
  { key: 'outstanding', title: 'outstanding', per: 1, flat: tuples },
  { key: 'openTrees', title: 'open trees', per: 1, flat: tuples },
  { key: 'perSecond', title: 'tuples/s', per: 1, flat: null },
] as const satisfies readonly { key: string; title: string; per: number; flat: Flatness | null }[];

function look(run: TopologyRun, executedBefore: number, seconds: number): Sample & { readonly executed: number } {
  const { components } = run.metrics();
  const status = run.status();
  const [numbers, slow, sink] = [components['numbers']!, components['slow']!, components['sink']!];
  const gauge = (name: string): number =>
    ['slow', 'sink'].reduce((sum, id) => sum + (status.components[id]!.metrics[name] ?? 0), 0);
  const own = process.memoryUsage();
  return {
    resident: own.rss,
    heap: own.heapUsed + gauge('heapBytes'),
    external: own.external + gauge('externalBytes'),
    mailbox: slow.queued + sink.queued,
    mailboxBytes: slow.queuedBytes + sink.queuedBytes,
    outbox: numbers.outbox + slow.outbox,
    outstanding: numbers.transferred - slow.executed + (slow.transferred - sink.executed),
    openTrees: status.openTrees,
    perSecond: (slow.executed - executedBefore) / seconds,
    executed: slow.executed,
  };
}

function print(cells: readonly string[]): void {
  console.log(cells.map((cell) => cell.padStart(11)).join(' '));
}

async function soak(mode: Mode, totalSeconds: number): Promise<boolean> {
  const busyUs = Number(values['busy-us'] ?? mode.busyUs);
  console.log(`\n${mode.title}: ${totalSeconds} s, ${busyUs} µs of work a tuple`);
  const source: TopologySource = {
    kind: 'module',
    url: new URL(`./topologies/${mode.file}.js`, import.meta.url).href,
    settings: { ...mode.settings, 'slow.busyUs': busyUs },
  };
  const description = describe(await loadTopology(source));
  const run = new TopologyRun({
    source,
    description,
    workers: 2,
    logger: silentLogger,
    print: () => Promise.resolve(),
  });
  await run.start();
  const every = Math.min(Number(values.every), totalSeconds / 4);
  const samples: Sample[] = [];
  let executed = 0;
  print(['seconds', ...columns.map(({ title }) => title)]);
  for (let seconds = every; seconds <= totalSeconds + 0.001; seconds += every) {
    await new Promise((resolve) => setTimeout(resolve, every * 1000));
    const sample = look(run, executed, every);
    ({ executed } = sample);
    samples.push(sample);
    print([seconds.toFixed(0), ...columns.map(({ key, per }) => (sample[key] / per).toFixed(per === 1 ? 0 : 1))]);
  }
  await run.kill();
  return verdict(samples, promisedBy({ tupleBytes: mode.tupleBytes, channels: 2 }));
}

function verdict(samples: readonly Sample[], promised: Promised): boolean {
  const faults: string[] = [];
  for (const { key, title, per, flat } of columns) {
    if (flat === null) continue;
    const {
      rise,
      allowed,
      flat: isFlat,
    } = trendOf(
      samples.map((sample) => sample[key]),
      flat,
    );
    const told = `${title}: ${rise >= 0 ? '+' : ''}${(rise / per).toFixed(1)} over the second half`;
    console.log(`  ${isFlat ? 'flat  ' : 'RISES '} ${told} (allowed ${(allowed / per).toFixed(1)})`);
    if (!isFlat) faults.push(title);
  }
  const most = (key: Column): number => Math.max(...samples.map((sample) => sample[key]));
  for (const [what, seen, bound] of [
    ['tuples outstanding', most('outstanding'), promised.mailboxTuples + promised.outboxTuples],
    ['tuples in outboxes', most('outbox'), promised.outboxTuples],
    ['bytes in mailboxes', most('mailboxBytes'), promised.mailboxBytes],
  ] as const) {
    const within = seen <= bound;
    console.log(`  ${within ? 'within' : 'ABOVE '} at most ${seen} ${what}; the limits promise ${bound}`);
    if (!within) faults.push(what);
  }
  console.log(faults.length === 0 ? '  flat' : `  NOT FLAT: ${faults.join(', ')}`);
  return faults.length === 0;
}

const chosen = values.mode === undefined ? Object.values(modes) : [modes[values.mode]];
let isFlat = true;
for (const mode of chosen) {
  if (mode === undefined) throw new TypeError(`--mode is one of ${Object.keys(modes).join(', ')}`);
  isFlat = (await soak(mode, Number(values.seconds) / chosen.length)) && isFlat;
}
process.exitCode = isFlat ? 0 : 1;
