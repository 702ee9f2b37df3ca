// Kills random workers of a topology that reads numbered records, those of its spouts among them, and looks whether
// every record is handled all the same: how many more than once, and how long it takes from a death to the first tuple
// that is delivered again. Real threads; which workers die is drawn from a seed.

import { describe } from '../../engine/model/describe.js';
import { silentLogger } from '../../engine/log.js';
import { Random } from '../../engine/random.js';
import { loadTopology, type TopologySource } from '../../engine/worker/module.js';
import { TopologyRun } from '../../engine/worker/topology-run.js';

const SPOUT_TASKS = 2;
const WORKERS = 3;

export interface ChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  /** From one death to the next. */
  readonly everyMs: number;
  /** Records a second of each spout task. */
  readonly rate: number;
}

export interface ChaosResult {
  readonly end: string;
  readonly records: number;
  /** Records that were never handled. */
  readonly lost: number;
  /** Handled more than once, counted for each time beyond the first. */
  readonly duplicates: number;
  readonly deaths: number;
  /** Deaths of workers that ran a spout. */
  readonly spoutDeaths: number;
  /** From each death to the first tuple that was delivered again because of it, sorted. */
  readonly redeliveredMs: readonly number[];
}

interface Death {
  readonly atMs: number;
  /** The spout task that died with it, or null. */
  readonly spout: number | null;
  /** The incarnation that the spout had. */
  readonly incarnation: number;
  redelivered: boolean;
}

const now = (): number => performance.timeOrigin + performance.now();

/** What was handled, as the topology says it. */
class Handled {
  private readonly times: Uint16Array[];
  readonly incarnations = new Array<number>(SPOUT_TASKS).fill(0);
  readonly deaths: Death[] = [];
  readonly redeliveredMs: number[] = [];
  lines = 0;

  constructor(count: number) {
    this.times = Array.from({ length: SPOUT_TASKS }, () => new Uint16Array(count));
  }

  add(line: string): void {
    const [spout = 0, n = 0, incarnation = 0, failedMs = 0] = line.split(' ').map(Number);
    this.lines++;
    this.times[spout]![n]!++;
    this.incarnations[spout] = Math.max(this.incarnations[spout]!, incarnation);
    for (const death of this.deaths) {
      if (death.redelivered) continue;
      // A tree that failed after the death, or a spout that begins again where its progress was kept.
      if (failedMs <= death.atMs && !(death.spout === spout && incarnation > death.incarnation)) continue;
      death.redelivered = true;
      this.redeliveredMs.push(now() - death.atMs);
    }
  }

  get lost(): number {
    return this.times.reduce((sum, each) => sum + each.filter((times) => times === 0).length, 0);
  }
}

/** Runs it to its end. */
export async function runChaos({ seed, seconds, everyMs, rate }: ChaosOptions): Promise<ChaosResult> {
  const count = Math.round(seconds * rate);
  const source: TopologySource = {
    kind: 'module',
    url: new URL('./topologies/records.js', import.meta.url).href,
    settings: { 'records.count': count, 'records.rate': rate, 'records.startedMs': Math.floor(now()) },
  };
  const handled = new Handled(count);
  const run = new TopologyRun({
    source,
    description: describe(await loadTopology(source)),
    workers: WORKERS,
    logger: silentLogger,
    seed,
    print: (line) => {
      handled.add(line);
      return Promise.resolve();
    },
  });
  await run.start();
  const random = new Random(seed);
  let spoutDeaths = 0;
  const kill = (): void => {
    const victim = (random.nextInt32() >>> 0) % WORKERS;
    const spout = victim < SPOUT_TASKS ? victim : null;
    if (spout !== null) spoutDeaths++;
    const incarnation = spout === null ? 0 : handled.incarnations[spout]!;
    handled.deaths.push({ atMs: now(), spout, incarnation, redelivered: false });
    void run.crashWorker(victim);
  };
  const killing = setInterval(kill, everyMs);
  const enough = setTimeout(() => clearInterval(killing), seconds * 1000);
  const { status } = await run.completed;
  clearInterval(killing);
  clearTimeout(enough);
  const { lost } = handled;
  return {
    end: status,
    records: SPOUT_TASKS * count,
    lost,
    duplicates: handled.lines - (SPOUT_TASKS * count - lost),
    deaths: run.status().workerDeaths,
    spoutDeaths,
    redeliveredMs: handled.redeliveredMs.sort((a, b) => a - b),
  };
}

/** For people, in lines. */
export function chaosReport({
  end,
  records,
  lost,
  duplicates,
  deaths,
  spoutDeaths,
  redeliveredMs,
}: ChaosResult): string {
  const at = (share: number): string =>
    (redeliveredMs[Math.floor((redeliveredMs.length - 1) * share)] ?? NaN).toFixed(0);
  return [
    `the topology ${end}; ${records} records, ${lost} lost, ${duplicates} handled more than once`,
    `${deaths} workers died, ${spoutDeaths} of them ran a spout`,
    `from a death to the first tuple delivered again: median ${at(0.5)} ms, 95 % ${at(0.95)} ms, worst ${at(1)} ms (goal: 1000), ${redeliveredMs.length} measured`,
  ].join('\n');
}
