// Finds the files that are to be followed: names at each look, patterns by a search now and then, which runs beside
// everything else. Invariant: one search at a time, and searching takes at most a twentieth of the time (one that takes
// seconds, a little more). On the
// worker's thread.

import { reasonOf } from '../../errors.js';
import { FOLLOW_SEARCH_MAX_MS, FOLLOW_SEARCH_MS } from '../../limits.js';
import type { SourceSetup } from './line-source.js';
import { filesMatching, isPattern } from './patterns.js';

export class FileFinder {
  private readonly setup: SourceSetup;
  private readonly failed: (pattern: string, reason: string) => void;
  private readonly patterns: readonly string[];
  /** What the last search found, until somebody asks. */
  private fresh: readonly string[] = [];
  private searching = false;
  /** When the last search began that is over, that was handed out, and of which all was looked at. */
  private overMs: number;
  private handedMs: number;
  private lookedAtMs: number;
  private dueMs: number;
  private stopped = false;

  /** @param failed - told when a search fails; the next one may not */
  constructor(setup: SourceSetup, failed: (pattern: string, reason: string) => void) {
    this.setup = setup;
    this.failed = failed;
    this.patterns = setup.paths.filter(isPattern);
    this.overMs = this.handedMs = this.lookedAtMs = setup.context.now();
    this.dueMs = this.overMs + FOLLOW_SEARCH_MS;
  }

  /** Everything that was there at that moment has been found, and looked at. */
  hasSearchedSince(ms: number): boolean {
    return this.patterns.length === 0 || this.lookedAtMs > ms;
  }

  /** All files that there are now. */
  async all(): Promise<readonly string[]> {
    const { paths, root, search } = this.setup;
    const found = [...paths];
    for (const pattern of this.patterns) found.push(...(await filesMatching(pattern, root, search)));
    return found;
  }

  /**
   * What to look at now: every name, and what a search has found since the last call. Of what the last call gave, all
   * was looked at.
   */
  paths(nowMs: number): readonly string[] {
    const found = this.fresh.length === 0 ? this.setup.paths : [...this.setup.paths, ...this.fresh];
    this.fresh = [];
    this.lookedAtMs = this.handedMs;
    this.handedMs = this.overMs;
    if (this.patterns.length > 0 && !this.searching && nowMs >= this.dueMs) void this.search(nowMs);
    return found;
  }

  stop(): void {
    this.stopped = true;
  }

  private async search(startMs: number): Promise<void> {
    const { context, root, search } = this.setup;
    this.searching = true;
    const found: string[] = [];
    for (const pattern of this.patterns) {
      try {
        found.push(...(await filesMatching(pattern, root, search)));
      } catch (error) {
        this.failed(pattern, reasonOf(error));
      }
    }
    this.searching = false;
    if (this.stopped) return;
    const nowMs = context.now();
    this.dueMs = nowMs + Math.min(FOLLOW_SEARCH_MAX_MS, Math.max(FOLLOW_SEARCH_MS, 20 * (nowMs - startMs)));
    this.fresh = found;
    this.overMs = startMs;
    context.wake();
  }
}
