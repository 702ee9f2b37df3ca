// What benchmarks compare: sides, each of which does the same work in its own way for some seconds and says how much it
// did. Only types, and how processor time becomes cores.

/** Percentiles of latency in milliseconds. */
export interface LatencyFigures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** What became of everything that was emitted, from the start to the end of a run, warm-up included. */
export interface Counts {
  readonly emitted: number;
  /** Trees that were fully processed; 0 where nothing is tracked. */
  readonly acked: number;
  readonly failed: number;
  /** What was taken by the last bolt, in its own unit: words where the spout emits sentences. */
  readonly arrived: number;
}

export interface Measured {
  /** Units of work (what the spout emits) a second; tracked ones when their trees are done. */
  readonly perSecond: number;
  /** CPU cores used: processor time of all processes that took part, over wall time. */
  readonly cores: number;
  readonly latency: LatencyFigures | null;
  readonly counts: Counts;
}

export interface Timing {
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface Side {
  readonly name: string;
  /** What a selection on the command line may ask for: `words/one/tracked`. */
  readonly labels: readonly string[];
  measure(timing: Timing): Promise<Measured>;
}

/** Sides of which the first is the one that the others are compared with. */
export type Group = readonly [reference: Side, ...others: Side[]];

/** Cores that this process has used since then. */
export function coresSince(before: NodeJS.CpuUsage, elapsedMs: number): number {
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1000 / elapsedMs;
}

export function passing(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
