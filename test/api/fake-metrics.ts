// What a host that has no workers says it has measured: the real arithmetic over counters that were written by hand.

import { VirtualClock } from '../../engine/clock.js';
import * as words from '../../engine/metrics/counters.js';
import type { TopologyMetrics } from '../../engine/metrics/snapshot.js';
import type { Topology } from '../../engine/model/definition.js';
import { describe } from '../../engine/model/describe.js';
import type { HostMeasured } from '../../api/host/service.js';
import { builtins } from '../../engine/connect/registry.js';
import { topologyFromDocument } from '../../engine/model/document.js';
import { planTasks } from '../../engine/plan/plan.js';
import { RunReport } from '../../engine/worker/run-report.js';

/** After five seconds in which each task did some of everything; the first one was blocked by the last one. */
export function metricsOf(topology: Topology): TopologyMetrics {
  const description = describe(topology);
  const plan = planTasks(description, topology.config.workers);
  const counters = new words.Counters(plan.tasks.length, plan.workers);
  const clock = new VirtualClock();
  const report = new RunReport(description, plan, counters, clock);
  report.startSampling();
  for (const { task } of plan.tasks) {
    const row = counters.row(task);
    words.beginRow(counters.words, row);
    counters.words[row + words.EMITTED] = 1000 + task;
    counters.words[row + words.TRANSFERRED] = 2000 + task;
    counters.words[row + words.EXECUTED] = 100 * task;
    counters.words[row + words.SAMPLED_CALLS] = 10;
    counters.words[row + words.SAMPLED_MS] = 10;
    counters.histogram(task).record(4);
  }
  for (let worker = 0; worker < plan.workers; worker++) counters.addBusy(worker, 4500);
  counters.words[words.STALLS] = 3;
  counters.words[words.STALLED_MS] = 500;
  counters.words[words.STALLED_SINCE] = 1000;
  counters.words[words.BLOCKED_BY] = plan.tasks.length;
  while (clock.step(5000));
  const last = description.components.at(-1)!;
  report.setMetrics(plan.tasks.at(-1)!.task, 0, {
    counters: [['seen', 5]],
    gauges: [['level', 0.5]],
    histograms: last.kind === 'bolt' ? [['size', { buckets: [143, 2], sum: 8 }]] : [],
  });
  report.state = 'active';
  const metrics = report.snapshot();
  report.finish('completed');
  return metrics;
}

/** A host on which all that can be measured is. */
export function measuredForDocs(): HostMeasured {
  const document = {
    name: 'ticks',
    spouts: { ticks: { type: 'generator', config: { template: { n: 1 } } } },
    bolts: { out: { type: 'log', inputs: [{ from: 'ticks', grouping: 'shuffle' }] } },
  };
  const metrics = metricsOf(topologyFromDocument(document, builtins));
  return {
    host: 'host',
    version: '1',
    slots: { total: 1, used: 1 },
    topologies: [{ name: 'ticks', state: 'active', metrics }],
  };
}
