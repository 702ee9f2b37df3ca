// What a lead and its members tell each other over one connection a member, as msgpack. A worker of a member is called
// by a number of its own, a new one each time that it starts. One line a message says when it is sent.

import type { WireError } from '../../errors.js';
import type { CounterBlock } from '../../metrics/counter-blocks.js';
import type { Ended } from '../supervision/cause.js';
import type { FromWorker, ToWorker, WorkerInit } from '../messages.js';

/** The init of a worker as far as it can travel; the member adds what only lives in its process. */
export type RemoteInit = Omit<WorkerInit, 'control' | 'counters' | 'backlog' | 'pulse' | 'instrument'>;

/** Words of shared memory that changed. */
export interface ChangedWords {
  /** Which memory; a topology may have several, one after the other. */
  readonly memory: number;
  readonly places: Uint32Array;
  readonly words: Float64Array;
}

/** Memory that a lead shares with its workers, as it is when a member first hears of it. */
export interface SharedMemory {
  readonly memory: number;
  readonly bytes: number;
  /** Where its words are not zero. */
  readonly set: ChangedWords;
}

/** The counters of some tasks and workers, in shared memory on both sides. */
export type SharedBlock = Omit<CounterBlock, 'memory'> & { readonly memory: SharedMemory };

type PrepareChange = Extract<ToWorker, { readonly type: 'prepareChange' }>;

/** What a worker is told, as far as it can travel. */
export type RemoteTold =
  Exclude<ToWorker, PrepareChange> | (Omit<PrepareChange, 'counters'> & { readonly counters: SharedBlock });

export type LeadToMember =
  /** It may stay: workers follow. */
  | { readonly type: 'welcome' }
  /** It may not. */
  | { readonly type: 'refused'; readonly error: WireError }
  /** Start a worker. */
  | {
      readonly type: 'start';
      readonly run: number;
      readonly init: RemoteInit;
      readonly counters: readonly SharedBlock[];
    }
  /** For that worker. */
  | { readonly type: 'tell'; readonly run: number; readonly message: RemoteTold }
  /** So many characters of what that worker said of its own accord are written out. */
  | { readonly type: 'taken'; readonly run: number; readonly characters: number }
  /** What counted there is gone with the plan that it belonged to. */
  | { readonly type: 'forget'; readonly memory: number }
  /** End the thread of that worker at once. */
  | { readonly type: 'kill'; readonly run: number }
  /** The topology has ended. */
  | { readonly type: 'over' }
  /** The lead is there. */
  | { readonly type: 'beat' };

export type MemberToLead =
  /** Which run it joins, who it is, and the SHA-256 of the topology file that it has. */
  | { readonly type: 'join'; readonly run: string; readonly name: string; readonly hash: string }
  /** A worker says that. */
  | { readonly type: 'said'; readonly run: number; readonly message: FromWorker }
  /** A worker is over: null after it was stopped, else what it died of, and whether its watch has ended it. */
  | { readonly type: 'ended'; readonly run: number; readonly reason: string | null; readonly by: Ended | null }
  /** What changed in its counters, and what its workers do. */
  | {
      readonly type: 'counted';
      readonly changed: readonly ChangedWords[];
      readonly pulses: readonly (readonly [run: number, words: Int32Array])[];
    }
  /** The member is there. */
  | { readonly type: 'beat' };
