// The progress of a run, as one line for a terminal and as one JSON object a second: rate, acked, failed, in flight,
// p99. Pure: it is given statuses, and says how they look.

import type { ComponentStatus, TopologyStatus } from '../../engine/worker/topology-run.js';
import { formatCount, formatMs, formatSeconds, formatShort } from './numbers.js';

/** What of a component is added up. */
export type CountedComponent = Pick<ComponentStatus, 'kind' | 'emitted' | 'executed' | 'acked' | 'failed'>;

/** What of a status the progress shows, be it of a run in this process or of a host. */
export interface ProgressStatus extends Pick<TopologyStatus, 'name' | 'seconds' | 'openTrees' | 'completeLatency'> {
  readonly state: string;
  readonly components: Readonly<Record<string, CountedComponent>>;
}

/** The sums over a topology. */
export interface Totals {
  /** Tuples that spouts emitted. */
  readonly emitted: number;
  /** Tuples that bolts executed. */
  readonly executed: number;
  /** Trees that are fully processed. */
  readonly acked: number;
  /** Trees that failed. */
  readonly failed: number;
}

export function totalsOf({ components }: Pick<ProgressStatus, 'components'>): Totals {
  const totals = { emitted: 0, executed: 0, acked: 0, failed: 0 };
  for (const component of Object.values(components)) {
    totals.executed += component.executed;
    if (component.kind !== 'spout') continue;
    totals.emitted += component.emitted;
    totals.acked += component.acked;
    totals.failed += component.failed;
  }
  return totals;
}

const SAMPLES_MAX = 9;

/** Executed tuples a second over the last few statuses, so that the figure does not flicker. */
export class Rate {
  private readonly samples: { readonly seconds: number; readonly executed: number }[] = [];

  /** Takes the newest figures and gives the rate. */
  next(seconds: number, executed: number): number {
    this.samples.push({ seconds, executed });
    if (this.samples.length > SAMPLES_MAX) this.samples.shift();
    const first = this.samples[0];
    if (first === undefined || seconds <= first.seconds) return 0;
    return Math.max(0, (executed - first.executed) / (seconds - first.seconds));
  }
}

/** The progress line, with as many of its parts as fit into that many columns. */
export function formatProgress(status: ProgressStatus, ratePerSecond: number, columns: number): string {
  const totals = totalsOf(status);
  const state = status.state === 'active' ? '' : ` ${status.state}`;
  const parts = [
    `${status.name}${state}`,
    `${formatShort(ratePerSecond)} tuples/s`,
    `acked ${formatCount(totals.acked)}`,
    `failed ${formatCount(totals.failed)}`,
    `in flight ${formatCount(status.openTrees)}`,
    ...(status.completeLatency.count > 0 ? [`p99 ${formatMs(status.completeLatency.p99Ms)}`] : []),
    formatSeconds(Math.floor(status.seconds)).replace(/\.\d+/, ''),
  ];
  let line = '';
  for (const part of parts) {
    const longer = line === '' ? part : `${line}  ${part}`;
    if (longer.length > columns) break;
    line = longer;
  }
  return line === '' ? status.name.slice(0, Math.max(0, columns)) : line;
}

/** The progress as a JSON line. */
export function progressObject(status: ProgressStatus, ratePerSecond: number): { readonly type: 'progress' } & Totals {
  const object = {
    type: 'progress',
    topology: status.name,
    state: status.state,
    seconds: Math.round(status.seconds * 1000) / 1000,
    tuplesPerSecond: Math.round(ratePerSecond),
    ...totalsOf(status),
    inFlight: status.openTrees,
    p99Ms: status.completeLatency.count > 0 ? status.completeLatency.p99Ms : null,
  } as const;
  return object;
}
