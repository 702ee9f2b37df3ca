// What stands in the nodes of the store about topologies (paths.ts says where), and the checks that reading them goes
// through: nodes can be edited by hand. Pure, any thread.

import type { WireError } from '../engine/errors.js';
import { STORE_PIECE_BYTES, WISH_BYTES_MAX, WORKERS_MAX } from '../engine/limits.js';
import type { TopologyDescription } from '../engine/model/describe.js';
import type { Parallelism } from '../engine/plan/plan.js';
import type { Settings } from '../engine/model/settings.js';
import { isPlacing, isTexts, type Placing } from './placing.js';
import { hasKeys } from './store/json-node.js';

/** The states of a topology; the last three are ends. */
export type TopologyState = 'inactive' | 'waiting' | 'active' | 'draining' | EndState;

export type EndState = 'completed' | 'killed' | 'failed';

/** What the user wants of a topology at present. */
export type Wanted = 'active' | 'inactive' | 'killed';

/** How it is spread: what a rebalance changes. Left out by those who never heard of one. */
export interface Spread {
  /** How many tasks components have, where that differs from the topology. */
  readonly parallelism?: Parallelism;
  /** Counts up with each rebalance that was asked for. */
  readonly change?: number;
}

export interface KillWish {
  /** How long bolts may go on after the spouts have stopped. */
  readonly waitMs: number;
  readonly reason: string | null;
}

/** One version of a topology: what was submitted at one time. */
export interface Submitted {
  /** Names this one submission. */
  readonly id: string;
  readonly submittedAtMs: number;
  readonly workers: number;
  readonly tasks: number;
  /** The SHA-256 of the artifacts that it needs. */
  readonly artifacts: readonly string[];
  /** In how many pieces its payload is kept. */
  readonly pieces: number;
  /** What the master needs of its settings: it reads no payloads. Left out: defaults. */
  readonly placing?: Placing;
  /** What its author calls it. Left out: nothing. */
  readonly version?: string;
  /** The submission that it replaced, or is to replace. */
  readonly replaces?: string;
}

/** A version that was not put in the place of the one that runs. */
export interface Refused {
  readonly id: string;
  readonly error: WireError;
}

/** A wish: what a user asked for. */
export interface Wish extends Submitted, Spread {
  readonly name: string;
  readonly wanted: Wanted;
  readonly kill: KillWish | null;
  /**
   * Under which id progress and parameters are kept: versions hand them on to each other. Left out: under its own.
   */
  readonly stateId?: string;
  /** What is to replace it. */
  readonly next?: Submitted;
  /** The last one that was to replace it, and why it did not. */
  readonly refused?: Refused;
}

/** What is needed to run it: too large for the wish itself. */
export interface Payload {
  /** A JSON document, an artifact that exports the topology, or a module that is there on every host. */
  readonly source:
    | { readonly kind: 'document'; readonly document: unknown }
    | { readonly kind: 'artifact'; readonly artifact: string; readonly file: string | null }
    | { readonly kind: 'module'; readonly url: string };
  /** It came from outside: its files are confined. */
  readonly posted: boolean;
  readonly settings: Settings;
  readonly description: TopologyDescription;
}

/** Where one worker runs. */
export interface WorkerPlace {
  readonly host: string;
  readonly boot: string;
  readonly slot: number;
}

/** Where one version of a topology runs. */
export interface Placed {
  readonly id: string;
  /** Counts up each time that it starts anew, because its lead is another host; all else is done while it runs. */
  readonly revision: number;
  /**
   * By worker; empty while it has no place. The host of the first one leads: it supervises the workers of all places.
   * The others may change within a revision, the first may not.
   */
  readonly places: readonly WorkerPlace[];
}

/** Where the version runs that is to replace another one; its places do not change until it has. */
export interface NextPlaced extends Placed {
  /** What is wanted of it: the one before is killed when this one is to go on. */
  readonly wanted: Exclude<Wanted, 'killed'>;
  /**
   * `standby`: its bolts are made ready, its spouts wait; `open`: its spouts are opened too; `closing`: it was refused
   * after that, and is to end before the one before comes back.
   */
  readonly stage: 'standby' | 'open' | 'closing';
}

/** What the master decided; only the master of the newest epoch writes it. */
export interface Assignment extends Placed, Spread {
  readonly name: string;
  readonly epoch: number;
  readonly wanted: Wanted;
  readonly kill: KillWish | null;
  /** As its wish has it. */
  readonly stateId?: string;
  /** What it still waits for, in words. Left out while it has all that is wished. */
  readonly waiting?: string;
  /** What is to replace it. */
  readonly next?: NextPlaced;
  /** Its spouts are to let go of what they read: those of the next version are about to be opened. */
  readonly aside?: boolean;
}

export interface HostRecord {
  readonly host: string;
  readonly boot: string;
  readonly slots: number;
  /** Where its HTTP interface is; left out by a host that does not listen. */
  readonly url?: string;
  /** Where other hosts join the topologies that it leads, `address:port`; left out by a host that is alone. */
  readonly door?: string;
  /** What it is called by topologies that ask for such hosts. */
  readonly labels?: readonly string[];
  /** Of what hosts say to each other: only equal ones run a topology together. Left out: 0. */
  readonly protocol?: number;
  /** Of Millrace, for people. */
  readonly version?: string;
  /** It is on its way out: workers that are placed there never start. */
  readonly leaving?: boolean;
}

/** A host that is drained; it is known by its name, so it stays drained when it is started again. */
export interface Drain {
  readonly host: string;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
}

/**
 * What a run has done where one version replaces another: its bolts are ready and its spouts wait; its spouts are open;
 * its spouts have let go, and its bolts are still there.
 */
export type RunStage = 'standby' | 'open' | 'aside';

/** What a host says of one topology that it runs. */
export interface RunReport {
  readonly id: string;
  /** The revision that it applied. */
  readonly revision: number;
  readonly state: 'running' | EndState;
  /** How far it has come where one version replaces another. Left out: it runs as any does. */
  readonly stage?: RunStage;
  /** Hosts of its places, as `host~boot`, that its lead has not reached for a while: workers there are better moved. */
  readonly away?: readonly string[];
}

export interface Report {
  readonly host: string;
  readonly boot: string;
  readonly runs: readonly RunReport[];
  /** Topologies of which it runs workers for other hosts, those that are being closed too. Left out: none. */
  readonly parts?: number;
}

/** How a topology ended, as its host says. */
export interface Final {
  /** The revision that ended. */
  readonly revision: number;
  readonly status: EndState;
  readonly error: WireError | null;
  /** What the runner wants kept: its last counts. */
  readonly final: unknown;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** An ended topology, in the history. */
export interface Ended {
  readonly name: string;
  readonly id: string;
  readonly state: EndState;
  /** Why it failed, or why it was killed. */
  readonly reason: string | null;
  readonly error: WireError | null;
  readonly submittedAtMs: number;
  /** Null when it never ran. */
  readonly startedAtMs: number | null;
  readonly endedAtMs: number;
  readonly workers: number;
  readonly tasks: number;
  readonly artifacts: readonly string[];
  /** Null when it was too large to be kept. */
  readonly description: TopologyDescription | null;
  readonly final: unknown;
}

/** One partition's progress, packed by whoever runs the topology. */
export interface Checkpoint {
  readonly component: string;
  readonly partition: string;
  readonly progress: Uint8Array;
}

/** News of one partition; null when there is nothing to be kept of it any more. */
export interface CheckpointChange extends Omit<Checkpoint, 'progress'> {
  readonly progress: Uint8Array | null;
}

/** That place is one of that life of a host. */
export function isAt(place: WorkerPlace, host: Pick<HostRecord, 'host' | 'boot'>): boolean {
  return place.host === host.host && place.boot === host.boot;
}

export function isSame(place: WorkerPlace, other: WorkerPlace): boolean {
  return place.slot === other.slot && isAt(place, other);
}

/** The rebalances that were asked for. */
export function changesOf({ change }: Spread): number {
  return change ?? 0;
}

/** The state of a topology that has not ended. */
export function stateOf(wish: Wish, assignment: Assignment | null): TopologyState {
  if (wish.wanted === 'killed') return 'draining';
  if (wish.wanted === 'inactive') return 'inactive';
  return assignment?.id === wish.id && assignment.places.length > 0 ? 'active' : 'waiting';
}

/** How far a run has come. */
const RUN_STAGES: ReadonlySet<unknown> = new Set(['standby', 'open', 'aside'] satisfies RunStage[]);

/** What a report says of a run. */
const RUN_STATES: ReadonlySet<unknown> = new Set(['running', 'completed', 'killed', 'failed']);

/** Of a payload: more bytes than that are never kept. */
const PIECES_MAX = Math.ceil(WISH_BYTES_MAX / STORE_PIECE_BYTES);

function isCount(value: unknown, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max;
}

export function isWish(value: unknown): value is Wish {
  return (
    hasKeys(value, 'name', 'wanted', 'kill') &&
    isSubmitted(value) &&
    (!('next' in value) || isSubmitted(value.next)) &&
    isOptional(value, 'stateId', 'string') &&
    (!('refused' in value) || (hasKeys(value.refused, 'id', 'error') && isWireError(value.refused.error)))
  );
}

function isSubmitted(value: unknown): value is Submitted {
  return (
    hasKeys(value, 'id', 'submittedAtMs', 'workers', 'tasks', 'artifacts', 'pieces') &&
    isCount(value.workers, WORKERS_MAX) &&
    isCount(value.pieces, PIECES_MAX) &&
    isOptional(value, 'version', 'string') &&
    isOptional(value, 'replaces', 'string') &&
    (!('placing' in value) || isPlacing(value.placing))
  );
}

export function isPayload(value: unknown): value is Payload {
  return hasKeys(value, 'source', 'posted', 'settings', 'description');
}

export function isAssignment(value: unknown): value is Assignment {
  return (
    hasKeys(value, 'name', 'epoch', 'wanted', 'kill') &&
    isPlaced(value) &&
    isOptional(value, 'stateId', 'string') &&
    isOptional(value, 'aside', 'boolean') &&
    (!('next' in value) || (isPlaced(value.next) && hasKeys(value.next, 'wanted', 'stage')))
  );
}

function isPlaced(value: unknown): value is Placed {
  return (
    hasKeys(value, 'id', 'revision', 'places') &&
    Array.isArray(value.places) &&
    value.places.every((place) => hasKeys(place, 'host', 'boot', 'slot'))
  );
}

function isOptional(value: object, key: string, type: 'string' | 'number' | 'boolean'): boolean {
  return !Object.hasOwn(value, key) || typeof (value as Readonly<Record<string, unknown>>)[key] === type;
}

export function isHostRecord(value: unknown): value is HostRecord {
  return (
    hasKeys(value, 'host', 'boot', 'slots') &&
    Number.isInteger(value.slots) &&
    ['url', 'door', 'version'].every((key) => isOptional(value, key, 'string')) &&
    isOptional(value, 'protocol', 'number') &&
    isOptional(value, 'leaving', 'boolean') &&
    (!('labels' in value) || isTexts(value.labels))
  );
}

export function isDrain(value: unknown): value is Drain {
  return hasKeys(value, 'host', 'sinceMs') && typeof value.host === 'string' && Number.isFinite(value.sinceMs);
}

export function isReport(value: unknown): value is Report {
  return (
    hasKeys(value, 'host', 'boot', 'runs') &&
    isOptional(value, 'parts', 'number') &&
    Array.isArray(value.runs) &&
    value.runs.every(
      (run) =>
        hasKeys(run, 'id', 'revision', 'state') &&
        RUN_STATES.has(run.state) &&
        (!('stage' in run) || RUN_STAGES.has(run.stage)) &&
        (!('away' in run) || isTexts(run.away)),
    )
  );
}

export function isFinal(value: unknown): value is Final {
  return (
    hasKeys(value, 'revision', 'status', 'error', 'final', 'startedAtMs', 'endedAtMs') &&
    (value.error === null || isWireError(value.error))
  );
}

function isWireError(value: unknown): value is WireError {
  return (
    hasKeys(value, 'name', 'code', 'message', 'hint', 'stack', 'problems') &&
    [value.name, value.message].every((text) => typeof text === 'string') &&
    [value.code, value.hint, value.stack].every((text) => text === null || typeof text === 'string') &&
    Array.isArray(value.problems) &&
    value.problems.every(
      (each) =>
        hasKeys(each, 'code', 'path', 'message', 'hint') &&
        [each.code, each.path, each.message, each.hint].every((text) => typeof text === 'string'),
    )
  );
}

export function isEnded(value: unknown): value is Ended {
  return hasKeys(value, 'name', 'id', 'state', 'reason', 'submittedAtMs', 'endedAtMs', 'workers', 'tasks');
}
