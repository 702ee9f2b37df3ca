// Drives a following `file-lines` by hand: time is virtual, files are real. What it emits is acked at once unless a
// test says otherwise; progress lives in a map, so that a crash is to drop the spout and make a new one.

import { FileLines, type FileLinesInternals } from '../../../engine/connect/file/file-lines.js';
import { searchDisk } from '../../../engine/connect/file/patterns.js';
import type { VirtualClock } from '../../../engine/clock.js';
import { fakeContext, recorder, type Emitted, type FakeContext } from './fakes.js';

export interface FollowerOptions {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly internals?: FileLinesInternals;
  readonly progress?: Map<string, unknown>;
  readonly clock?: VirtualClock;
  readonly index?: number;
  readonly parallelism?: number;
  readonly incarnation?: number;
  readonly filesRoot?: string;
}

export class Follower {
  readonly spout: FileLines;
  readonly context: FakeContext;
  readonly emitted: Emitted[];
  private readonly recorded = recorder();
  private searching = false;
  private searched = 0;
  private shown = 0;
  private crashed = false;

  private constructor(path: string | readonly string[], options: FollowerOptions) {
    const { config = {}, internals, filesRoot, ...ofContext } = options;
    const search = (pattern: string, root: string | null) => this.search(pattern, root);
    this.spout = new FileLines({ path, follow: true, ...config }, { search, ...internals });
    this.context = {
      ...fakeContext(ofContext),
      filesRoot: filesRoot ?? null,
    };
    // Spreading would lose what is forgotten.
    const { progress } = this.context;
    this.context.checkpoint = (partition, value) => {
      if (this.crashed) return;
      this.context.checkpoints.push({ partition, progress: value });
      if (value === undefined) progress.delete(partition);
      else progress.set(partition, value);
    };
    this.emitted = this.recorded.emitted;
  }

  static async start(path: string | readonly string[], options: FollowerOptions = {}): Promise<Follower> {
    const follower = new Follower(path, options);
    await follower.spout.open(follower.context);
    return follower;
  }

  /** Ends it as a crash does: nothing more is kept, and the system closes its files. */
  crash(): void {
    this.crashed = true;
    this.spout.close();
  }

  /** Asks until nothing comes any more, after some time; gives the new lines. */
  read(afterMs = 100, acked = true): unknown[] {
    const { spout, context } = this;
    context.clock.step(context.now() + afterMs);
    const from = this.shown;
    for (let idle = 0; idle < 3;) {
      const before = this.emitted.length;
      spout.nextTuple(this.recorded.emit);
      idle = this.emitted.length === before ? idle + 1 : 0;
    }
    this.shown = this.emitted.length;
    const fresh = this.emitted.slice(from);
    if (acked) for (const { id } of fresh) spout.ack(id);
    return fresh.map(({ values }) => values[0]);
  }

  /** As `read`, behind two whole searches for files: the first may have been under way already. */
  async readAll(): Promise<unknown[]> {
    const lines: unknown[] = [];
    for (const until = this.searched + 2; this.searched < until;) {
      lines.push(...this.read(this.searching ? 0 : 1000));
      await new Promise(setImmediate);
    }
    return [...lines, ...this.read()];
  }

  private async search(pattern: string, root: string | null): Promise<readonly string[]> {
    this.searching = true;
    try {
      return await searchDisk(pattern, root);
    } finally {
      this.searching = false;
      this.searched++;
    }
  }
}
