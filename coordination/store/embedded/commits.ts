// Calls of all sessions of an embedded store, one after the other: each is carried out on the tree, and all that came
// while the disk was busy go to it together. Nobody is answered, and no watch told, before the whole group is on disk.
//
//   submit ─► queue ─► carry out on the tree ─► one frame, one fsync ─► answer, tell watches ─► next group
//                            │                        └ failed: undo the group, refuse its writes, read again
//                            └ cannot be done: refused with the group, having changed nothing
//
// Invariant: between two groups the tree is what the log holds, but for the ends of sessions that a full disk did not
// take: those count at once, because a crash has the same effect, and go in front of the next group. The host's main
// thread.

import { failure } from '../../../engine/errors.js';
import { EMBEDDED_GROUP_BYTES_MAX, STORE_CALLS_MAX } from '../../../engine/limits.js';
import type { Log } from './log.js';
import { encodeGroup } from './records.js';
import type { Applied } from './transaction.js';
import type { Effect, Tree } from './tree.js';

/** Something to be carried out in its turn. */
export interface Task {
  readonly kind: 'read' | 'write' | 'end of session';
  /** It is bounded elsewhere, so a full queue takes it as well. */
  readonly always: boolean;
  /** About what it adds to the log. */
  readonly bytes: number;
  /** False when nobody waits for it any more; asked when its turn comes. */
  readonly wanted: () => boolean;
  /** Carries it out; what a read finds is kept for `settle`. Throws when it cannot be done. */
  readonly run: (revision: number) => Applied | null;
  readonly settle: () => void;
  readonly reject: (error: unknown) => void;
}

interface Ran {
  readonly task: Task;
  readonly applied: Applied | null;
  /** What it cannot be done for, in a box, because anything can be thrown. */
  readonly refused: { readonly error: unknown } | null;
}

/** What is told when a group is on disk. */
export interface CommitListener {
  committed(effects: readonly Effect[]): void;
  /** Runs between two groups, before the next one begins. */
  between(): Promise<void>;
}

export class Commits {
  readonly tree: Tree;
  revision: number;
  /** Null: nothing is kept. */
  log: Log | null;
  private readonly listener: CommitListener;
  private readonly queue: Task[] = [];
  /** Ends of sessions that are not on disk yet. */
  private owed: Applied[] = [];
  private running: Promise<void> | null = null;

  constructor(tree: Tree, revision: number, log: Log | null, listener: CommitListener) {
    this.tree = tree;
    this.revision = revision;
    this.log = log;
    this.listener = listener;
  }

  submit(task: Task): void {
    if (this.queue.length >= STORE_CALLS_MAX && !task.always) {
      task.reject(failure('MILLRACE_STORE_TOO_MANY', { count: this.queue.length, what: 'calls' }));
      return;
    }
    this.queue.push(task);
    this.running ??= this.drain();
  }

  /** Resolves when everything that was submitted is carried out. */
  async idle(): Promise<void> {
    while (this.running !== null) await this.running;
  }

  /** A snapshot took in everything: nothing is owed any more. */
  snapshotTaken(): void {
    this.owed = [];
  }

  private async drain(): Promise<void> {
    // Callers go on first, so that what they ask for in one turn is one group.
    await Promise.resolve();
    while (this.queue.length > 0) {
      const before = this.revision;
      const group = this.takeGroup().map((task) => this.run(task));
      const applied = group.flatMap((each) =>
        each.applied !== null && each.applied.effects.length > 0 ? each.applied : [],
      );
      try {
        if (applied.length > 0) await this.log?.append(encodeGroup([...this.owed, ...applied]));
        if (applied.length > 0) this.owed = [];
      } catch (error) {
        this.rollBack(group, before, error);
        continue;
      }
      this.listener.committed(applied.flatMap(({ effects }) => effects));
      for (const { task, refused } of group) {
        if (refused === null) task.settle();
        else task.reject(refused.error);
      }
      await this.listener.between();
    }
    // In the same step as the look at the queue: what is submitted from here on starts anew.
    this.running = null;
  }

  private takeGroup(): Task[] {
    const group: Task[] = [];
    let bytes = 0;
    let taken = 0;
    while (taken < this.queue.length && (bytes === 0 || bytes < EMBEDDED_GROUP_BYTES_MAX)) {
      const task = this.queue[taken++]!;
      if (!task.wanted()) continue;
      bytes += task.bytes;
      group.push(task);
    }
    this.queue.splice(0, taken);
    return group;
  }

  private run(task: Task): Ran {
    try {
      const applied = task.run(this.revision + 1);
      // What changes nothing takes no revision, so that those in the log follow each other.
      if (applied !== null && applied.effects.length > 0) this.revision++;
      return { task, applied, refused: null };
    } catch (error) {
      return { task, applied: null, refused: { error } };
    }
  }

  /** The disk did not take the group: as if it had never been, but for sessions that are over. */
  private rollBack(group: readonly Ran[], revision: number, error: unknown): void {
    for (const { applied } of [...group].reverse()) applied?.undo();
    this.revision = revision;
    const ended: Effect[] = [];
    for (const { task } of group) {
      if (task.kind === 'end of session') {
        const { applied } = this.run(task);
        if (applied !== null && applied.effects.length > 0) this.owed.push(applied);
        ended.push(...(applied?.effects ?? []));
      }
    }
    this.listener.committed(ended);
    for (const { task } of group) {
      if (task.kind === 'write') {
        task.reject(error);
      } else {
        const { refused } = task.kind === 'read' ? this.run(task) : { refused: null };
        if (refused === null) task.settle();
        else task.reject(refused.error);
      }
    }
  }
}
