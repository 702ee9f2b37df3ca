// What tasks of topologies/seen-lines.ts have written into their files, read as it grows: which lines were seen, how
// often, when, and whether any task ran twice in one incarnation.

import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** The clock of the machine that nobody sets, in milliseconds; that of the tasks too. */
export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** A tuple as the last bolt saw it. */
export interface Sighting {
  readonly spout: number;
  readonly n: number;
  /** Of the spout's task. */
  readonly incarnation: number;
  /** When the tree before it failed; 0 for a line that is emitted for the first time by this incarnation. */
  readonly failedMs: number;
  readonly seenMs: number;
}

/** A task of some incarnation, and the process that it ran in. */
export interface Running {
  readonly component: string;
  readonly task: number;
  readonly incarnation: number;
  readonly pid: number;
}

interface Tail {
  offset: number;
  rest: string;
}

const READ_BYTES = 1 << 20;

export class Sightings {
  readonly directory: string;
  /** How often each line was seen, by spout. */
  readonly times = new Map<number, Map<number, number>>();
  readonly running: Running[] = [];
  /** Tasks that ran twice in one incarnation. */
  readonly twice: string[] = [];
  /** All that was seen, in the order in which it was read. */
  readonly all: Sighting[] = [];
  private readonly tails = new Map<string, Tail>();
  private readonly buffer = Buffer.alloc(READ_BYTES);

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Reads what is new. */
  read(): this {
    for (const name of readdirSync(this.directory)) {
      const [component = '', task, incarnation] = name.split('.');
      if (component === 'twice' && !this.twice.includes(name)) this.twice.push(name);
      if (!['lines', 'pass', 'see', 'twice'].includes(component)) continue;
      for (const line of this.newLines(name)) {
        if (line.startsWith('@')) {
          const pid = Number(line.slice(2));
          this.running.push({ component, task: Number(task), incarnation: Number(incarnation), pid });
        } else {
          this.add(line);
        }
      }
    }
    return this;
  }

  /** How many lines there are in all; null until every spout has said so. */
  lastOf(spouts: number): readonly number[] | null {
    const files = Array.from({ length: spouts }, (_, spout) => join(this.directory, `last.${spout}`));
    if (!files.every((file) => existsSync(file))) return null;
    return files.map((file) => Number(readFileSync(file, 'utf8')));
  }

  /** What a task wrote there, once it has; 0 until then. */
  timeOf(name: string): number {
    const file = join(this.directory, name);
    return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  }

  /** Of the lines below these numbers, how many were never seen, and how often any came again. */
  compare(last: readonly number[]): { readonly lost: number; readonly duplicates: number } {
    let [lost, duplicates] = [0, 0];
    last.forEach((count, spout) => {
      for (let n = 0; n < count; n++) {
        const times = this.times.get(spout)?.get(n) ?? 0;
        if (times === 0) lost++;
        else duplicates += times - 1;
      }
    });
    return { lost, duplicates };
  }

  /** The newest incarnation of each task of a component. */
  newest(component: string): readonly Running[] {
    const known = new Map<number, Running>();
    for (const each of this.running) {
      if (each.component !== component) continue;
      if ((known.get(each.task)?.incarnation ?? -1) < each.incarnation) known.set(each.task, each);
    }
    return [...known.values()];
  }

  private add(line: string): void {
    const [spout = 0, n = 0, incarnation = 0, failedMs = 0, seenMs = 0] = line.split(' ').map(Number);
    this.all.push({ spout, n, incarnation, failedMs, seenMs });
    const times = this.times.get(spout) ?? new Map<number, number>();
    this.times.set(spout, times);
    times.set(n, (times.get(n) ?? 0) + 1);
  }

  /** Whole lines only: whoever writes may have been killed in the middle of one. */
  private newLines(name: string): readonly string[] {
    const tail = this.tails.get(name) ?? { offset: 0, rest: '' };
    this.tails.set(name, tail);
    const file = openSync(join(this.directory, name), 'r');
    try {
      for (;;) {
        const bytes = readSync(file, this.buffer, 0, READ_BYTES, tail.offset);
        if (bytes === 0) break;
        tail.offset += bytes;
        tail.rest += this.buffer.toString('latin1', 0, bytes);
      }
    } finally {
      closeSync(file);
    }
    const lines = tail.rest.split('\n');
    tail.rest = lines.pop()!;
    return lines;
  }
}
