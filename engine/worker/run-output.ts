// What the components of a run say and keep: printed lines, logs, progress of spouts and measures of their own, from
// the workers to whoever takes them. On the main thread.

import type { FromWorker, Checkpoint, ToWorker } from './messages.js';
import { charactersOf } from './backlog.js';
import type { Printer } from './printer.js';
import type { TopologyRunOptions } from './run-options.js';
import type { RunReport } from './run-report.js';
import type { Seat } from './seats.js';

export interface RunOutputParts {
  readonly options: Pick<TopologyRunOptions, 'logger' | 'onCheckpoint' | 'checkpoints'>;
  readonly printer: Printer;
  readonly report: RunReport;
  readonly post: (seat: Seat, message: ToWorker) => void;
}

export class RunOutput {
  /** The progress that spouts kept last, by component and partition. */
  readonly checkpoints = new Map<string, Checkpoint>();
  private readonly parts: RunOutputParts;

  constructor(parts: RunOutputParts) {
    this.parts = parts;
    for (const checkpoint of parts.options.checkpoints ?? []) this.keep(checkpoint);
  }

  /** False when the message is of something else. */
  heard(seat: Seat, message: FromWorker): boolean {
    const { options, printer, report, post } = this.parts;
    switch (message.type) {
      case 'checkpoint':
        this.keep(message.checkpoint);
        options.onCheckpoint?.(message.checkpoint);
        return true;
      case 'print':
        printer.print(message.lines, () => post(seat, { type: 'printed', count: message.lines.length }));
        return true;
      case 'output':
        printer.print(message.lines, () => seat.backlog.taken(charactersOf(message.lines)));
        return true;
      case 'log':
        options.logger[message.level](`${message.component}: ${message.message}`);
        seat.backlog.taken(message.message.length);
        return true;
      case 'metrics':
        report.setMetrics(message.task, message.incarnation, message.figures);
        return true;
      default:
        return false;
    }
  }

  /** That is what spouts have kept, and nothing else. */
  restore(checkpoints: readonly Checkpoint[]): void {
    this.checkpoints.clear();
    for (const checkpoint of checkpoints) this.keep(checkpoint);
  }

  private keep(checkpoint: Checkpoint): void {
    const key = `${checkpoint.component}\n${checkpoint.partition}`;
    if (checkpoint.progress === undefined) this.checkpoints.delete(key);
    else this.checkpoints.set(key, checkpoint);
  }
}
