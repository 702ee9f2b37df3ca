// What the code of all tasks has measured, as the main thread heard it last. A task that is started again counts from
// zero: what its earlier incarnation had counted stays and is added. Pure.

import { Histogram, type SparseHistogram } from './histogram.js';
import type { UserFigures } from './snapshot.js';
import type { MeasuredFigures } from './user-metrics.js';

interface Kept {
  incarnation: number;
  last: MeasuredFigures;
  /** Of incarnations that are over. */
  readonly counters: Map<string, number>;
  readonly histograms: Map<string, Histogram>;
}

const NONE: MeasuredFigures = { counters: [], gauges: [], histograms: [] };

export class KeptUserMetrics {
  private readonly byTask = new Map<number, Kept>();

  set(task: number, incarnation: number, figures: MeasuredFigures): void {
    const kept = this.byTask.get(task) ?? {
      incarnation,
      last: NONE,
      counters: new Map<string, number>(),
      histograms: new Map<string, Histogram>(),
    };
    this.byTask.set(task, kept);
    // What a worker said before it died may be heard after its successor.
    if (incarnation < kept.incarnation) return;
    if (incarnation > kept.incarnation) {
      for (const [name, value] of kept.last.counters) addTo(kept.counters, name, value);
      for (const [name, histogram] of kept.last.histograms) addSparseTo(kept.histograms, name, histogram);
      kept.incarnation = incarnation;
    }
    kept.last = figures;
  }

  /** What those tasks have measured together. */
  of(tasks: readonly number[]): UserFigures {
    const counters = new Map<string, number>();
    const gauges = new Map<string, number>();
    const histograms = new Map<string, Histogram>();
    for (const task of tasks) {
      const kept = this.byTask.get(task);
      if (kept === undefined) continue;
      for (const [name, value] of [...kept.counters, ...kept.last.counters]) addTo(counters, name, value);
      for (const [name, value] of kept.last.gauges) addTo(gauges, name, value);
      for (const [name, histogram] of kept.histograms) addSparseTo(histograms, name, histogram.sparse());
      for (const [name, histogram] of kept.last.histograms) addSparseTo(histograms, name, histogram);
    }
    return {
      counters: Object.fromEntries(counters),
      gauges: Object.fromEntries(gauges),
      histograms: Object.fromEntries([...histograms].map(([name, histogram]) => [name, histogram.distribution()])),
    };
  }
}

function addTo(sums: Map<string, number>, name: string, value: number): void {
  sums.set(name, (sums.get(name) ?? 0) + value);
}

function addSparseTo(all: Map<string, Histogram>, name: string, recorded: SparseHistogram): void {
  const histogram = all.get(name) ?? new Histogram();
  all.set(name, histogram);
  histogram.addSparse(recorded);
}
