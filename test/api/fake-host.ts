// A host without threads and store: the states of topologies, names that are taken and free again, artifacts, and
// records that end as they say themselves. What the interface over it is tested against.
//
//   inactive ◄──► active/waiting ──kill──► draining ──next look──► killed       completed and failed: as the test says

import type { Asked, Peer } from '../../api/host/peers.js';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type {
  ArtifactInfo,
  ComponentDetails,
  HostHealth,
  KeptParameters,
  HostMeasured,
  HostService,
  HostSummary,
  RefusalSummary,
  KillRequest,
  RebalanceRequest,
  RefusedReplacement,
  ReplacementBegun,
  ReplacementStage,
  ReplacementStatus,
  Submission,
  SubmissionMetrics,
  TopologyDetails,
  TopologyState,
  TopologySummary,
} from '../../api/host/service.js';
import { builtins } from '../../engine/connect/registry.js';
import { failure, fromWire, toWire } from '../../engine/errors.js';
import { ARTIFACT_BYTES_MAX } from '../../engine/limits.js';
import type { Topology } from '../../engine/model/definition.js';
import { describe } from '../../engine/model/describe.js';
import { topologyFromDocument } from '../../engine/model/document.js';
import { checkParameters } from '../../engine/model/parameters.js';
import { checkChange } from '../../engine/plan/check-change.js';
import { planTasks, type Plan } from '../../engine/plan/plan.js';
import { replan, type PlanChange } from '../../engine/plan/replan.js';
import { metricsOf } from './fake-metrics.js';

interface Entry {
  readonly id: string;
  readonly topology: Topology;
  readonly replaces: string | null;
  /** What is about to replace it, and how far that is. */
  next: { readonly entry: Entry; stage: ReplacementStage } | null;
  refused: RefusedReplacement | null;
  readonly submittedAtMs: number;
  state: TopologyState;
  wanted: 'active' | 'inactive';
  reason: string | null;
  plan: Plan;
}

const STAGES: readonly ReplacementStage[] = ['placing', 'preparing', 'releasing', 'opening', 'draining'];
const ENDED: ReadonlySet<TopologyState> = new Set(['completed', 'killed', 'failed']);
const HISTORY_MAX = 50;
const SLOTS = 1000;

/** Emits the records that it is given: the fake needs only its name. */
const generator = builtins.get('generator')!;
const registry = new Map([...builtins, ['ingest', { ...generator, type: 'ingest' }]]);

/** A topology that takes records, as a document. */
export const INGESTING = {
  name: 'records',
  spouts: { in: { type: 'ingest', config: { template: { text: '' } } } },
  bolts: { out: { type: 'log', inputs: [{ from: 'in', grouping: 'shuffle' }] } },
};

export class FakeHost implements HostService {
  readonly calls: string[] = [];
  /** Records that say `wait`, and end when the test says so. */
  readonly waiting: { readonly done: () => void; readonly lost: () => void; readonly signal: AbortSignal }[] = [];
  /** Thrown by the next call. */
  nextError: unknown = null;
  isClosing = false;
  /** The other host that runs every topology. */
  owner: { readonly host: string; readonly url: string } | null = null;
  /** How long it was to wait for one, each time that it was asked. */
  readonly ownersAsked: Asked[] = [];
  /** Who was refused. */
  refused: readonly RefusalSummary[] = [];
  readonly kept = new Map<string | null, KeptParameters>();
  private readonly entries: Entry[] = [];
  private readonly artifacts = new Map<string, string>();
  private readonly watchers = new Set<() => void>();
  private submitted = 0;
  private nowMs = 1_750_000_000_000;
  private known: readonly HostSummary[] = [fakeSummary('fake', 7070, true), fakeSummary('other', 7071, false)];

  /** Why the next replacement is refused when its spouts are to be opened; null: it is not. */
  replacementError: Error | null = null;

  async submit(submission: Submission, signal?: AbortSignal): Promise<TopologyDetails> {
    this.enter('submit');
    if (submission.replace === true) {
      const { id, replaces } = this.replace(submission);
      while (this.entries.some(({ next }) => next?.entry.id === id)) {
        this.goOn();
        await new Promise((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
      }
      const refused = this.entries.find((entry) => entry.id === replaces)?.refused;
      if (refused?.id === id) throw fromWire(refused.error);
      return this.detailsOf(this.entries.find((entry) => entry.id === id)!);
    }
    const topology = this.topologyOf(submission);
    const other = this.entries.find((entry) => entry.topology.name === topology.name && !ENDED.has(entry.state));
    if (other !== undefined) {
      throw failure('MILLRACE_TOPOLOGY_EXISTS', { name: topology.name, state: other.state });
    }
    const wanted = submission.active === false ? 'inactive' : 'active';
    this.submitted++;
    const entry: Entry = {
      id: `${topology.name}-${this.submitted}`,
      topology,
      submittedAtMs: this.nowMs++,
      replaces: null,
      next: null,
      refused: null,
      state: wanted,
      wanted,
      reason: null,
      plan: planTasks(describe(topology), topology.config.workers),
    };
    this.entries.unshift(entry);
    this.settle();
    const ended = this.entries.filter(({ state }) => ENDED.has(state));
    for (const old of ended.slice(HISTORY_MAX)) this.entries.splice(this.entries.indexOf(old), 1);
    return this.detailsOf(entry);
  }

  async beginReplacement(submission: Submission): Promise<ReplacementBegun> {
    this.enter('beginReplacement');
    return this.replace(submission);
  }

  /** Each look takes replacements one step further. */
  async list(): Promise<readonly TopologySummary[]> {
    this.enter('list');
    const shown = this.entries.map((entry) => this.summaryOf(entry));
    this.goOn();
    return shown;
  }

  private replace(submission: Submission): ReplacementBegun {
    const topology = this.topologyOf(submission);
    const { name } = topology;
    const { active } = submission;
    if (active !== undefined) throw failure('MILLRACE_REPLACE_ACTIVE', { wanted: active ? 'active' : 'inactive' });
    const old = this.entries.find((entry) => entry.topology.name === name && !ENDED.has(entry.state));
    if (old === undefined) throw failure('MILLRACE_REPLACE_UNKNOWN', { topology: name });
    if (old.next !== null) throw failure('MILLRACE_REPLACE_BUSY', { topology: name });
    this.submitted++;
    const id = `${name}-${this.submitted}`;
    const plan = planTasks(describe(topology), topology.config.workers);
    const { state, wanted } = old;
    const own = { id, topology, plan, state, wanted, submittedAtMs: this.nowMs++ };
    old.next = { stage: 'placing', entry: { ...own, replaces: old.id, next: null, refused: null, reason: null } };
    old.refused = null;
    return { name, id, replaces: old.id };
  }

  private goOn(): void {
    for (const old of [...this.entries]) {
      if (old.next === null) continue;
      const { entry, stage } = old.next;
      if (stage === 'opening' && this.replacementError !== null) {
        old.refused = { id: entry.id, error: toWire(this.replacementError) };
        this.replacementError = null;
        old.next = null;
      } else if (stage === 'draining') {
        old.next = null;
        old.state = 'killed';
        old.reason = `replaced by version ${entry.id}`;
        this.entries.unshift(entry);
      } else {
        old.next.stage = STAGES[STAGES.indexOf(stage) + 1]!;
      }
    }
  }

  async describe(name: string): Promise<TopologyDetails> {
    this.enter('describe');
    return this.detailsOf(this.find(name));
  }

  async metrics(name: string): Promise<SubmissionMetrics> {
    this.enter('metrics');
    const { topology, id, state } = this.find(name);
    if (ENDED.has(state)) throw failure('MILLRACE_METRICS_NONE', { topology: name, state });
    return { ...metricsOf(topology), id, state };
  }

  async measured(): Promise<HostMeasured> {
    this.enter('measured');
    return {
      host: 'fake',
      version: '1.2.3',
      slots: { total: SLOTS, used: 1 },
      topologies: this.entries
        .filter(({ state }) => !ENDED.has(state))
        .map(({ topology, state }) => ({
          name: topology.name,
          state,
          metrics: state === 'inactive' ? null : metricsOf(topology),
        })),
    };
  }

  async activate(name: string): Promise<TopologyDetails> {
    this.enter('activate');
    return this.want(this.find(name), 'active');
  }

  async deactivate(name: string): Promise<TopologyDetails> {
    this.enter('deactivate');
    return this.want(this.find(name), 'inactive');
  }

  async rebalance(name: string, request: RebalanceRequest): Promise<TopologyDetails> {
    this.enter('rebalance');
    const entry = this.find(name);
    if (ENDED.has(entry.state)) throw failure('MILLRACE_REBALANCE_STATE', { topology: name, state: entry.state });
    const description = describe(entry.topology);
    const { workers = description.config.workers } = request;
    if (workers > SLOTS) throw failure('MILLRACE_REBALANCE_SLOTS', { topology: name, workers, slots: SLOTS });
    entry.plan = replan(description, entry.plan, checked(description, entry.plan, request)).plan;
    return this.detailsOf(entry);
  }

  async kill(name: string, { waitMs, reason }: KillRequest): Promise<TopologyDetails> {
    this.enter('kill');
    const entry = this.find(name);
    if (ENDED.has(entry.state) || entry.state === 'draining') return this.detailsOf(entry);
    entry.reason = reason ?? null;
    entry.state = waitMs === 0 || entry.state !== 'active' ? 'killed' : 'draining';
    return this.detailsOf(entry);
  }

  async parameters(name: string | null): Promise<KeptParameters> {
    this.enter('parameters');
    if (name !== null) this.find(name);
    return this.kept.get(name) ?? { version: 0, values: {}, problem: null };
  }

  async setParameters(name: string | null, given: unknown, version: number | null): Promise<KeptParameters> {
    this.enter('setParameters');
    if (name !== null) this.find(name);
    const owner = name === null ? 'the cluster' : (`topology "${name}"` as const);
    const values = checkParameters(given, owner);
    const before = this.kept.get(name)?.version ?? 0;
    if (version !== null && version !== before) {
      throw failure('MILLRACE_PARAMETERS_VERSION', { owner, version: before, expected: version });
    }
    const kept = { version: before + 1, values, problem: null };
    this.kept.set(name, kept);
    return kept;
  }

  async ingest(name: string, spout: string, record: unknown, signal: AbortSignal): Promise<void> {
    this.enter('ingest');
    const { topology, state } = this.find(name);
    const component = topology.components.find(({ id, kind }) => id === spout && kind === 'spout');
    if (component === undefined) {
      throw failure('MILLRACE_INGEST_SPOUT', { topology: name, spout, known: 'in' });
    }
    if (state !== 'active') throw failure('MILLRACE_INGEST_INACTIVE', { topology: name, spout });
    const fields = component.outputs['default'] ?? [];
    const values = Array.isArray(record) ? (record as unknown[]) : fields.map((field) => valueOf(record, field));
    if (values.length !== fields.length || values.includes(undefined)) {
      const reason = `it has not ${fields.length} value(s)`;
      throw failure('MILLRACE_INGEST_RECORD', { spout, what: reason, fields: fields.join(', ') });
    }
    await this.endAs(values[0], name, spout, signal);
  }

  async putArtifact(sha256: string, content: AsyncIterable<Uint8Array>): Promise<ArtifactInfo> {
    this.enter('putArtifact');
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of content) {
      bytes += chunk.length;
      if (bytes > ARTIFACT_BYTES_MAX) {
        throw failure('MILLRACE_ARTIFACT_TOO_LARGE', { sha256, bytesMax: ARTIFACT_BYTES_MAX });
      }
      chunks.push(chunk);
    }
    const whole = Buffer.concat(chunks);
    const actual = createHash('sha256').update(whole).digest('hex');
    if (actual !== sha256) throw failure('MILLRACE_ARTIFACT_HASH', { sha256, actual });
    const text = whole.toString('utf8');
    if (text.includes('\0')) throw failure('MILLRACE_ARTIFACT_INVALID', { sha256, reason: 'it has a zero byte' });
    const created = !this.artifacts.has(sha256);
    this.artifacts.set(sha256, text);
    return { sha256, bytes, created };
  }

  async artifact(sha256: string): Promise<Readable> {
    this.enter('artifact');
    const text = this.artifacts.get(sha256);
    if (text === undefined) throw failure('MILLRACE_ARTIFACT_UNKNOWN', { sha256 });
    return Readable.from([Buffer.from(text)]);
  }

  async hosts(): Promise<readonly HostSummary[]> {
    this.enter('hosts');
    return this.known;
  }

  async refusals(): Promise<readonly RefusalSummary[]> {
    this.enter('refusals');
    return this.refused;
  }

  async drain(host: string): Promise<HostSummary> {
    this.enter('drain');
    return this.changeHost(host, { state: 'draining', drainedSinceMs: this.nowMs });
  }

  async undrain(host: string): Promise<HostSummary> {
    this.enter('undrain');
    return this.changeHost(host, { state: 'up', drainedSinceMs: null });
  }

  /** What there is to be said of a host from now on. */
  changeHost(host: string, change: Partial<HostSummary>): HostSummary {
    const own = this.known.find((each) => each.host === host);
    if (own === undefined) throw failure('MILLRACE_HOST_UNKNOWN', { host, known: 'fake, other' });
    const now = { ...own, ...change };
    this.known = this.known.map((each) => (each === own ? now : each));
    return now;
  }

  async ownerOf(_name: string, what: Asked): Promise<Peer | null> {
    this.ownersAsked.push(what);
    const { owner } = this;
    if (owner === null) return null;
    return {
      ...owner,
      ask: async (path, { body, ...question }) =>
        await fetch(owner.url + path, { ...question, redirect: 'error', body: (body as string | undefined) ?? null }),
    };
  }

  async health(): Promise<HostHealth> {
    this.enter('health');
    return {
      status: this.isClosing ? 'closing' : 'ok',
      host: 'fake',
      version: '0.0.0',
      slots: { total: SLOTS, used: this.used() },
      problem: null,
    };
  }

  /** Ends a topology. */
  end(name: string, state: 'completed' | 'failed' | 'killed', reason: string | null = null): void {
    const entry = this.find(name);
    entry.state = state;
    entry.reason = reason;
  }

  /** The text of an artifact. */
  textOf(sha256: string): string | undefined {
    return this.artifacts.get(sha256);
  }

  /** Resolves when that many records wait. */
  async untilWaiting(count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.waiting.length < count) return;
        this.watchers.delete(look);
        resolve();
      };
      this.watchers.add(look);
      look();
    });
  }

  private enter(call: string): void {
    this.calls.push(call);
    const error = this.nextError;
    this.nextError = null;
    if (error !== null) throw error as Error;
    for (const entry of this.entries) if (entry.state === 'draining') entry.state = 'killed';
    this.settle();
  }

  /** Gives slots to those that want to run and end those that nobody holds back. */
  private settle(): void {
    for (const entry of this.entries.toReversed()) {
      if (ENDED.has(entry.state) || entry.state === 'draining') continue;
      if (entry.wanted === 'inactive') {
        entry.state = 'inactive';
      } else if (entry.state !== 'active' || !this.fits()) {
        entry.state = 'waiting';
        entry.state = this.used() + entry.topology.config.workers <= SLOTS ? 'active' : 'waiting';
      }
    }
  }

  private fits(): boolean {
    return this.used() <= SLOTS;
  }

  private used(): number {
    return this.entries.reduce(
      (sum, { state, topology }) => sum + (state === 'active' ? topology.config.workers : 0),
      0,
    );
  }

  private topologyOf(submission: Submission): Topology {
    if ('document' in submission) return topologyFromDocument(submission.document, registry, submission.settings);
    const { artifact, settings } = submission;
    const text = this.artifacts.get(artifact);
    if (text === undefined) throw failure('MILLRACE_ARTIFACT_UNKNOWN', { sha256: artifact });
    const name = /topology\d*\(\s*["']([\w-]+)["']/.exec(text)?.[1] ?? 'unnamed';
    return topologyFromDocument({ ...INGESTING, name }, registry, settings);
  }

  private find(name: string): Entry {
    const entry = this.entries.find(({ topology }) => topology.name === name);
    if (entry !== undefined) return entry;
    throw failure('MILLRACE_TOPOLOGY_UNKNOWN', { name });
  }

  private want(entry: Entry, wanted: 'active' | 'inactive'): TopologyDetails {
    if (!ENDED.has(entry.state) && entry.state !== 'draining') entry.wanted = wanted;
    this.settle();
    return this.detailsOf(entry);
  }

  private async endAs(what: unknown, topology: string, spout: string, signal: AbortSignal): Promise<void> {
    const names = { topology, spout };
    if (what === 'full') throw failure('MILLRACE_INGEST_FULL', { spout, pending: 1, bytes: 9 });
    if (what === 'fail') throw failure('MILLRACE_INGEST_FAILED', { ...names, reason: 'it said so' });
    if (what === 'timeout') throw failure('MILLRACE_INGEST_TIMEOUT', names);
    if (what === 'lost') throw failure('MILLRACE_INGEST_LOST', names);
    if (what !== 'wait') return;
    await new Promise<void>((resolve, reject) => {
      const lost = (): void => reject(failure('MILLRACE_INGEST_LOST', names));
      signal.addEventListener('abort', lost);
      this.waiting.push({ done: resolve, lost, signal });
      for (const look of [...this.watchers]) look();
    });
  }

  private summaryOf(entry: Entry): TopologySummary {
    const { id, topology, state, submittedAtMs, reason, replaces, next, refused } = entry;
    const ended = ENDED.has(state);
    const tasks = tasksOf(topology);
    return {
      name: topology.name,
      id,
      version: topology.version,
      replaces: ended ? null : replaces,
      replacement: next === null ? null : replacementOf(next),
      refused: ended ? null : refused,
      state,
      submittedAtMs,
      seconds: 1.5,
      workers: topology.config.workers,
      tasks,
      places:
        state === 'active'
          ? Array.from({ length: topology.config.workers }, (_, slot) => ({ host: 'fake', slot }))
          : [],
      waiting: null,
      reason,
    };
  }

  private detailsOf(entry: Entry): TopologyDetails {
    const { topology } = entry;
    return {
      ...this.summaryOf(entry),
      plan: entry.plan,
      components: Object.fromEntries(
        topology.components.map(({ id, kind, parallelism }) => [id, componentDetails(kind, parallelism)]),
      ),
      openTrees: this.waiting.length,
      workerDeaths: 0,
      workerErrors: [],
    };
  }
}

function tasksOf({ components }: Topology): number {
  return components.reduce((sum, { parallelism }) => sum + parallelism, 0);
}

function replacementOf({ entry, stage }: NonNullable<Entry['next']>): ReplacementStatus {
  const { id, topology, submittedAtMs } = entry;
  const { workers } = topology.config;
  const places = Array.from({ length: stage === 'placing' ? 0 : workers }, (_, slot) => ({ host: 'other', slot }));
  return { id, version: topology.version, submittedAtMs, workers, tasks: tasksOf(topology), places, stage };
}

function fakeSummary(host: string, port: number, master: boolean): HostSummary {
  const url = `http://127.0.0.1:${port}`;
  const slots = { total: SLOTS, used: 0 };
  const about = { labels: [], protocol: 1, version: '0.0.0', door: null, drainedSinceMs: null, problem: null };
  return { host, state: 'up', url, slots, master, ...about };
}

function checked(description: ReturnType<typeof describe>, plan: Plan, change: PlanChange): PlanChange {
  checkChange(description, plan, change);
  return change;
}

function valueOf(record: unknown, field: string): unknown {
  return Object.hasOwn(record as object, field) ? (record as Record<string, unknown>)[field] : undefined;
}

function componentDetails(kind: 'spout' | 'bolt', parallelism: number): ComponentDetails {
  const error = {
    ...toWire(new RangeError('it is too long')),
    stack: 'RangeError: it is too long\n    at words.ts:1:2',
  };
  return {
    kind,
    parallelism,
    emitted: 21_933,
    executed: kind === 'spout' ? 0 : 21_933,
    acked: 21_930,
    failed: 3,
    errors: 1,
    restarts: 0,
    queued: 2,
    outbox: 1,
    dropped: 0,
    rate: 1234.5,
    latency: { count: 21_930, p50Ms: 0.5, p99Ms: 3.2, maxMs: 250 },
    metrics: { seen: 5 },
    lastErrors: kind === 'spout' ? [] : [{ task: 1, count: 3, atMs: 1_750_000_000_000, error }],
  };
}
