// The last errors of a topology: of all its components together, and of each, so that a noisy one does not push out the
// others. The oldest are dropped first. Pure bookkeeping on the main thread.

import type { WireError } from '../errors.js';
import { COMPONENT_ERRORS_KEPT_MAX, ERRORS_KEPT_MAX } from '../limits.js';
import type { ErrorReport } from './messages.js';
import type { Suspect } from './supervision/suspect.js';

/** An error report with when it came. */
export interface KeptError extends ErrorReport {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** In the place of a component's name where a worker died of something else, or nobody knows of what. */
export const WORKER = '(worker)';

interface Entry {
  readonly kept: { -readonly [K in keyof KeptError]: KeptError[K] };
  /** By the supervisor's clock. */
  readonly seenMs: number;
}

export class KeptErrors {
  private readonly latest: Entry[] = [];
  private readonly byComponent = new Map<string, Entry[]>();

  /** All of them, oldest first. */
  get all(): readonly KeptError[] {
    return this.latest.map(({ kept }) => kept);
  }

  add(report: ErrorReport, atMs: number, seenMs: number): void {
    const entry = { kept: { ...report, atMs }, seenMs };
    this.latest.push(entry);
    if (this.latest.length > ERRORS_KEPT_MAX) this.latest.shift();
    const own = this.byComponent.get(report.component) ?? [];
    this.byComponent.set(report.component, own);
    own.push(entry);
    if (own.length > COMPONENT_ERRORS_KEPT_MAX) own.shift();
  }

  /** A worker died, of that component if it is known. One that died like the last one is counted with it. */
  addDeath(error: WireError, suspect: Suspect | null, alike: boolean, atMs: number, seenMs: number): void {
    const component = suspect?.component ?? WORKER;
    const last = this.byComponent.get(component)?.at(-1);
    if (alike && last?.kept.error.message === error.message) last.kept.count++;
    else this.add({ component, task: suspect?.task ?? -1, count: 1, error }, atMs, seenMs);
  }

  /** The last ones of a component, newest first. */
  of(component: string): readonly KeptError[] {
    return (this.byComponent.get(component) ?? []).map(({ kept }) => kept).reverse();
  }

  /** The last one that any of those components reported since then. */
  lastSince(components: ReadonlySet<string>, sinceMs: number): KeptError | null {
    for (let at = this.latest.length - 1; at >= 0; at--) {
      const { kept, seenMs } = this.latest[at]!;
      if (seenMs < sinceMs) return null;
      if (components.has(kept.component)) return kept;
    }
    return null;
  }
}
