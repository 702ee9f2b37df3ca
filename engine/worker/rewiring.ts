// What follows in a worker when another one died, or the link to it was lost: a new link, behind which the tasks are
// new ones or the same, and ends that were passed on are undone or told again. On the worker's thread.

import type { Link } from '../link/link.js';
import type { TopologyDescription } from '../model/describe.js';
import { downstreamOf, type Plan } from '../plan/plan.js';
import type { Changes } from './changes.js';
import type { Crew } from './crew.js';
import type { CycleMembers } from './cycle-members.js';
import type { PeerLink } from './messages.js';
import type { WorkerLinks } from './worker-links.js';

export interface RewiringParts {
  readonly description: TopologyDescription;
  readonly crew: Crew;
  readonly links: WorkerLinks;
  readonly changes: Changes;
  readonly cycles: CycleMembers;
}

export class Rewiring {
  private readonly parts: RewiringParts;

  constructor(parts: RewiringParts) {
    this.parts = parts;
  }

  /**
   * A new link leads to another worker. If that is a new one too, its tasks are, and what they and those below them
   * ended is open again.
   */
  relink(plan: Plan, revision: number, peer: PeerLink, restarted: boolean, incarnations: readonly number[]): void {
    const { links, changes } = this.parts;
    const behind = plan.tasks.filter((task) => task.worker === peer.worker);
    const tasks = new Set(behind.map((task) => task.task));
    const gone = restarted ? changes.workerDied(peer.worker) : changes.leavingAt(peer.worker);
    links.cut(peer.worker, [...tasks, ...gone], incarnations);
    const link = links.add(peer);
    // First who runs again: an end that is undone must not be told to the new tasks.
    if (restarted) this.reopen(plan, revision, new Set(behind.map((task) => task.component)), tasks);
    // Markers that were on their way are told before all that follows them.
    else changes.markAgain(peer.worker, link);
    this.redirect(tasks, link, revision);
    changes.sendEndsOfLeft(tasks, link);
    link.open();
  }

  /** A worker died that was not to be there any longer. */
  gone(worker: number): void {
    const { links, changes } = this.parts;
    links.cut(worker, changes.workerDied(worker), []);
  }

  /** Sends to the new link what went to the old one; who had ended tells the tasks behind it so. */
  private redirect(tasks: ReadonlySet<number>, link: Link, revision: number): void {
    for (const { task } of this.parts.crew.living) {
      const told = new Set<number>();
      for (const target of task.targets()) {
        if (!tasks.has(target.task)) continue;
        target.redirect(link, task);
        if (!task.ended || told.has(target.task)) continue;
        told.add(target.task);
        target.channel!.pushEnd(revision, false);
      }
    }
  }

  private reopen(plan: Plan, revision: number, components: ReadonlySet<string>, restarted: ReadonlySet<number>): void {
    const { description, crew, cycles } = this.parts;
    const below = downstreamOf(description, components);
    const running = new Set(restarted);
    for (const task of plan.tasks) if (below.has(task.component)) running.add(task.task);
    cycles.reopen(new Set([...components, ...below]), revision);
    for (const task of crew.bolts) task.resumeInput(running, revision, below.has(task.component));
  }
}
