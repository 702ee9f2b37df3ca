// The page for Prometheus, read by a parser of its grammar: every line is one, families stand together, names and
// labels are legal, and what is told is right.

import t, { type Test } from 'tap';
import { prometheusText } from '../../../api/http/prometheus.js';
import type { HostMeasured } from '../../../api/host/service.js';
import { PROMETHEUS_TASKS_MAX } from '../../../engine/limits.js';
import { taskFigures } from '../../../engine/metrics/figures.js';
import { topologyFromDocument } from '../../../engine/model/document.js';
import { builtins } from '../../../engine/connect/registry.js';
import { INGESTING } from '../fake-host.js';
import { metricsOf } from '../fake-metrics.js';

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)\{(.*)\} (NaN|[+-]?Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;

/** Reads a page as version 0.0.4 of the text format has it. */
function parse(t: Test, text: string): ReadonlyMap<string, Family> {
  const families = new Map<string, Family>();
  let current = '';
  t.ok(text.endsWith('\n') && !text.endsWith('\n\n'));
  const lines = text.slice(0, -1).split('\n');
  for (let at = 0; at < lines.length; at++) {
    const help = /^# HELP (\S+) (.*)$/.exec(lines[at]!);
    if (help !== null) {
      current = help[1]!;
      const type = /^# TYPE (\S+) (counter|gauge|summary)$/.exec(lines[++at]!);
      if (type?.[1] !== current || families.has(current)) t.fail(`the head of ${current}: ${lines[at]}`);
      families.set(current, { type: type![2]!, help: help[2]!, samples: [] });
      continue;
    }
    const sample = SAMPLE.exec(lines[at]!);
    if (sample === null) {
      t.fail(`no sample: ${lines[at]}`);
      continue;
    }
    const [, name = '', labels = '', value = ''] = sample;
    if (name.replace(/_(sum|count)$/, '') !== current && name !== current) t.fail(`${name} stands below ${current}`);
    families.get(current)!.samples.push({ name, labels: readLabels(t, labels), value: Number(value) });
  }
  return families;
}

function readLabels(t: Test, text: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const label = LABEL.exec(text);
    if (label === null) {
      t.fail(`no labels: ${text}`);
      return labels;
    }
    labels[label[1]!] = label[2]!.replace(/\\(.)/g, (_, each: string) => (each === 'n' ? '\n' : each));
  }
  return labels;
}

const generator = builtins.get('generator')!;
const registry = new Map([...builtins, ['ingest', { ...generator, type: 'ingest' }]]);

function measured(parallelism = 2, name = 'records'): HostMeasured {
  const { spouts, bolts } = INGESTING;
  const document = { ...INGESTING, name, spouts, bolts: { out: { ...bolts.out, parallelism } } };
  const metrics = metricsOf(topologyFromDocument(document, registry));
  return {
    host: 'a "quoted"\\host',
    version: '1.2.3',
    slots: { total: 8, used: 1 },
    topologies: [
      { name, state: 'active', metrics },
      { name: 'asleep', state: 'inactive', metrics: null },
    ],
  };
}

t.test('every figure of every task is there, as Prometheus reads it', async (t) => {
  const families = parse(t, prometheusText(measured()));
  for (const [key, figure] of Object.entries(taskFigures)) {
    const family = families.get(`millrace_${figure.name}`);
    t.equal(family?.type, figure.type === 'counter' ? 'counter' : 'gauge', key);
    t.equal(figure.name.endsWith('_total'), figure.type === 'counter', `${key}: what only grows is called so`);
    const kind: string | null = 'kind' in figure ? figure.kind : null;
    t.equal(family?.samples.length, kind === null ? 3 : kind === 'spout' ? 1 : 2, key);
  }
  const labels = (task: number) => ({ topology: 'records', component: task === 0 ? 'in' : 'out', task: String(task) });
  t.strictSame(families.get('millrace_emitted_total')?.samples, [
    { name: 'millrace_emitted_total', labels: labels(0), value: 1000 },
    { name: 'millrace_emitted_total', labels: labels(1), value: 1001 },
    { name: 'millrace_emitted_total', labels: labels(2), value: 1002 },
  ]);
  const valueOf = (name: string, at = 0): number | undefined => families.get(`millrace_${name}`)?.samples[at]?.value;
  t.equal(valueOf('stalled_seconds_total'), 4.5, 'in seconds, until now');
  t.equal(valueOf('stalled_ratio'), 0.9);
  t.equal(valueOf('worker_busy_ratio'), 0.9);
  t.strictSame(families.get('millrace_info')?.samples[0]?.labels, { host: 'a "quoted"\\host', version: '1.2.3' });
  t.strictSame(
    families.get('millrace_topology_state')?.samples.map((each) => each.labels),
    [
      { topology: 'records', state: 'active' },
      { topology: 'asleep', state: 'inactive' },
    ],
  );
  t.match(families.get('millrace_component_condition')?.samples[0]?.labels, { component: 'in', condition: 'blocked' });
});

t.test('latencies are summaries in seconds; what code measures has its name as a label', async (t) => {
  const families = parse(t, prometheusText(measured()));
  const latency = families.get('millrace_execute_latency_seconds');
  t.equal(latency?.type, 'summary');
  const found = latency!.samples.map(({ name, labels, value }) => [name, labels['quantile'] ?? null, value]);
  t.strictSame(found, [
    ...['0.5', '0.9', '0.99', '0.999'].map((quantile) => ['millrace_execute_latency_seconds', quantile, 0.004095]),
    ['millrace_execute_latency_seconds_sum', null, 0.008],
    ['millrace_execute_latency_seconds_count', null, 2],
  ]);
  const none = families.get('millrace_process_latency_seconds')!.samples;
  t.ok(Number.isNaN(none[0]!.value), 'nothing recorded has no quantile');
  t.match(families.get('millrace_user_counter_total')?.samples, [
    { labels: { component: 'out', task: '2', name: 'seen' }, value: 5 },
  ]);
  t.match(families.get('millrace_user_gauge')?.samples, [{ labels: { name: 'level' }, value: 0.5 }]);
  t.match(families.get('millrace_user_histogram')?.samples.at(-1), { labels: { name: 'size' }, value: 2 });
});

t.test('a topology of too many tasks is told by component', async (t) => {
  const few = measured(2, 'few');
  const many = measured(PROMETHEUS_TASKS_MAX - 3, 'many');
  const topologies = [...many.topologies, ...few.topologies];
  const families = parse(t, prometheusText({ ...few, topologies }));
  const executed = families.get('millrace_executed_total')!.samples;
  t.equal(executed.filter(({ labels }) => labels['topology'] === 'many').length, PROMETHEUS_TASKS_MAX - 3);
  t.strictSame(
    executed.filter(({ labels }) => labels['topology'] === 'few'),
    [
      {
        name: 'millrace_executed_total',
        labels: { topology: 'few', component: 'out', task: 'all' },
        value: 300,
      },
    ],
  );
});

t.test('a host on which nothing runs', async (t) => {
  const families = parse(t, prometheusText({ host: 'a', version: '1', slots: { total: 2, used: 0 }, topologies: [] }));
  t.strictSame([...families.keys()], ['millrace_info', 'millrace_slots']);
});
