// What a test and the instrument inside each worker tell each other, over a port of their own. Plain data, cloned on
// its way: a test may compare it and never reaches into a worker.

import type { TreeFailure } from '../component/spout.js';
import type { Values } from '../component/tuple.js';

/** A call of a component's life. */
export type LifeCall =
  | 'constructor'
  | 'open'
  | 'prepare'
  | 'activate'
  | 'tick'
  | 'finish'
  | 'endBatch'
  | 'parametersChanged'
  | 'deactivate'
  | 'close';

/** Where and in which worker something happened. */
export interface Place {
  readonly component: string;
  readonly task: number;
  readonly worker: number;
  readonly incarnation: number;
}

export type TestEvent =
  | (Place & { readonly type: 'emitted'; readonly stream: string; readonly values: Values; readonly id: unknown })
  | (Place & { readonly type: 'executed'; readonly source: string; readonly stream: string; readonly values: Values })
  | (Place & { readonly type: 'acked'; readonly id: unknown })
  | (Place & { readonly type: 'failed'; readonly id: unknown; readonly failure: TreeFailure | null })
  | (Place & { readonly type: 'life'; readonly call: LifeCall });

export type ToInstrument =
  /** A tuple that a fed spout is to emit; from its task with that index. */
  | {
      readonly type: 'feed';
      readonly component: string;
      readonly index: number;
      readonly stream: string;
      readonly values: Values;
      readonly id: unknown;
    }
  /** A fed spout has nothing more to come. */
  | { readonly type: 'endFeed'; readonly component: string }
  /** The n-th tuple (from 1) that a component's tasks of this worker execute from now on fails, or kills the worker. */
  | { readonly type: 'strike'; readonly component: string; readonly at: number; readonly how: 'fail' | 'kill' }
  /** Answer when all that was sent before this is done. */
  | { readonly type: 'sync'; readonly round: number };

export type FromInstrument = TestEvent | { readonly type: 'synced'; readonly round: number };

/** What the instrument is told when its worker starts, ahead of everything else. */
export interface InstrumentSetup {
  readonly worker: number;
  /** Spouts whose tuples come from the test. */
  readonly fed: readonly string[];
  /** Events are recorded. A busy run of millions of tuples does without. */
  readonly record: boolean;
}
