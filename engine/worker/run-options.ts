// What a run of a topology is given, and how it ends. Only types: what starts runs (the command line, the testing kit)
// and what carries them out share them.

import type { Clock } from '../clock.js';
import type { WireError } from '../errors.js';
import type { RuntimeLimits } from '../limits.js';
import type { Logger } from '../log.js';
import type { TopologyDescription } from '../model/describe.js';
import type { ParameterValues } from '../model/parameters.js';
import type { Parallelism } from '../plan/plan.js';
import type { Checkpoint, Instrument } from './messages.js';
import type { TopologySource } from './module.js';
import type { WorkerPool } from './pool.js';

/** How a topology ended. */
export interface Outcome {
  readonly status: 'completed' | 'killed' | 'failed';
  /** Why, when it failed. */
  readonly error: WireError | null;
}

/** How a topology is killed. */
export interface KillOptions {
  /**
   * Milliseconds that bolts may go on with what is in flight, after the spouts have stopped at once. Default 0: none of
   * it is waited for.
   */
  readonly waitMs?: number;
}

export interface TopologyRunOptions {
  readonly source: TopologySource;
  readonly description: TopologyDescription;
  /** Workers to spread the tasks over. */
  readonly workers: number;
  /** How many tasks components have, where that differs from the topology: a run that was rebalanced before. */
  readonly parallelism?: Parallelism;
  readonly logger: Logger;
  /** Takes lines that components print; resolves when they are written. */
  readonly print: (line: string) => Promise<void>;
  /** What its components see as `context.parameters` at first. Default: none. */
  readonly parameters?: ParameterValues;
  /** The progress that spouts go on from. Default none: they begin anew. */
  readonly checkpoints?: readonly Checkpoint[];
  /**
   * Told each progress that is to be kept, gathered over some tenths of a second; the last one of a partition counts.
   */
  readonly onCheckpoint?: (checkpoint: Checkpoint) => void;
  /**
   * Incarnations of its tasks count from here: above zero it goes on with what an earlier run has done, so that sinks
   * keep what they wrote. Default 0.
   */
  readonly firstIncarnation?: number;
  /**
   * Its bolts are prepared and active, and its spouts made when `openSpouts` asks for them: another version of the
   * topology still reads what they are to read. Default false.
   */
  readonly standby?: boolean;
  /** The only folder whose files components may open; null: any. Default null. */
  readonly filesRoot?: string | null;
  /** Where workers run; a pool of threads of its own by default. */
  readonly pool?: WorkerPool;
  /** Workers that share the machine's memory, these among them. Default: these alone. */
  readonly slots?: number;
  readonly limits?: RuntimeLimits;
  readonly seed?: number;
  /** Development: freeze values and send each tuple through the codec. Default false. */
  readonly strict?: boolean;
  /** Virtual time: gives the milliseconds that a worker starts at; the machine's clock by default. */
  readonly virtualTimeMs?: () => number;
  /** Testing: a worker that died is replaced without a wait, however often. Default false. */
  readonly replaceAtOnce?: boolean;
  /** What the supervisor itself measures and waits by; the machine's by default. */
  readonly clock?: Clock;
  /** Looks inside the components of a worker; called for each worker that starts. */
  readonly instrument?: (worker: number) => Instrument;
}
