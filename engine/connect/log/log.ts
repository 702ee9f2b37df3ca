// The bolt `log`: prints each tuple as one line of JSON. A tuple is acked when its line is written, and only a bounded
// number of lines is under way, so a slow terminal holds the topology back instead of filling memory. On the worker's
// thread.

import { Bolt } from '../../component/bolt.js';
import type { BoltContext } from '../../component/context.js';
import type { Tuple } from '../../component/tuple.js';
import { reasonOf } from '../../errors.js';
import { PRINTS_PENDING_MAX } from '../../limits.js';
import { JsonLines } from '../json-line.js';
import { Settings } from '../settings.js';

/** Printing is waited for when this many lines of this task are under way: other tasks print too. */
const LINES_UNDER_WAY_MAX = PRINTS_PENDING_MAX / 4;

/** Prints tuples. Setting: `prefix`. */
export class Log extends Bolt {
  private readonly prefix: string;
  private readonly json = new JsonLines();
  private context: BoltContext | null = null;
  private underWay: Promise<void>[] = [];
  private failed: Error | null = null;

  /** @throws MILLRACE_CONNECT_SETTING */
  constructor(config: Readonly<Record<string, unknown>> = {}) {
    super();
    this.prefix = new Settings('log', config).optionalText('prefix', '');
  }

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  override execute(tuple: Tuple): void | Promise<void> {
    if (this.context === null) return undefined;
    const printing = this.context.print(this.prefix + this.json.text(tuple));
    this.underWay.push(printing.then(undefined, this.onFailed));
    return this.underWay.length < LINES_UNDER_WAY_MAX ? undefined : this.settled();
  }

  override endBatch(): void | Promise<void> {
    return this.underWay.length === 0 ? undefined : this.settled();
  }

  private readonly onFailed = (error: unknown): void => {
    this.failed ??= error instanceof Error ? error : new Error(`printing failed: ${reasonOf(error)}`);
  };

  private async settled(): Promise<void> {
    const { underWay } = this;
    this.underWay = [];
    await Promise.all(underWay);
    const { failed } = this;
    this.failed = null;
    if (failed !== null) throw failed;
  }
}
