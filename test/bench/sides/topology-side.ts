// A side that runs a topology of Millrace in workers and looks at it from outside, by its counters. When it has
// measured, the spouts stop and the rest drains: each tuple has to have arrived where it belongs, and each tree has to
// be acked, or the figure counts for nothing.

import { silentLogger } from '../../../engine/log.js';
import type { Distribution } from '../../../engine/metrics/histogram.js';
import { describe, type TopologyDescription } from '../../../engine/model/describe.js';
import type { Plan } from '../../../engine/plan/plan.js';
import { loadTopology, type TopologySource } from '../../../engine/worker/module.js';
import { TopologyRun, type TopologyStatus } from '../../../engine/worker/topology-run.js';
import {
  coresSince,
  passing,
  type Counts,
  type LatencyFigures,
  type Measured,
  type Side,
  type Timing,
} from '../measured.js';
import { severalProcesses } from './processes.js';

/** What runs a topology: the engine as it is built, or a copy of it. */
export interface Engine {
  readonly TopologyRun: typeof TopologyRun;
  readonly loadTopology: typeof loadTopology;
}

export interface TopologySideOptions {
  readonly name: string;
  readonly labels: readonly string[];
  /** The name of its module in `topologies/`. */
  readonly topology: string;
  /** Behind the URL of the module, for one that reads it. Default nothing. */
  readonly query?: string;
  readonly workers: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly tracked: boolean;
  /** Nothing ever comes of it: it is not waited for. */
  readonly doesNothing?: boolean;
  /** So many processes with a worker each, linked by TCP. Default 1: threads of this one. */
  readonly processes?: number;
  /** Whether the tasks have been placed as the name of the side says; null: as they have to be. */
  readonly misplaced?: (plan: Plan, description: TopologyDescription) => string | null;
  /** Its spout measures latency itself, in a histogram `latency`. Default false: the complete latency of the engine. */
  readonly ownLatency?: boolean;
  /** Default: the engine as it is. */
  readonly engine?: () => Promise<Engine>;
  /** That engine counts nothing but acked trees, so that nothing else can be checked. Default false. */
  readonly uncounted?: boolean;
}

/** How long what is in flight may take when a side has measured. */
const DRAIN_MS = 20_000;
/** How often it is looked whether a side that has done nothing yet has begun. */
const LOOK_EVERY_MS = 50;

export function topologySide(options: TopologySideOptions): Side {
  return { name: options.name, labels: options.labels, measure: (timing) => measure(options, timing) };
}

async function measure(options: TopologySideOptions, { warmUpMs, measureMs }: Timing): Promise<Measured> {
  const url = new URL(`../topologies/${options.topology}.js${options.query ?? ''}`, import.meta.url).href;
  const source: TopologySource = { kind: 'module', url, settings: options.settings };
  const engine = (await options.engine?.()) ?? { TopologyRun, loadTopology };
  const description = describe(await engine.loadTopology(source));
  const spout = description.components.find(({ kind }) => kind === 'spout')!.id;
  const count = options.processes ?? 1;
  const processes = count > 1 ? await severalProcesses(url, description.config, count) : null;
  const run = new engine.TopologyRun({
    source,
    description,
    ...(processes === null ? {} : { pool: processes.pool }),
    workers: options.workers,
    logger: silentLogger,
    print: () => Promise.resolve(),
  });
  const misplaced = options.misplaced?.(run.plan, description) ?? null;
  if (misplaced !== null) throw new Error(`"${options.name}" is not placed as it says: ${misplaced}`);
  await run.start();
  await passing(warmUpMs);
  const otherCpu = async (): Promise<number> => (await processes?.usedCpu()) ?? 0;
  const done = (): number => {
    const { acked, emitted } = run.status().components[spout]!;
    return options.tracked ? acked : emitted;
  };
  const otherBefore = await otherCpu();
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const before = done();
  await passing(measureMs);
  // A rate of none is no figure: what is slow, or a machine that is, takes as long as it does.
  const isEmpty = (): boolean => done() === before || (options.ownLatency === true && ownLatency(run, spout) === null);
  const waits = options.doesNothing !== true;
  while (waits && isEmpty() && performance.now() - startMs < measureMs + DRAIN_MS) await passing(LOOK_EVERY_MS);
  const elapsedMs = performance.now() - startMs;
  const perSecond = ((done() - before) / elapsedMs) * 1000;
  const cores = coresSince(cpu, elapsedMs) + ((await otherCpu()) - otherBefore) / 1000 / elapsedMs;
  const sampled = completeLatency(run, spout);
  await run.kill({ waitMs: DRAIN_MS });
  const latency = options.ownLatency === true ? ownLatency(run, spout) : options.tracked ? sampled : null;
  await processes?.ended;
  return { perSecond, cores, latency, counts: checked(run.status(), description, options) };
}

/** From the emit to the end of the tree, over the last ten seconds. */
function completeLatency(run: TopologyRun, spout: string): LatencyFigures | null {
  return figuresOf(run.metrics().components[spout]?.completeLatencyMs?.['10s']);
}

function ownLatency(run: TopologyRun, spout: string): LatencyFigures | null {
  return figuresOf(run.metrics().components[spout]?.user.histograms['latency']);
}

function figuresOf(found: Distribution | undefined): LatencyFigures | null {
  if (found === undefined || found.count === 0) return null;
  return { p50Ms: found.p50, p99Ms: found.p99, p999Ms: found.p999, maxMs: found.max };
}

/** @throws Error when something was lost, came twice or failed */
function checked(
  status: TopologyStatus,
  description: TopologyDescription,
  { name, tracked, uncounted = false }: TopologySideOptions,
): Counts {
  let counts: Counts = { emitted: 0, acked: 0, failed: 0, arrived: 0 };
  for (const component of description.components) {
    const { emitted, executed, acked, failed } = status.components[component.id]!;
    if (component.kind === 'spout') {
      counts = { emitted, acked, failed, arrived: 0 };
      if (failed > 0 || (tracked && !uncounted && acked !== emitted)) {
        throw new Error(
          `"${name}": ${component.id} emitted ${emitted}, of which ${acked} were acked and ${failed} failed`,
        );
      }
    } else {
      const sent = component.inputs.reduce((sum, input) => sum + status.components[input.from]!.emitted, 0);
      if (!uncounted && executed !== sent)
        throw new Error(`"${name}": ${sent} tuples were sent to ${component.id}, and it took ${executed}`);
      counts = { ...counts, arrived: executed };
    }
  }
  return counts;
}
