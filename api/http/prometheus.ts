// What is measured on a host, in the text format of Prometheus (prometheus.io, "Exposition formats", version 0.0.4):
//
//   # HELP millrace_executed_total Calls of `execute`.
//   # TYPE millrace_executed_total counter
//   millrace_executed_total{topology="words",component="count",task="3"} 21933
//
// All samples of a family stand together. The number of series is bounded: topologies beyond so many tasks are told by
// component, with `task="all"`. Pure, main thread.

import { PROMETHEUS_TASKS_MAX } from '../../engine/limits.js';
import { recentFigures, taskFigures, type Figure } from '../../engine/metrics/figures.js';
import type { Distribution } from '../../engine/metrics/histogram.js';
import type { ComponentSnapshot, Distributions, TaskSnapshot, TopologyMetrics } from '../../engine/metrics/snapshot.js';
import type { HostMeasured } from '../host/service.js';

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const PREFIX = 'millrace_';
const QUANTILES = [
  ['0.5', 'p50'],
  ['0.9', 'p90'],
  ['0.99', 'p99'],
  ['0.999', 'p999'],
] as const satisfies readonly (readonly [string, keyof Distribution])[];

type Labels = Readonly<Record<string, string | number>>;

/** What has the figures of a task: one, or all of a component together. */
interface Row {
  readonly labels: Labels;
  readonly kind: 'spout' | 'bolt';
  readonly of: ComponentSnapshot | TaskSnapshot;
}

interface ComponentRow {
  readonly labels: Labels;
  readonly component: ComponentSnapshot;
}

/** The page, with a line break at its end. */
export function prometheusText(measured: HostMeasured): string {
  const page = new Page();
  addHost(page, measured);
  const running = measured.topologies.flatMap(({ metrics }) => (metrics === null ? [] : [metrics]));
  const rows = taskRows(running);
  addFigures(page, rows);
  const components = componentRows(running);
  addConditions(page, components);
  addLatencies(page, components);
  addUserMetrics(page, rows, components);
  return page.text;
}

function addHost(page: Page, { host, version, slots, topologies }: HostMeasured): void {
  page.family('info', 'gauge', 'The host, with its version; always 1.', [[{ host, version }, 1]]);
  page.family('slots', 'gauge', 'Room for workers on this host.', [
    [{ state: 'total' }, slots.total],
    [{ state: 'used' }, slots.used],
  ]);
  page.family(
    'topology_state',
    'gauge',
    'The state that each topology is in; always 1.',
    topologies.map(({ name, state }) => [{ topology: name, state }, 1]),
  );
  const running = topologies.flatMap(({ metrics }) => (metrics === null ? [] : [metrics]));
  page.family(
    'topology_seconds',
    'gauge',
    'How long each topology has run on this host.',
    running.map(({ name, seconds }) => [{ topology: name }, seconds]),
  );
  page.family(
    'worker_deaths_total',
    'counter',
    'Workers that died and were replaced.',
    running.map(({ name, workerDeaths }) => [{ topology: name }, workerDeaths]),
  );
  page.family(
    'worker_busy_ratio',
    'gauge',
    'The share of the last ten seconds that the turns of each worker took.',
    running.flatMap(({ name, workers }) =>
      workers.map(({ worker, busy }) => [{ topology: name, worker }, busy['10s']] as const),
    ),
  );
}

function taskRows(running: readonly TopologyMetrics[]): readonly Row[] {
  let left = PROMETHEUS_TASKS_MAX;
  return running.flatMap(({ name, components }) => {
    const entries = Object.entries(components);
    const tasks = entries.reduce((sum, [, component]) => sum + component.tasks.length, 0);
    const fits = tasks <= left;
    if (fits) left -= tasks;
    return entries.flatMap(([id, component]): readonly Row[] => {
      const { kind } = component;
      const labels = { topology: name, component: id };
      if (!fits) return [{ labels: { ...labels, task: 'all' }, kind, of: component }];
      return component.tasks.map((task) => ({ labels: { ...labels, task: task.task }, kind, of: task }));
    });
  });
}

function componentRows(running: readonly TopologyMetrics[]): readonly ComponentRow[] {
  return running.flatMap(({ name, components }) =>
    Object.entries(components).map(([id, component]) => ({
      labels: { topology: name, component: id },
      component,
    })),
  );
}

function addFigures(page: Page, rows: readonly Row[]): void {
  for (const [key, figure] of Object.entries(taskFigures) as [keyof typeof taskFigures, Figure][]) {
    const { name, type, kind, help, perUnit = 1 } = figure;
    const samples = rows
      .filter((row) => kind === undefined || row.kind === kind)
      .map(({ labels, of }) => [labels, of[key] / perUnit] as const);
    page.family(name, type === 'counter' ? 'counter' : 'gauge', help, samples);
  }
  for (const key of ['busy', 'capacity', 'stalled', 'waitedForAcks'] as const) {
    const { name, help } = recentFigures[key];
    const samples = rows
      .filter((row) => key !== 'waitedForAcks' || row.kind === 'spout')
      .map(({ labels, of }) => [labels, of.windows['10s'][key]] as const);
    page.family(name, 'gauge', `${help} Over the last ten seconds.`, samples);
  }
}

function addConditions(page: Page, rows: readonly ComponentRow[]): void {
  page.family(
    'component_condition',
    'gauge',
    'What each component does, or what keeps it from it; always 1.',
    rows.map(({ labels, component }) => [{ ...labels, condition: component.condition.state }, 1]),
  );
}

function addLatencies(page: Page, rows: readonly ComponentRow[]): void {
  const add = (name: string, help: string, of: (component: ComponentSnapshot) => Distributions | null): void => {
    const all = rows.flatMap(({ labels, component }) => {
      const found = of(component);
      return found === null ? [] : [{ labels, recent: found['10m'], whole: found.all }];
    });
    page.summary(name, `${help} Sampled; quantiles of the last ten minutes.`, 1000, all);
  };
  add('execute_latency_seconds', 'How long calls of `execute` took.', (each) => each.executeLatencyMs);
  add(
    'process_latency_seconds',
    'How long tuples that outlived their calls took until they were settled.',
    (each) => each.processLatencyMs,
  );
  add('complete_latency_seconds', 'From emit to the end of acked trees.', (each) => each.completeLatencyMs);
}

function addUserMetrics(page: Page, rows: readonly Row[], components: readonly ComponentRow[]): void {
  const series = (kind: 'counters' | 'gauges') =>
    rows.flatMap(({ labels, of }) =>
      Object.entries(of.user[kind]).map(([name, value]) => [{ ...labels, name }, value] as const),
    );
  page.family('user_counter_total', 'counter', 'Counters of the code of components.', series('counters'));
  page.family('user_gauge', 'gauge', 'Gauges of the code of components.', series('gauges'));
  const histograms = components.flatMap(({ labels, component }) =>
    Object.entries(component.user.histograms).map(([name, whole]) => ({
      labels: { ...labels, name },
      recent: whole,
      whole,
    })),
  );
  page.summary('user_histogram', 'Histograms of the code of components; quantiles since the start.', 1, histograms);
}

/** Writes families one after the other; one without samples is left out. */
class Page {
  text = '';

  family(
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    samples: readonly (readonly [labels: Labels, value: number])[],
  ): void {
    if (samples.length === 0) return;
    this.head(name, type, help);
    for (const [labels, value] of samples) this.sample(name, labels, value);
  }

  /** @param perUnit - how many of what was recorded are one of the unit that is shown */
  summary(
    name: string,
    help: string,
    perUnit: number,
    all: readonly { readonly labels: Labels; readonly recent: Distribution; readonly whole: Distribution }[],
  ): void {
    if (all.length === 0) return;
    this.head(name, 'summary', help);
    for (const { labels, recent, whole } of all) {
      for (const [quantile, key] of QUANTILES) {
        const value = recent.count > 0 ? recent[key] / perUnit : Number.NaN;
        this.sample(name, { ...labels, quantile }, value);
      }
      this.sample(`${name}_sum`, labels, whole.sum / perUnit);
      this.sample(`${name}_count`, labels, whole.count);
    }
  }

  private head(name: string, type: string, help: string): void {
    this.text += `# HELP ${PREFIX}${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`;
    this.text += `# TYPE ${PREFIX}${name} ${type}\n`;
  }

  private sample(name: string, labels: Labels, value: number): void {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(String(text))}"`);
    this.text += `${PREFIX}${name}{${pairs.join(',')}} ${value}\n`;
  }
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
