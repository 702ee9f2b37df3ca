// What the supervisor of a topology and its workers tell each other, over one control port each. Plain data only;
// errors travel as `WireError`. One line a message says when it is sent.

import type { MessagePort } from 'node:worker_threads';
import type { IngestOutcome } from '../component/ingest-spout.js';
import type { WireError } from '../errors.js';
import type { RuntimeLimits } from '../limits.js';
import type { WirePorts } from '../link/port-wire.js';
import type { PortRange } from '../link/tcp/listen.js';
import type { TlsIdentity } from '../link/tcp/secure.js';
import type { TcpAddress } from '../link/tcp/tcp-wire.js';
import type { LogLevel } from '../log.js';
import type { CounterBlock } from '../metrics/counter-blocks.js';
import type { MeasuredFigures } from '../metrics/user-metrics.js';
import type { TopologyDescription } from '../model/describe.js';
import type { ParameterValues } from '../model/parameters.js';
import type { Plan } from '../plan/plan.js';
import type { TopologySource } from './module.js';
import type { Suspect } from './supervision/suspect.js';

/** One end of the link to another worker. Links are numbered, and no number is used again. */
export type PeerLink = { readonly link: number; readonly worker: number } & (
  | /** Both are threads of one process. */ ({ readonly kind: 'ports' } & WirePorts)
    /** They are not. */
  | { readonly kind: 'tcp'; readonly connects: boolean }
  /** Both are threads of another process than the supervisor's, which makes ports of it before a worker sees it. */
  | { readonly kind: 'beside'; readonly connects: boolean }
);

/** What a worker needs for its TCP links. */
export interface TcpInit {
  /** Where it listens. */
  readonly host: string;
  readonly ports: PortRange;
  /** Known to all workers of this run, and to nobody else. */
  readonly token: string;
  /** What it shows on its links, and asks of the other ends. */
  readonly tls: TlsIdentity | null;
  /** Where other workers listen, as far as that is known; the rest follows by `reach`. */
  readonly addresses: readonly (readonly [worker: number, address: TcpAddress])[];
}

/** The kept progress of one partition of a spout; undefined progress forgets the partition. */
export interface Checkpoint {
  readonly component: string;
  readonly partition: string;
  readonly progress: unknown;
}

/** A task of an old plan has let go of what it owned. */
export interface LetGo {
  readonly task: number;
  /** It had handled all its input. */
  readonly ended: boolean;
}

/** A change of the plan that is being carried out: one plan follows another at that revision of the wiring. */
export interface Transition {
  readonly revision: number;
  readonly before: Plan;
  readonly after: Plan;
}

/** What a worker that starts in the middle of a change has to know of it. */
export interface TransitionSoFar extends Transition {
  readonly letGo: readonly LetGo[];
  /** Spout tasks of the new plan that are opened when they are told to be (`openSpouts`), and begin with the change. */
  readonly waitingSpouts: readonly number[];
}

/** Runs in the worker before its tasks are made, and may replace components: how tests look inside. */
export interface Instrument {
  /** A module that exports `instrument(topology, port)`. */
  readonly url: string;
  readonly port: MessagePort;
}

/** All that a worker needs to begin. Travels as the task of its thread. */
export interface WorkerInit {
  readonly source: TopologySource;
  readonly description: TopologyDescription;
  readonly plan: Plan;
  /** Which worker of the plan this is. */
  readonly worker: number;
  /** The incarnation of each task, by its number. */
  readonly incarnations: readonly number[];
  readonly revision: number;
  readonly counters: readonly CounterBlock[];
  /** Counts what it said and nobody wrote out yet (backlog.ts). */
  readonly backlog: SharedArrayBuffer;
  /** What it does, for its supervisor to see (supervision/pulse.ts). */
  readonly pulse: SharedArrayBuffer;
  readonly seed: number;
  readonly limits: RuntimeLimits;
  readonly strict: boolean;
  /** Virtual time that starts at this many milliseconds, or null for the machine's clock. */
  readonly virtualTimeMs: number | null;
  /** The only folder whose files components may open, or null. */
  readonly filesRoot: string | null;
  readonly control: MessagePort;
  readonly peers: readonly PeerLink[];
  readonly tcp: TcpInit | null;
  readonly checkpoints: readonly Checkpoint[];
  readonly parameters: ParameterValues;
  readonly transition: TransitionSoFar | null;
  /** Its spouts have nothing to emit: another version may read what they read. */
  readonly spoutsEnded: boolean;
  readonly instrument: Instrument | null;
}

/** One record for a spout that takes them from outside. */
export interface IngestRecord {
  readonly task: number;
  /** The number by which it is answered. */
  readonly call: number;
  /** Its values, packed when it was given, so that it is what it was then. */
  readonly packed: Uint8Array;
}

/** A record whose tree was not acked. */
export interface UnfinishedIngest {
  readonly call: number;
  readonly outcome: Exclude<IngestOutcome, 'acked'>;
  /** What its emit threw, if it did. */
  readonly reason: string | null;
}

export type ToWorker =
  /** Every task of the topology is prepared: activate bolts, and spouts if these are to be asked. */
  | { readonly type: 'start'; readonly spouts: boolean; readonly round: number }
  /** Spouts are asked from now on, or no more. */
  | { readonly type: 'switch'; readonly spouts: boolean; readonly round: number }
  /** A worker died and is replaced: its tasks have new incarnations, and a link of these ports leads to them. */
  | {
      readonly type: 'rewire';
      readonly revision: number;
      /** Null for whom the change does not touch: it only takes note of the revision. */
      readonly peer: PeerLink | null;
      /** The worker at the other end is a new one; else only the link to it is. */
      readonly restarted: boolean;
      readonly incarnations: readonly number[];
    }
  /** A worker that was not to be there any longer died, and nobody takes its place. */
  | { readonly type: 'workerGone'; readonly worker: number; readonly revision: number }
  /** The plan is to change: make ready what comes here. Counters of the new tasks, links to the new workers. */
  | {
      readonly type: 'prepareChange';
      readonly transition: Transition;
      readonly incarnations: readonly number[];
      readonly counters: CounterBlock;
      readonly peers: readonly PeerLink[];
    }
  /** Every worker is ready: spouts that leave are asked no more, and let go when their trees are done. */
  | { readonly type: 'moveSpouts'; readonly revision: number }
  /** The change does not take place. */
  | { readonly type: 'cancelChange'; readonly revision: number }
  /** After a change that does not take place: spouts that had let go already begin anew where they were. */
  | {
      readonly type: 'revive';
      readonly revision: number;
      readonly plan: Plan;
      readonly spouts: readonly number[];
      readonly incarnations: readonly number[];
    }
  /** Every worker is ready, and the new spouts are open: the new plan holds from now on. */
  | { readonly type: 'change'; readonly revision: number }
  /** Tasks have let go. */
  | { readonly type: 'letGo'; readonly owners: readonly LetGo[] }
  /**
   * Those before them have let go: these are opened, with what those kept; or end at once, because those had ended.
   * They begin with the change.
   */
  | { readonly type: 'openSpouts'; readonly spouts: readonly LetGo[]; readonly checkpoints: readonly Checkpoint[] }
  /** The change is carried out everywhere. */
  | { readonly type: 'changed'; readonly revision: number }
  /** That worker listens there for TCP links. */
  | { readonly type: 'reach'; readonly worker: number; readonly address: TcpAddress }
  /** Every worker has the wiring of that revision: what was under way before may be lost. */
  | { readonly type: 'lost'; readonly revision: number }
  /** Records for its spouts, those of one turn. */
  | { readonly type: 'ingest'; readonly records: readonly IngestRecord[] }
  /** The parameters that its components see from now on. */
  | { readonly type: 'parameters'; readonly parameters: ParameterValues }
  /** Spouts stop; what is open is waited for, then the end flows through. */
  | { readonly type: 'drain' }
  /** Close everything now. */
  | { readonly type: 'stop' }
  /** So many printed lines were written out. */
  | { readonly type: 'printed'; readonly count: number }
  | CycleTold
  /** Virtual time moves on. */
  | { readonly type: 'advance'; readonly toMs: number }
  /** Says whether there is anything to do. */
  | { readonly type: 'probe'; readonly round: number };

/** What a worker says of its part of a cycle, by the number of the cycle among those of the topology. */
export interface CycleReport {
  readonly type: 'cycleReport';
  readonly cycle: number;
  /** The wiring in which the cycle began anew. */
  readonly generation: number;
  readonly step: number;
  /** The question that this answers; null: it became idle. */
  readonly round: number | null;
  /** Nothing of the cycle waits or is under way in this worker. */
  readonly idle: boolean;
  /** Tuples between tasks of the cycle that went to other workers … */
  readonly sent: number;
  /** … and that came from them. */
  readonly received: number;
}

/** What a worker is told about the end of a cycle, see cycle-ends.ts. */
export interface CycleTold {
  readonly type: 'cycle';
  readonly cycle: number;
  readonly generation: number;
  readonly step: number;
  /** To be answered at once with this number; null: the cycle is at another step. */
  readonly round: number | null;
}

/** One error of user code, with how many like it came since the last report. */
export interface ErrorReport {
  readonly component: string;
  readonly task: number;
  readonly count: number;
  readonly error: WireError;
}

/** What a worker answers to a probe. */
export interface Probed {
  readonly type: 'probed';
  readonly round: number;
  readonly idle: boolean;
  readonly sentFrames: number;
  readonly receivedFrames: number;
  /** When its next virtual timer is due, or null. */
  readonly nextDueMs: number | null;
}

export type FromWorker =
  /** Its thread runs; names it, so that it can be ended. */
  | { readonly type: 'hello'; readonly threadId: number }
  /** All its tasks are prepared; these of them take records from outside. */
  | { readonly type: 'prepared'; readonly ingestTasks: readonly number[] }
  /** It cannot begin: the module, its definition, or an `open` or `prepare` failed. */
  | { readonly type: 'refused'; readonly error: WireError }
  /** It listens there for TCP links. */
  | { readonly type: 'listening'; readonly address: TcpAddress }
  /** Its link to another worker carries nothing any more. */
  | { readonly type: 'linkLost'; readonly link: number; readonly worker: number; readonly reason: string }
  /** It has the wiring of that revision. */
  | { readonly type: 'rewired'; readonly revision: number }
  /** What comes here by the new plan is ready. */
  | { readonly type: 'changePrepared'; readonly revision: number }
  /** It cannot be: a constructor, `prepare`, `open` or `activate` failed. */
  | { readonly type: 'changeRefused'; readonly revision: number; readonly error: WireError }
  /** A task of the old plan has let go; if it left the plan, it is closed, and all that it sent is on its way. */
  | ({ readonly type: 'letGo' } & LetGo)
  /**
   * The change was called off, and all that came is closed: these spouts had not let go, and go on; these of them take
   * records from outside.
   */
  | { readonly type: 'stayed'; readonly tasks: readonly number[]; readonly ingestTasks: readonly number[] }
  /** Spouts of the new plan are open; these of them take records from outside. */
  | { readonly type: 'spoutsOpened'; readonly tasks: readonly number[]; readonly ingestTasks: readonly number[] }
  /** Its spouts are on or off, as it was told in that round. */
  | { readonly type: 'switched'; readonly round: number }
  /** What became of records: acked trees by their calls, and the others. */
  | { readonly type: 'ingested'; readonly acked: readonly number[]; readonly others: readonly UnfinishedIngest[] }
  /** A task has handled all its input. */
  | { readonly type: 'taskEnded'; readonly task: number; readonly revision: number }
  /** User code threw. */
  | { readonly type: 'error'; readonly report: ErrorReport }
  /** A spout's progress is to be kept. */
  | { readonly type: 'checkpoint'; readonly checkpoint: Checkpoint }
  /** Lines for standard output. */
  | { readonly type: 'print'; readonly lines: readonly string[] }
  /** What user code wrote to the standard output of its thread, line by line. */
  | { readonly type: 'output'; readonly lines: readonly string[] }
  /** A component logs. */
  | { readonly type: 'log'; readonly level: LogLevel; readonly component: string; readonly message: string }
  /** All that the code of a task has measured itself. */
  | {
      readonly type: 'metrics';
      readonly task: number;
      readonly incarnation: number;
      readonly figures: MeasuredFigures;
    }
  /** A task that does nothing but fail cannot be restarted, or restarts do not help: the worker is to be replaced. */
  | {
      readonly type: 'hopeless';
      readonly component: string;
      readonly task: number;
      /** Restarts since its last success. */
      readonly restarts: number;
      /** It has had no success in this worker. */
      readonly neverSucceeded: boolean;
      readonly error: WireError;
    }
  /** Its thread is about to end because of this, and by whose doing: an error that nobody caught, or an exit. */
  | { readonly type: 'dying'; readonly error: WireError; readonly suspect: Suspect | null }
  /** Everything is closed. */
  | { readonly type: 'stopped' }
  | CycleReport
  | Probed;
