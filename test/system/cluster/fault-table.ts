// npm run faults -- cluster [--rounds n] [--away seconds] [--rate n] [--fault pattern]
//
// Brings every fault of faults.ts, or those whose names match, upon three hosts that run a topology together,
// and prints how long it took from the fault to the first tuple that was delivered again, the longest time without any
// tuple, and what came of the lines: whatever happens, none is lost.

import { parseArgs } from 'node:util';
import { BOOK, startCluster } from './book.js';
import { Endings } from './endings.js';
import { clusterFaults, inflict, type Fault, type Outcome } from './faults.js';
import { SESSION_TIMEOUT_MS, type HostCluster } from './hosts.js';
import type { LoadOptions } from './load.js';

/** Whatever is not over by then, beside the time that servers stay away, is wrong. */
const CASE_MAX_MS = 120_000;

interface Sizes {
  readonly rounds: number;
  readonly awayMs: number;
  readonly rate: number;
}

/** Prints the table; gives whether all came out right. */
export async function clusterTable(args: string[]): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '3' },
      away: { type: 'string', default: '60' },
      rate: { type: 'string', default: '500' },
      fault: { type: 'string', default: '' },
    },
  });
  const sizes = { rounds: Number(values.rounds), awayMs: Number(values.away) * 1000, rate: Number(values.rate) };
  const faults = clusterFaults(SESSION_TIMEOUT_MS).filter(({ name }) => new RegExp(values.fault).test(name));
  return await Endings.around(async (endings) => {
    const cluster = await startCluster(endings);
    console.log(
      `three hosts and three servers, sessions of ${SESSION_TIMEOUT_MS} ms, wall clocks hours apart; ` +
        `${sizes.rate} lines/s, ${sizes.rounds} rounds; milliseconds: min, median, max\n`,
    );
    row('fault', 'goal', 'first delivered again', 'longest silence', 'lines', 'again', 'lost', '');
    let isRight = true;
    for (const fault of faults) isRight = (await rounds(fault, cluster, sizes)) && isRight;
    console.log(isRight ? '\nall came out right' : '\nnot all came out right');
    return isRight;
  });
}

async function rounds(fault: Fault, cluster: HostCluster, { rounds, awayMs, rate }: Sizes): Promise<boolean> {
  const load: LoadOptions = { text: BOOK, rate: rate / 2, stops: true };
  const outcomes: Outcome[] = [];
  for (let round = 0; round < rounds; round++) {
    const late = new AbortController();
    const deadline = setTimeout(() => late.abort(), CASE_MAX_MS + awayMs);
    const over = new Promise<never>((_, reject) => {
      late.signal.addEventListener('abort', () => reject(new Error(`"${fault.name}" is not over after its time`)));
    });
    outcomes.push(await Promise.race([inflict(fault, cluster, load, { awayMs, isShort: false }), over]));
    clearTimeout(deadline);
  }
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((all, each) => all + of(each), 0);
  const wrong = outcomes.flatMap(wrongIn);
  const redelivered = outcomes.flatMap(({ redeliveredMs }) => redeliveredMs ?? []);
  row(
    fault.name,
    fault.goalMs === null ? '-' : `< ${fault.goalMs}`,
    redelivered.length === 0 ? 'nothing to be' : figures(redelivered),
    figures(outcomes.map(({ silenceMs }) => silenceMs)),
    String(sum(({ records }) => records)),
    String(sum(({ duplicates }) => duplicates)),
    String(sum(({ lost }) => lost)),
    wrong.length === 0 ? 'ok' : 'WRONG',
  );
  for (const what of wrong) console.log(`  WRONG: ${what}`);
  return wrong.length === 0;
}

function wrongIn({ lost, twice, state, wrong, told }: Outcome): readonly string[] {
  return [
    ...wrong,
    ...told,
    ...(lost === 0 ? [] : [`${lost} lines were lost`]),
    ...twice.map((task) => `${task}: a task ran twice in one incarnation`),
    ...(state === 'completed' ? [] : [`the topology is ${state}`]),
  ];
}

export function figures(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b).map((value) => Math.round(value));
  return [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].join(', ');
}

function row(...[fault = '', goal = '', again = '', silence = '', ...rest]: readonly string[]): void {
  const cells = [fault.padEnd(54), goal.padEnd(7), again.padEnd(22), silence.padEnd(18)];
  console.log([...cells, ...rest.map((each) => each.padEnd(6))].join(' ').trimEnd());
}
