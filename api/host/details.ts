// Puts together what a host tells of a topology: what was wished and assigned (the store knows), and what its tasks
// have done (the run knows, or the history when it has ended). Pure.

import type { KnownHost } from '../../coordination/hosts.js';
import type { Refusal } from '../../coordination/refusals.js';
import type { KnownTopology } from '../../coordination/topologies.js';
import { waitsFor } from '../../coordination/waiting.js';
import { ERRORS_OF_ENDED, FINAL_BYTES_MAX, FINAL_TEXT_MAX } from '../../engine/limits.js';
import { Histogram } from '../../engine/metrics/histogram.js';
import { upToDate, type TopologyDescription } from '../../engine/model/describe.js';
import { planTasks, type Plan } from '../../engine/plan/plan.js';
import type { ComponentStatus, TopologyStatus } from '../../engine/worker/topology-run.js';
import { refusedOf, replacementOf, slotsOf } from './replacement.js';
import type {
  ComponentDetails,
  ComponentError,
  HostSummary,
  RefusalSummary,
  TopologyDetails,
  TopologySummary,
} from './service.js';

/** What a run has done: what stays readable when it has ended. */
export interface Done {
  readonly seconds: number;
  readonly components: Readonly<Record<string, ComponentDetails>>;
  readonly openTrees: number;
  readonly workerDeaths: number;
  readonly workerErrors: readonly ComponentError[];
}

export function doneOf(status: TopologyStatus): Done {
  const { seconds, openTrees, workerDeaths } = status;
  const workerErrors = status.workerErrors.map(shownError);
  const components: Record<string, ComponentDetails> = {};
  for (const [id, component] of Object.entries(status.components)) components[id] = componentDetails(component);
  return { seconds, components, openTrees, workerDeaths, workerErrors };
}

/** The same, small enough for the history: fewer errors, and none of them if it is still too large. */
export function finalOf(status: TopologyStatus): Done | null {
  const done = doneOf(status);
  for (const errorsKept of [ERRORS_OF_ENDED, 0]) {
    const small = withErrors(done, errorsKept);
    if (Buffer.byteLength(JSON.stringify(small)) <= FINAL_BYTES_MAX) return small;
  }
  return null;
}

function withErrors(done: Done, count: number): Done {
  const components: Record<string, ComponentDetails> = {};
  for (const [id, component] of Object.entries(done.components)) {
    components[id] = { ...component, lastErrors: shortened(component.lastErrors, count) };
  }
  return { ...done, components, workerErrors: shortened(done.workerErrors, count) };
}

function shortened(errors: readonly ComponentError[], count: number): ComponentError[] {
  return errors.slice(0, count).map((each) => ({
    ...each,
    error: { ...each.error, message: each.error.message.slice(0, FINAL_TEXT_MAX), problems: [] },
  }));
}

function shownError({ task, count, atMs, error }: ComponentError): ComponentError {
  return { task, count, atMs, error };
}

function componentDetails({
  stale: _stale,
  misused: _misused,
  lastErrors,
  ...done
}: ComponentStatus): ComponentDetails {
  return { ...done, lastErrors: lastErrors.map(shownError) };
}

/**
 * @param done - what its run here has done; null when there is none
 * @param hosts - those that there are; null: what it waits for is not told
 */
export function summaryOf(
  known: KnownTopology,
  done: Pick<Done, 'seconds'> | null,
  hosts: readonly KnownHost[] | null = null,
): TopologySummary {
  const { name, id, state } = known;
  if (known.kind === 'ended') {
    const { submittedAtMs, workers, tasks, reason, final, description } = known.ended;
    const seconds = isDone(final) ? final.seconds : 0;
    const version = description?.version ?? null;
    const over = { places: [], waiting: null, replaces: null, replacement: null, refused: null };
    return { name, id, version, state, submittedAtMs, seconds, workers, tasks, reason, ...over };
  }
  const { submittedAtMs, workers, tasks, kill, version = null, replaces = null } = known.wish;
  const places = slotsOf(known.assignment?.places ?? []);
  const seconds = done?.seconds ?? 0;
  const reason = kill === null ? (known.assignment?.waiting ?? null) : kill.reason;
  const waiting = hosts === null ? null : waitsFor(known, hosts);
  const own = { name, id, version, state, submittedAtMs, seconds, workers, tasks, places, waiting, reason };
  return { ...own, replaces, replacement: replacementOf(known), refused: refusedOf(known) };
}

/**
 * @param description - of one that has not ended; the history has that of the others
 * @param done - what its run here has done; null when there is none
 * @param running - the plan of that run
 * @param hosts - those that there are; null: what it waits for is not told
 */
export function detailsOf(
  known: KnownTopology,
  description: TopologyDescription | null,
  done: Done | null,
  running: Plan | null = null,
  hosts: readonly KnownHost[] | null = null,
): TopologyDetails {
  const summary = summaryOf(known, done, hosts);
  const shown = known.kind === 'ended' ? known.ended.description : description;
  const plan = running ?? plannedOf(known, shown, summary.workers);
  const final = known.kind === 'ended' && isDone(known.ended.final) ? known.ended.final : null;
  const { components, openTrees, workerDeaths, workerErrors } = final ?? done ?? nothingDone(shown);
  return { ...summary, plan, components, openTrees, workerDeaths, workerErrors };
}

/** As it is spread when it starts. */
function plannedOf(known: KnownTopology, description: TopologyDescription | null, workers: number): Plan {
  if (description === null) return { workers, tasks: [], nextTask: 0 };
  return planTasks(upToDate(description), workers, known.kind === 'ended' ? {} : known.wish.parallelism);
}

function nothingDone(description: TopologyDescription | null): Done {
  const components: Record<string, ComponentDetails> = {};
  for (const { id, kind, parallelism } of description?.components ?? []) {
    components[id] = {
      kind,
      parallelism,
      emitted: 0,
      executed: 0,
      acked: 0,
      failed: 0,
      errors: 0,
      restarts: 0,
      queued: 0,
      outbox: 0,
      dropped: 0,
      rate: 0,
      latency: new Histogram().summary(),
      metrics: {},
      lastErrors: [],
    };
  }
  return { seconds: 0, components, openTrees: 0, workerDeaths: 0, workerErrors: [] };
}

/** The store gives back what `finalOf` made, or nothing. */
function isDone(value: unknown): value is Done {
  return typeof value === 'object' && value !== null && 'components' in value && 'seconds' in value;
}

export function hostSummaryOf(known: KnownHost): HostSummary {
  const { host, state, url = null, door = null, slots: total, used, master, labels = [], protocol = 0 } = known;
  const { version = null, drainedSinceMs, problem } = known;
  return { host, state, url, door, slots: { total, used }, master, labels, protocol, version, drainedSinceMs, problem };
}

export function refusalSummaryOf({ host, url, door, code, reason, atMs }: Refusal): RefusalSummary {
  return { host, address: url ?? door ?? null, code, reason, count: 1, atMs, by: null };
}
