// What happened in a simulated world, in order: its hash tells two runs apart, its last lines tell what went before a
// failure, and the first rule that was broken ends the run.

import { createHash } from 'node:crypto';

/** Lines that are kept for whoever reads a failure. */
const LINES_MAX = 400;

/** The rules that are checked; each is proved to bite by test/sim/mutations.test.ts. */
export const RULES = [
  /** Each epoch has one master, and it writes only until the next one began. */
  'one master',
  /** Epochs and revisions of assignments only grow. */
  'only grows',
  /** Nothing runs twice in the same incarnation. */
  'not twice',
  /** A slot belongs to one worker, of a host that has it. */
  'own slot',
  /** Only what has to move moves, and what moves starts anew with another revision. */
  'stays',
  /** Where one version replaces another, spouts of the one let go before those of the other are opened. */
  'one version',
  /** What was kept of progress never goes back, and whoever starts goes on from it. */
  'progress',
  /** What ends did end, once, and never comes again; what was acknowledged is not lost. */
  'as wished',
  /** At rest: what is wished runs, where there is room for it. */
  'placed',
  /** At rest: it runs once, as it was told, and what it keeps is kept. */
  'runs',
  /** At rest: names of what ended are free. */
  'name free',
  /** At rest: nothing is left in the store of what is gone. */
  'no leftovers',
  /** Nothing throws where nobody catches it. */
  'no throw',
] as const;
export type Rule = (typeof RULES)[number];

export interface Violation {
  readonly rule: Rule;
  readonly what: string;
}

export class Journal {
  violation: Violation | null = null;
  private readonly lines: string[] = [];
  private readonly hash = createHash('sha256');
  private readonly nowMs: () => number;
  private readonly print: ((line: string) => void) | null;

  /** @param print - told each line as it comes; null: nobody */
  constructor(nowMs: () => number, print: ((line: string) => void) | null) {
    this.nowMs = nowMs;
    this.print = print;
  }

  note(line: string): void {
    const dated = `${(this.nowMs() / 1000).toFixed(3).padStart(9)} ${line}`;
    this.hash.update(dated);
    this.lines.push(dated);
    this.print?.(dated);
    if (this.lines.length > 2 * LINES_MAX) this.lines.splice(0, LINES_MAX);
  }

  /** Counts for the hash, and is not kept. */
  mark(line: string): void {
    this.hash.update(`${this.nowMs()} ${line}`);
  }

  /** The first one counts. */
  broken(rule: Rule, what: string): void {
    if (this.violation !== null) return;
    this.note(`BROKEN ${rule}: ${what}`);
    this.violation = { rule, what };
  }

  last(count: number): readonly string[] {
    return this.lines.slice(-count);
  }

  digest(): string {
    return this.hash.copy().digest('hex');
  }
}
