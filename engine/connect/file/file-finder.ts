// Finds the files that are to be followed: names at each look, patterns by a search now and then, which runs beside
// everything else. Invariant: one search at a time, and searching takes at most a twentieth of the time. On the
// worker's thread.

import { reasonOf } from '../../errors.js';
import { FOLLOW_SEARCH_MS } from '../../limits.js';
import type { SourceSetup } from './line-source.js';
import { filesMatching, isPattern } from './patterns.js';

export class FileFinder {
  private readonly setup: SourceSetup;
  private readonly failed: (pattern: string, reason: string) => void;
  private readonly patterns: readonly string[];
  /** What the last search found, until somebody asks. */
  private fresh: readonly string[] = [];
  private searching = false;
  private dueMs: number;
  private stopped = false;

  /** @param failed - told when a search fails; the next one may not */
  constructor(setup: SourceSetup, failed: (pattern: string, reason: string) => void) {
    this.setup = setup;
    this.failed = failed;
    this.patterns = setup.paths.filter(isPattern);
    this.dueMs = setup.context.now() + FOLLOW_SEARCH_MS;
  }

  /** All files that there are now. */
  async all(): Promise<readonly string[]> {
    const { paths, root } = this.setup;
    const found = [...paths];
    for (const pattern of this.patterns) found.push(...(await filesMatching(pattern, root)));
    return found;
  }

  /** What to look at now: every name, and what a search has found since the last call. */
  paths(nowMs: number): readonly string[] {
    const found = this.fresh.length === 0 ? this.setup.paths : [...this.setup.paths, ...this.fresh];
    this.fresh = [];
    if (this.patterns.length > 0 && !this.searching && nowMs >= this.dueMs) void this.search(nowMs);
    return found;
  }

  stop(): void {
    this.stopped = true;
  }

  private async search(startMs: number): Promise<void> {
    const { context, root } = this.setup;
    this.searching = true;
    const found: string[] = [];
    for (const pattern of this.patterns) {
      try {
        found.push(...(await filesMatching(pattern, root)));
      } catch (error) {
        this.failed(pattern, reasonOf(error));
      }
    }
    this.searching = false;
    if (this.stopped) return;
    const nowMs = context.now();
    this.dueMs = nowMs + Math.max(FOLLOW_SEARCH_MS, 20 * (nowMs - startMs));
    this.fresh = found;
    context.wake();
  }
}
