// What a worker's components have to tell the supervisor: printed lines, progress of spouts, metrics of their own. Each
// is gathered for a moment, so that a busy component costs a message a turn and not one a call. On the worker's thread.

import type { Clock, Timer } from '../clock.js';
import { UserMetrics } from '../metrics/user-metrics.js';
import type { Checkpoint, FromWorker } from './messages.js';

/** How long progress and metrics are gathered. */
const GATHER_MS = 200;

export class Reports {
  private readonly clock: Clock;
  private readonly post: (message: FromWorker) => void;
  private readonly kept = new Map<string, unknown>();
  private readonly changed = new Map<string, Checkpoint>();
  private readonly metricsChanged = new Map<UserMetrics, { readonly task: number; readonly incarnation: number }>();
  private lines: string[] = [];
  private readonly unwritten: (() => void)[] = [];
  private gathering: Timer | null = null;

  constructor(clock: Clock, checkpoints: readonly Checkpoint[], post: (message: FromWorker) => void) {
    this.clock = clock;
    this.post = post;
    for (const each of checkpoints) this.kept.set(keyOf(each.component, each.partition), each.progress);
  }

  /** What is kept of those components, as their spouts left it elsewhere. What was said here since then is newer. */
  restore(components: ReadonlySet<string>, checkpoints: readonly Checkpoint[]): void {
    for (const key of this.kept.keys()) {
      if (components.has(key.slice(0, key.indexOf('\n'))) && !this.changed.has(key)) this.kept.delete(key);
    }
    for (const { component, partition, progress } of checkpoints) {
      const key = keyOf(component, partition);
      if (!this.changed.has(key)) this.kept.set(key, progress);
    }
  }

  /** Resolves when the line is written out. */
  print(line: string): Promise<void> {
    this.lines.push(line);
    if (this.lines.length === 1) setImmediate(() => this.sendLines());
    return new Promise((resolve) => this.unwritten.push(resolve));
  }

  printed(count: number): void {
    for (const confirm of this.unwritten.splice(0, count)) confirm();
  }

  checkpoint(checkpoint: Checkpoint): void {
    const key = keyOf(checkpoint.component, checkpoint.partition);
    if (checkpoint.progress === undefined) this.kept.delete(key);
    else this.kept.set(key, checkpoint.progress);
    this.changed.set(key, checkpoint);
    this.gather();
  }

  restored(component: string, partition: string): unknown {
    return this.kept.get(keyOf(component, partition));
  }

  /** What the code of that task measures itself; told whenever it has changed. */
  metricsOf(component: string, task: number, incarnation: number): UserMetrics {
    const changed = (): void => {
      if (this.metricsChanged.has(metrics)) return;
      this.metricsChanged.set(metrics, { task, incarnation });
      this.gather();
    };
    const metrics = new UserMetrics(component, task, changed);
    return metrics;
  }

  /** Sends all that is gathered. */
  flush(): void {
    this.gathering?.cancel();
    this.gathering = null;
    this.sendLines();
    for (const checkpoint of this.changed.values()) this.post({ type: 'checkpoint', checkpoint });
    this.changed.clear();
    for (const [metrics, { task, incarnation }] of this.metricsChanged) {
      this.post({ type: 'metrics', task, incarnation, figures: metrics.figures() });
    }
    this.metricsChanged.clear();
  }

  private gather(): void {
    this.gathering ??= this.clock.after(GATHER_MS, () => {
      this.gathering = null;
      this.flush();
    });
  }

  private sendLines(): void {
    if (this.lines.length === 0) return;
    const lines = this.lines;
    this.lines = [];
    this.post({ type: 'print', lines });
  }
}

function keyOf(component: string, partition: string): string {
  return `${component}\n${partition}`;
}
