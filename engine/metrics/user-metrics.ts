// What the code of one task measures itself: counters, gauges and histograms by name, a bounded number of them. They
// are plain objects of the worker, and told as a whole when something has changed. On the worker's thread.

import type { ComponentMetrics, Counter, Gauge, UserHistogram } from '../component/context.js';
import { failure } from '../errors.js';
import { USER_METRIC_NAME_MAX, USER_METRICS_MAX } from '../limits.js';
import { shown } from '../model/names.js';
import { Histogram, type SparseHistogram } from './histogram.js';

/** All that one task has measured, as it travels. */
export interface MeasuredFigures {
  readonly counters: readonly (readonly [name: string, value: number])[];
  readonly gauges: readonly (readonly [name: string, value: number])[];
  readonly histograms: readonly (readonly [name: string, histogram: SparseHistogram])[];
}

/** What a user's metric may be called: what a Prometheus label and a path of JSON hold without being quoted. */
const NAME = new RegExp(`^[A-Za-z][A-Za-z0-9_.-]{0,${USER_METRIC_NAME_MAX - 1}}$`);

type Kind = 'counter' | 'gauge' | 'histogram';

export class UserMetrics implements ComponentMetrics {
  private readonly component: string;
  private readonly task: number;
  private readonly changed: () => void;
  private readonly kinds = new Map<string, Kind>();
  private readonly counters = new Map<string, UserCounter>();
  private readonly gauges = new Map<string, UserGauge>();
  private readonly histograms = new Map<string, RecordingHistogram>();

  /** @param changed - called at each change */
  constructor(component: string, task: number, changed: () => void) {
    this.component = component;
    this.task = task;
    this.changed = changed;
  }

  counter(name: string): Counter {
    return this.of(this.counters, 'counter', name, (refuse) => new UserCounter(refuse, this.changed));
  }

  gauge(name: string): Gauge {
    return this.of(this.gauges, 'gauge', name, (refuse) => new UserGauge(refuse, this.changed));
  }

  histogram(name: string): UserHistogram {
    return this.of(this.histograms, 'histogram', name, (refuse) => new RecordingHistogram(refuse, this.changed));
  }

  figures(): MeasuredFigures {
    return {
      counters: [...this.counters].map(([name, { value }]) => [name, value]),
      gauges: [...this.gauges].flatMap(([name, { value }]) => (value === null ? [] : [[name, value] as const])),
      histograms: [...this.histograms].map(([name, { recorded }]) => [name, recorded.sparse()]),
    };
  }

  private of<T>(known: Map<string, T>, kind: Kind, name: string, make: (refuse: Refuse) => T): T {
    const found = known.get(name);
    if (found !== undefined) return found;
    this.check(kind, name);
    const { component } = this;
    const made = make((value) => failure('MILLRACE_METRICS_VALUE', { kind, name, component, actual: shown(value) }));
    this.kinds.set(name, kind);
    known.set(name, made);
    return made;
  }

  private check(kind: Kind, name: string): void {
    const { component, task } = this;
    if (typeof name !== 'string' || !NAME.test(name)) {
      throw failure('MILLRACE_METRICS_NAME', { component, actual: shown(name), lengthMax: USER_METRIC_NAME_MAX });
    }
    const other = this.kinds.get(name);
    if (other !== undefined) throw failure('MILLRACE_METRICS_KIND', { component, name, kind, other });
    if (this.kinds.size >= USER_METRICS_MAX) {
      throw failure('MILLRACE_METRICS_TOO_MANY', { component, task, name, metricsMax: USER_METRICS_MAX });
    }
  }
}

/** Makes the error for a value that it cannot take. */
type Refuse = (value: unknown) => Error;

class UserCounter implements Counter {
  value = 0;
  private readonly refuse: Refuse;
  private readonly changed: () => void;

  constructor(refuse: Refuse, changed: () => void) {
    this.refuse = refuse;
    this.changed = changed;
  }

  add(amount = 1): void {
    if (!Number.isFinite(amount) || amount < 0) throw this.refuse(amount);
    this.value += amount;
    this.changed();
  }
}

class UserGauge implements Gauge {
  /** Null until it is set. */
  value: number | null = null;
  private readonly refuse: Refuse;
  private readonly changed: () => void;

  constructor(refuse: Refuse, changed: () => void) {
    this.refuse = refuse;
    this.changed = changed;
  }

  set(value: number): void {
    if (!Number.isFinite(value)) throw this.refuse(value);
    this.value = value;
    this.changed();
  }
}

class RecordingHistogram implements UserHistogram {
  readonly recorded = new Histogram();
  private readonly refuse: Refuse;
  private readonly changed: () => void;

  constructor(refuse: Refuse, changed: () => void) {
    this.refuse = refuse;
    this.changed = changed;
  }

  record(value: number): void {
    if (!Number.isFinite(value) || value < 0) throw this.refuse(value);
    this.recorded.record(value);
    this.changed();
  }
}
