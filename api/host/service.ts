// What a host does for whoever asks, over HTTP or embedded: the one interface between the ways in (api/http, the client
// and the commands over it) and the host itself (api/host). Everything is asynchronous and may fail with an error of
// the catalogue; nothing here knows of requests and replies. Types only.

import type { Asked, Peer } from './peers.js';
import type { Readable } from 'node:stream';
import type { ParameterValues } from '../../engine/model/parameters.js';
import type { Settings } from '../../engine/model/settings.js';
import type { Plan } from '../../engine/plan/plan.js';
import type { WireError } from '../../engine/errors.js';
import type { TopologyMetrics } from '../../engine/metrics/snapshot.js';
import type { ComponentStatus } from '../../engine/worker/run-report.js';

/** The states of a topology; the last three are ends, after which its name is free again. */
export type TopologyState = 'inactive' | 'waiting' | 'active' | 'draining' | 'completed' | 'killed' | 'failed';

/** What is to be run: a JSON document, or an artifact that default-exports a topology. */
export type Submission = (
  | {
      /** A topology as JSON; an `artifact` in it names a bundle whose exports are further types of components. */
      readonly document: unknown;
    }
  | {
      /** The SHA-256 of a bundle that was put before, in lower-case hex. */
      readonly artifact: string;
      /** What the bundled file is called in errors. */
      readonly file?: string;
    }
) & {
  /** Overrides, as `millrace run --set` takes them. */
  readonly settings?: Settings;
  /** False: it is kept asleep until it is activated; nothing of it is opened or prepared. Default true. */
  readonly active?: boolean;
  /**
   * True: it is a new version of the topology that has its name, and replaces that one; it is then active when that one
   * is, and `active` is refused. Default false: the name has to be free.
   */
  readonly replace?: boolean;
};

/** Where one worker runs. */
export interface WorkerSlot {
  readonly host: string;
  readonly slot: number;
}

/**
 * How far a new version is: it gets its slots; its bolts are made ready; the spouts of the one before let go of what
 * they read; its own are opened; the bolts of the one before finish what is under way.
 */
export type ReplacementStage = 'placing' | 'preparing' | 'releasing' | 'opening' | 'draining';

/** A new version of a topology that is about to replace it. */
export interface ReplacementStatus {
  /** That of its submission. */
  readonly id: string;
  readonly version: string | null;
  /** Milliseconds since the epoch. */
  readonly submittedAtMs: number;
  readonly workers: number;
  readonly tasks: number;
  readonly places: readonly WorkerSlot[];
  readonly stage: ReplacementStage;
}

/** A new version that did not replace the one that runs, and why. */
export interface RefusedReplacement {
  readonly id: string;
  readonly error: WireError;
}

/** A replacement that is wished. */
export interface ReplacementBegun {
  readonly name: string;
  /** The submission of the new version. */
  readonly id: string;
  /** That of the one which it is to replace. */
  readonly replaces: string;
}

/** What a list of topologies shows of each. */
export interface TopologySummary {
  readonly name: string;
  /** The name of this one submission, different for each that ever had the name. */
  readonly id: string;
  /** What its author calls it; null for nothing. */
  readonly version: string | null;
  readonly state: TopologyState;
  /** Milliseconds since the epoch. */
  readonly submittedAtMs: number;
  /** How long it has run, or ran, on this host. */
  readonly seconds: number;
  readonly workers: number;
  readonly tasks: number;
  /** By worker, as it was assigned last; empty while it has no place. The host of the first one leads. */
  readonly places: readonly WorkerSlot[];
  /** What it waits for, in words, with the slots that there are now; null when it waits for nothing. */
  readonly waiting: string | null;
  /** Why it failed, or was killed, or what the master says that it waits for; null else. */
  readonly reason: string | null;
  /** The submission that this one replaced; null: none, or it has ended. */
  readonly replaces: string | null;
  /** What is about to replace it; null: nothing. */
  readonly replacement: ReplacementStatus | null;
  /** The last one that was to replace it, and did not; null: none since it was submitted, or another one is tried. */
  readonly refused: RefusedReplacement | null;
}

/** One error of a component, with how many like it came. */
export interface ComponentError {
  readonly task: number;
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly error: WireError;
}

/** What a component has done, and its last errors, newest first. */
export interface ComponentDetails extends Omit<ComponentStatus, 'stale' | 'misused' | 'lastErrors'> {
  readonly lastErrors: readonly ComponentError[];
}

export interface TopologyDetails extends TopologySummary {
  readonly plan: Plan;
  readonly components: Readonly<Record<string, ComponentDetails>>;
  readonly openTrees: number;
  readonly workerDeaths: number;
  /** The last errors of workers that no component can be blamed for, newest first; their `task` is -1. */
  readonly workerErrors: readonly ComponentError[];
}

export interface KillRequest {
  /** How long bolts may go on after the spouts have stopped. Default: the topology's message timeout. */
  readonly waitMs?: number;
  readonly reason?: string;
}

/** How a topology is to be spread from now on; what is left out stays as it is. */
export interface RebalanceRequest {
  /** Over how many workers. */
  readonly workers?: number;
  /** How many tasks components have, by their id. */
  readonly parallelism?: Readonly<Record<string, number>>;
}

export interface HostHealth {
  readonly status: 'ok' | 'closing';
  readonly host: string;
  readonly version: string;
  readonly slots: { readonly total: number; readonly used: number };
  /** Why it is not in its cluster at present; null when it is. */
  readonly problem: string | null;
}

/** What is measured of one submission. */
export interface SubmissionMetrics extends TopologyMetrics {
  /** The name of this one submission. */
  readonly id: string;
}

/** What is measured on a host: topologies that have not ended, and null for those that do not run here. */
export interface HostMeasured extends Pick<HostHealth, 'host' | 'version' | 'slots'> {
  readonly topologies: readonly {
    readonly name: string;
    readonly state: TopologyState;
    readonly metrics: TopologyMetrics | null;
  }[];
}

/**
 * It takes workers (`up`); it is drained and something of its workers is still there (`draining`), or nothing is
 * (`drained`); it is on its way out (`leaving`); it is drained and not there (`away`).
 */
export type HostState = 'up' | 'draining' | 'drained' | 'leaving' | 'away';

/** A host of the cluster. */
export interface HostSummary {
  readonly host: string;
  readonly state: HostState;
  /** Where its HTTP interface is; null when it does not listen. */
  readonly url: string | null;
  /** Where other hosts join the topologies that it leads, `address:port`; null when they cannot. */
  readonly door: string | null;
  readonly slots: HostHealth['slots'];
  /** It decides where topologies run. */
  readonly master: boolean;
  readonly labels: readonly string[];
  /** Of what hosts say to each other: only equal ones run a topology together. */
  readonly protocol: number;
  /** Of Millrace; null when it does not tell. */
  readonly version: string | null;
  /** Milliseconds since the epoch; null when it is not drained. */
  readonly drainedSinceMs: number | null;
  /** Why it does not do what the others do, though it is there; null when it does. */
  readonly problem: string | null;
}

/** Somebody who wanted to be of the cluster and was refused. */
export interface RefusalSummary {
  /** What it is called; null for one that did not say. */
  readonly host: string | null;
  /** Where it is: the URL of its HTTP interface, else what is known of it; null when nothing is. */
  readonly address: string | null;
  /** The code of the error that it was refused with; null where there is none. */
  readonly code: string | null;
  readonly reason: string;
  /** How often; of hosts that the cluster itself refused, 1. */
  readonly count: number;
  /** The last time, in milliseconds since the epoch. */
  readonly atMs: number;
  /** The host that refused it at its door, which is the one that was asked; null: the cluster did. */
  readonly by: string | null;
}

/** Parameters as they are set. */
export interface KeptParameters {
  /** Counts up each time that they are set; 0: nobody has. */
  readonly version: number;
  readonly values: ParameterValues;
  /** Why what somebody wrote into the store by hand is not heeded: what held before still does. Null: all is well. */
  readonly problem: string | null;
}

/** What is stored under the SHA-256 of its content. */
export interface ArtifactInfo {
  readonly sha256: string;
  readonly bytes: number;
  /** False when it was there already. */
  readonly created: boolean;
}

/** Operations on a name that is not known fail with MILLRACE_TOPOLOGY_UNKNOWN (404). */
export interface HostService {
  /**
   * Resolves when the wish is kept; of one that replaces another, when it has.
   *
   * @param signal - ends the wait for that, not the replacement. Default: it is not ended
   * @throws MILLRACE_TOPOLOGY_INVALID (400), MILLRACE_TOPOLOGY_EXISTS (409), MILLRACE_ARTIFACT_UNKNOWN (404)
   * @throws MILLRACE_REPLACE_ACTIVE (400), MILLRACE_REPLACE_UNKNOWN (404), MILLRACE_REPLACE_BUSY,
   *   MILLRACE_REPLACE_STATE (409 each): nothing is wished; MILLRACE_REPLACE_ROOM, MILLRACE_REPLACE_FAILED,
   *   MILLRACE_REPLACE_ENDED (409 each), MILLRACE_REPLACE_HOST_LOST (503), MILLRACE_REPLACE_LATE (504), or why the
   *   new version could not start: the one before goes on
   */
  submit(submission: Submission, signal?: AbortSignal): Promise<TopologyDetails>;
  /**
   * Wishes that it replaces the topology of its name, whether it says so or not, and waits for nothing: the list of
   * topologies shows how it goes.
   *
   * @throws what `submit` throws when nothing is wished
   */
  beginReplacement(submission: Submission): Promise<ReplacementBegun>;
  /** Running ones, and a bounded history of ended ones, newest first. */
  list(): Promise<readonly TopologySummary[]>;
  describe(name: string): Promise<TopologyDetails>;
  /**
   * All that is measured of it, by component and task; of one that ended lately, as it was then.
   *
   * @throws MILLRACE_METRICS_NONE (409) when it never ran here, or that is long ago
   */
  metrics(name: string): Promise<SubmissionMetrics>;
  /** What is measured of all topologies. */
  measured(): Promise<HostMeasured>;
  activate(name: string): Promise<TopologyDetails>;
  deactivate(name: string): Promise<TopologyDetails>;
  /**
   * Spreads it anew while it goes on: tasks that need not move never stop, and no tuple is lost. Resolves when it is
   * carried out; of one that does not run here, when the wish is kept.
   *
   * @throws MILLRACE_REBALANCE_COMPONENT (404), MILLRACE_REBALANCE_WORKERS, MILLRACE_REBALANCE_PARALLELISM,
   *   MILLRACE_REBALANCE_TASKS (400 each), MILLRACE_REBALANCE_SLOTS, MILLRACE_REBALANCE_STATE (409 each), or why a new
   *   task could not be made: everything is as it was then
   */
  rebalance(name: string, request: RebalanceRequest, signal: AbortSignal): Promise<TopologyDetails>;
  /** Resolves when the wish is kept, not when it is carried out. Killing a killed topology changes nothing. */
  kill(name: string, request: KillRequest): Promise<TopologyDetails>;
  /**
   * What is set of a topology, or, without a name, of the cluster.
   *
   * @throws MILLRACE_PARAMETERS_ENDED (409)
   */
  parameters(name: string | null): Promise<KeptParameters>;
  /**
   * Replaces all of it; running components are told.
   *
   * @param version - the one that it has now; null: any
   * @throws MILLRACE_PARAMETERS_INVALID (400), MILLRACE_PARAMETERS_VERSION, MILLRACE_PARAMETERS_ENDED (409 each)
   */
  setParameters(name: string | null, values: unknown, version: number | null): Promise<KeptParameters>;
  /**
   * Emits one record from a spout of type `ingest`; resolves when its tree is done.
   *
   * @param record - the values by field name, or as a list in the order of the fields
   * @throws MILLRACE_INGEST_FAILED, MILLRACE_INGEST_TIMEOUT, MILLRACE_INGEST_LOST (504 each), MILLRACE_INGEST_SPOUT
   * (404), MILLRACE_INGEST_RECORD (400), MILLRACE_INGEST_INACTIVE (409), MILLRACE_INGEST_FULL (503)
   */
  ingest(name: string, spout: string, record: unknown, signal: AbortSignal): Promise<void>;
  /**
   * Keeps a bundle under its hash.
   *
   * @throws MILLRACE_ARTIFACT_HASH (400), MILLRACE_ARTIFACT_TOO_LARGE (413), MILLRACE_ARTIFACT_INVALID (400) when it is
   * not JavaScript
   * @param fromHost - another host has it kept here: it is kept by two by then
   */
  putArtifact(sha256: string, content: AsyncIterable<Uint8Array>, fromHost?: boolean): Promise<ArtifactInfo>;
  /**
   * A bundle that this host has.
   *
   * @throws MILLRACE_ARTIFACT_UNKNOWN (404)
   */
  artifact(sha256: string): Promise<Readable>;
  health(): Promise<HostHealth>;
  /** All hosts of the cluster, by name. */
  hosts(): Promise<readonly HostSummary[]>;
  /** Hosts that the cluster refused lately, and who was refused at the door of this host, each newest first. */
  refusals(): Promise<readonly RefusalSummary[]>;
  /**
   * Wishes a host without workers: those that it has are moved away, and it gets no new ones, also when it is started
   * again. Resolves when the wish is kept; the list of hosts says when nothing runs there any more.
   *
   * @throws MILLRACE_HOST_UNKNOWN (404), MILLRACE_DRAIN_LAST (409) when no other host takes workers
   */
  drain(host: string): Promise<HostSummary>;
  /**
   * Lets a host have workers again.
   *
   * @returns the host; of one that is not there, as it was
   * @throws MILLRACE_HOST_UNKNOWN (404)
   */
  undrain(host: string): Promise<HostSummary>;
  /**
   * The other host that runs the topology, where it can be asked; null when this one does, or nobody.
   *
   * @param what - for records one is waited for that is about to take them somewhere, for `ARRIVAL_WAIT_MS`
   */
  ownerOf(name: string, what: Asked, signal: AbortSignal): Promise<Peer | null>;
}
