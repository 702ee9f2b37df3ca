// Runs the topology `faulty` on real threads, without coverage in them: Node's dies, and the process with it, now and
// then when a thread that it counts for is ended while it is out of memory.

import { RealClock, type Timer } from '../../../../engine/clock.js';
import { silentLogger } from '../../../../engine/log.js';
import { describe } from '../../../../engine/model/describe.js';
import { loadTopology, type TopologySource } from '../../../../engine/worker/module.js';
import type { Outcome, TopologyStatus } from '../../../../engine/worker/topology-run.js';
import { TopologyRun } from '../../../../engine/worker/topology-run.js';

delete process.env['NODE_V8_COVERAGE'];

export interface Faulty {
  readonly trouble?: string;
  readonly tuples?: number;
  readonly at?: number;
  readonly times?: number;
  readonly loads?: string;
  readonly workers?: number;
  /** How much faster than the machine's the supervisor's clock is. */
  readonly speed?: number;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly printed?: (line: string, run: TopologyRun) => void;
}

export interface Ended {
  readonly outcome: Outcome;
  readonly status: TopologyStatus;
  readonly lines: readonly string[];
}

/** The machine's clock, so many times as fast: waits of minutes are over in seconds. */
class FastClock extends RealClock {
  private readonly speed: number;

  constructor(speed: number) {
    super();
    this.speed = speed;
  }

  override now(): number {
    return super.now() * this.speed;
  }

  override after(delayMs: number, call: () => void): Timer {
    return super.after(delayMs / this.speed, call);
  }
}

/** Makes a run that is not started yet. */
export async function faultyRun(faulty: Faulty, lines: string[] = []): Promise<TopologyRun> {
  const { workers = 2, settings = {}, speed = 1, printed, ...query } = faulty;
  const url = new URL('../topologies/faulty.js', import.meta.url);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, String(value));
  const source: TopologySource = { kind: 'module', url: url.href, settings };
  const run: TopologyRun = new TopologyRun({
    source,
    description: describe(await loadTopology(source)),
    workers,
    logger: silentLogger,
    seed: 1,
    clock: new FastClock(speed),
    print: (line) => {
      lines.push(line);
      printed?.(line, run);
      return Promise.resolve();
    },
  });
  return run;
}

/** Runs it to its end. */
export async function runFaulty(faulty: Faulty): Promise<Ended> {
  const lines: string[] = [];
  const run = await faultyRun(faulty, lines);
  await run.start();
  const outcome = await run.completed;
  return { outcome, status: run.status(), lines };
}

/** The numbers that the bolt has handled, each once, sorted. */
export function numbersIn(lines: readonly string[]): number[] {
  return [...new Set(lines.map((line) => Number(line.replace('value ', ''))))].sort((a, b) => a - b);
}
