// What a benchmark compares: each side does the same work in its own way for some seconds and says how much it did.

import { describe } from '../../engine/model/describe.js';
import { loadTopology, type TopologySource } from '../../engine/worker/module.js';
import { TopologyRun, type TopologyStatus } from '../../engine/worker/topology-run.js';
import { silentLogger } from '../../engine/log.js';
import { twoProcesses } from './second-process.js';
import { sentences } from './sentences.js';

export interface Measured {
  /** Units of work (sentences) a second. */
  readonly perSecond: number;
  /** CPU cores used: processor time over wall time. */
  readonly cores: number;
  /** Percentiles of complete latency in milliseconds, where there are any. */
  readonly latency: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number } | null;
}

export interface Side {
  readonly name: string;
  measure(warmUpMs: number, measureMs: number): Promise<Measured>;
}

/** The plain loop: the same splitting and counting with a Map, in this thread, without a queue, a thread or an ack. */
export const plainLoop: Side = {
  name: 'plain loop',
  measure: (warmUpMs, measureMs) => {
    const counts = new Map<string, number>();
    countFor(counts, warmUpMs);
    const cpu = process.cpuUsage();
    const startMs = performance.now();
    const done = countFor(counts, measureMs);
    const elapsedMs = performance.now() - startMs;
    return Promise.resolve({ perSecond: (done / elapsedMs) * 1000, cores: coresSince(cpu, elapsedMs), latency: null });
  },
};

function countFor(counts: Map<string, number>, forMs: number): number {
  const endMs = performance.now() + forMs;
  let done = 0;
  while (performance.now() < endMs) {
    for (let i = 0; i < 1000; i++) {
      const words = sentences[done++ % sentences.length]!.split(' ');
      for (let w = 0; w < words.length; w++) counts.set(words[w]!, (counts.get(words[w]!) ?? 0) + 1);
    }
  }
  return done;
}

/** What runs a topology: the engine as it is built, or a copy of it. */
export interface Engine {
  readonly TopologyRun: typeof TopologyRun;
  readonly loadTopology: typeof loadTopology;
}

export interface TopologySideOptions {
  readonly name: string;
  /** The module of the topology, beside this one. */
  readonly module: string;
  readonly workers: number;
  readonly settings: Readonly<Record<string, unknown>>;
  /** The spout whose progress is counted. */
  readonly spout: string;
  readonly tracked: boolean;
  /** Two processes with a worker each, linked by TCP. Default false: threads of this one. */
  readonly processes?: boolean;
  /** Default: the engine as it is. */
  readonly engine?: () => Promise<Engine>;
}

/** A topology in worker threads, from outside: what its counters say. */
export function topologySide(options: TopologySideOptions): Side {
  return {
    name: options.name,
    measure: async (warmUpMs, measureMs) => {
      const url = new URL(options.module, import.meta.url).href;
      const source: TopologySource = { kind: 'module', url, settings: options.settings };
      const engine = (await options.engine?.()) ?? { TopologyRun, loadTopology };
      const description = describe(await engine.loadTopology(source));
      const processes = options.processes === true ? await twoProcesses(url, description.config) : null;
      const otherCpu = async (): Promise<number> => (await processes?.usedCpu()) ?? 0;
      const run = new engine.TopologyRun({
        source,
        description,
        ...(processes === null ? {} : { pool: processes.pool }),
        workers: options.workers,
        logger: silentLogger,
        print: () => Promise.resolve(),
      });
      await run.start();
      await passing(warmUpMs);
      const done = (): number => progress(run.status(), options);
      const otherBefore = await otherCpu();
      const cpu = process.cpuUsage();
      const startMs = performance.now();
      const before = done();
      await passing(measureMs);
      const elapsedMs = performance.now() - startMs;
      const perSecond = ((done() - before) / elapsedMs) * 1000;
      const cores = coresSince(cpu, elapsedMs) + ((await otherCpu()) - otherBefore) / 1000 / elapsedMs;
      const { completeLatency } = run.status();
      await run.kill();
      return { perSecond, cores, latency: options.tracked ? completeLatency : null };
    },
  };
}

function progress(status: TopologyStatus, options: TopologySideOptions): number {
  const spout = status.components[options.spout]!;
  return options.tracked ? spout.acked : spout.emitted;
}

function coresSince(before: NodeJS.CpuUsage, elapsedMs: number): number {
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1000 / elapsedMs;
}

function passing(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
