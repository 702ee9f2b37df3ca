// How a worker ends: asked to, it closes its components and says what is left to say; abandoned, it is as if its thread
// had crashed. On the worker's thread.
//
//   stop ─► no turn, no timer, no restart any more ─► every component closed ─► links closed ─► last reports ─► stopped

import type { MessagePort } from 'node:worker_threads';
import type { TcpEndpoint } from '../link/tcp/endpoint.js';
import { NOT_ACTIVE } from '../task/gate.js';
import type { Activity } from './activity.js';
import type { Changes } from './changes.js';
import type { Crew } from './crew.js';
import type { FromWorker } from './messages.js';
import type { Reports } from './reports.js';
import type { TaskRestarts } from './supervision/task-restarts.js';
import type { Turns } from './turns.js';
import type { WorkerLinks } from './worker-links.js';

/** The parts of a worker that have an end. */
export interface EndingParts {
  readonly control: MessagePort;
  readonly turns: Turns;
  readonly crew: Crew;
  readonly restarts: TaskRestarts;
  readonly activity: Activity;
  readonly changes: Changes;
  readonly links: WorkerLinks;
  readonly endpoint: TcpEndpoint | null;
  readonly reports: Reports;
  publishCounts(): void;
  post(message: FromWorker): void;
}

export class Ending {
  private readonly parts: EndingParts;

  constructor(parts: EndingParts) {
    this.parts = parts;
  }

  /** As a crash would: nothing is closed, what is under way is lost. */
  abandon(): void {
    this.halt();
    this.disconnect();
    this.parts.control.close();
  }

  /** @param wasActive - its tasks were started */
  async stop(wasActive: boolean): Promise<void> {
    const { crew, activity, changes, reports, control } = this.parts;
    this.halt();
    const { living } = crew;
    for (const { task } of living) task.gate |= NOT_ACTIVE;
    for (const each of living) crew.abort(each);
    await Promise.all(living.map((each) => crew.close(each, activity, wasActive)));
    await changes.closed();
    this.disconnect();
    reports.flush();
    this.parts.publishCounts();
    this.parts.post({ type: 'stopped' });
    control.close();
  }

  private halt(): void {
    const { turns, restarts, crew } = this.parts;
    turns.stop();
    restarts.end();
    crew.stopTimers();
  }

  private disconnect(): void {
    this.parts.links.close();
    this.parts.endpoint?.close();
  }
}
