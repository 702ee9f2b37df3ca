// How a run ended: a table of components for people, and the last JSON line for programs. The keys of that line are a
// contract: `type`, `topology`, `status`, `seconds`, `components`; more may come. Pure.

import type { WireError } from '../../engine/errors.js';
import type { TopologyDescription } from '../../engine/model/describe.js';
import type { ComponentStatus, TopologyStatus } from '../../engine/worker/topology-run.js';
import { formatCount, formatMs, formatSeconds } from './numbers.js';
import { totalsOf, type CountedComponent } from './progress.js';
import { alignRows } from './table.js';

export type RunEnd = 'completed' | 'killed' | 'failed';

/** The last line of standard output with `--json`. */
export interface Summary {
  readonly type: 'summary';
  /** Null when it failed before its name was known. */
  readonly topology: string | null;
  readonly status: RunEnd;
  readonly seconds: number;
  readonly components: Readonly<Record<string, ComponentSummary>>;
  readonly workers: number;
  readonly workerDeaths: number;
  /** Null when no tree was closed. */
  readonly completeLatency: TopologyStatus['completeLatency'] | null;
  readonly error: Pick<WireError, 'name' | 'code' | 'message' | 'hint' | 'problems'> | null;
}

export interface ComponentSummary {
  readonly emitted: number;
  readonly executed: number;
  readonly acked: number;
  readonly failed: number;
}

/** What the summary is made of. */
export interface RunResult {
  readonly topology: string | null;
  readonly end: RunEnd;
  readonly seconds: number;
  /** The last status, or null when nothing ran. */
  readonly status: SummaryStatus | null;
  readonly error: WireError | null;
}

/** What of a status the summary shows, be it of a run in this process or of a host. */
export interface SummaryStatus extends Pick<TopologyStatus, 'workers' | 'workerDeaths' | 'completeLatency'> {
  readonly components: Readonly<Record<string, CountedComponent & Pick<ComponentStatus, 'parallelism'>>>;
}

export function summaryOf({ topology, end, seconds, status, error }: RunResult): Summary {
  return {
    type: 'summary',
    topology,
    status: end,
    seconds: Math.round(seconds * 1000) / 1000,
    components: Object.fromEntries(
      Object.entries(status?.components ?? {}).map(([id, { emitted, executed, acked, failed }]) => [
        id,
        { emitted, executed, acked, failed },
      ]),
    ),
    workers: status?.workers ?? 0,
    workerDeaths: status?.workerDeaths ?? 0,
    completeLatency: status !== null && status.completeLatency.count > 0 ? status.completeLatency : null,
    error:
      error === null
        ? null
        : { name: error.name, code: error.code, message: error.message, hint: error.hint, problems: error.problems },
  };
}

/** What is said when every task is prepared and spouts begin to emit. */
export function formatStart({ name, components }: TopologyDescription, workers: number): string {
  const tasks = components.reduce((sum, { parallelism }) => sum + parallelism, 0);
  return `${name} runs: ${counted(tasks, 'task')} on ${counted(workers, 'worker')}, Ctrl-C drains`;
}

/** `1 task`, `2,000 tasks`. */
export function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;
}

const COLUMNS = ['component', 'kind', 'tasks', 'emitted', 'executed', 'acked', 'failed'] as const;

/** The summary for people, several lines without a line break at the end. */
export function formatSummary({ topology, end, seconds, status }: RunResult): string {
  const head = `${topology ?? 'the topology'} ${end} after ${formatSeconds(seconds)}`;
  if (status === null) return head;
  const workers = counted(status.workers, 'worker');
  const deaths = status.workerDeaths === 0 ? '' : `, ${status.workerDeaths} replaced after they died`;
  return [`${head} on ${workers}${deaths}`, '', ...formatTable(status), '', formatTrees(status)].join('\n');
}

function formatTable({ components }: SummaryStatus): string[] {
  const rows: readonly (readonly string[])[] = [
    COLUMNS,
    ...Object.entries(components).map(([id, component]) => [
      id,
      component.kind,
      formatCount(component.parallelism),
      formatCount(component.emitted),
      component.kind === 'spout' ? '-' : formatCount(component.executed),
      formatCount(component.acked),
      formatCount(component.failed),
    ]),
  ];
  return alignRows(rows, 2);
}

function formatTrees(status: SummaryStatus): string {
  const { acked, failed } = totalsOf(status);
  const { count, p50Ms, p99Ms, maxMs } = status.completeLatency;
  const trees = `tuple trees: ${formatCount(acked)} acked, ${formatCount(failed)} failed`;
  if (count === 0) return trees;
  return `${trees}; from emit to ack: p50 ${formatMs(p50Ms)}, p99 ${formatMs(p99Ms)}, max ${formatMs(maxMs)}`;
}
