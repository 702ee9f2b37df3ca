// What a host does for whoever asks (service.ts), done: wishes go to the store, and what its own runs know is told from
// them. Main thread.

import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Artifacts } from '../../coordination/artifacts/artifacts.js';
import type { ClusterHost } from '../../coordination/host/cluster-host.js';
import { payloadPath } from '../../coordination/paths.js';
import { changesOf } from '../../coordination/topology-records.js';
import type { ParameterTarget } from '../../coordination/parameters.js';
import type { KnownTopology, LiveTopology } from '../../coordination/topologies.js';
import { isWaiting } from '../../coordination/waiting.js';
import { failure, isMillraceError } from '../../engine/errors.js';
import { KILL_WAIT_DEFAULT_MS } from '../../engine/limits.js';
import type { TopologyDescription } from '../../engine/model/describe.js';
import { installedVersion } from '../installation.js';
import { checkArtifact } from './artifact-check.js';
import { detailsOf, hostSummaryOf, refusalSummaryOf, summaryOf } from './details.js';
import type { EngineRunner } from './engine-runner.js';
import type {
  ArtifactInfo,
  HostHealth,
  HostMeasured,
  HostService,
  HostSummary,
  KeptParameters,
  KillRequest,
  RebalanceRequest,
  RefusalSummary,
  ReplacementBegun,
  Submission,
  SubmissionMetrics,
  TopologyDetails,
  TopologySummary,
} from './service.js';
import type { Asked, Peer, Peers } from './peers.js';
import type { Strangers } from './strangers.js';
import type { NewSource, Submissions } from './submissions.js';

export interface LocalServiceOptions {
  readonly name: string;
  readonly cluster: ClusterHost;
  readonly runner: EngineRunner;
  readonly artifacts: Artifacts;
  readonly submissions: Submissions;
  readonly strangers: Strangers;
  /** Null: there are no other hosts. */
  readonly peers: Peers | null;
  /** Milliseconds since the epoch. */
  readonly wallMs: () => number;
}

const never = new AbortController().signal;

export class LocalService implements HostService {
  /** The host is on its way out: health says so. */
  private closing = false;
  private readonly closed = new AbortController();
  private readonly options: LocalServiceOptions;

  constructor(options: LocalServiceOptions) {
    this.options = options;
  }

  async submit(submission: Submission, signal: AbortSignal = never): Promise<TopologyDetails> {
    return await this.take(sourceOf(submission), submission, signal);
  }

  async beginReplacement(submission: Submission): Promise<ReplacementBegun> {
    return await this.begin(sourceOf(submission), submission.active);
  }

  /** Submits what came from outside, or from the program that embeds the host. */
  async take(
    given: NewSource,
    { active, replace = false }: Pick<Submission, 'active' | 'replace'>,
    signal: AbortSignal,
  ): Promise<TopologyDetails> {
    const { cluster, submissions, wallMs } = this.options;
    const { topologies, replacements } = cluster;
    if (replace) {
      const { name, id } = await this.begin(given, active);
      await replacements.done(name, id, AbortSignal.any([signal, this.closed.signal]));
      return await this.details(await topologies.get(name, id));
    }
    const topology = await submissions.read(given, active ?? true, wallMs());
    return detailsOf(await topologies.submit(topology), topology.description, null);
  }

  /** @param active - what it is to be; nothing else than what it replaces */
  private async begin(given: NewSource, active: boolean | undefined): Promise<ReplacementBegun> {
    const { cluster, submissions, wallMs } = this.options;
    const { topologies, replacements } = cluster;
    if (active !== undefined) throw failure('MILLRACE_REPLACE_ACTIVE', { wanted: active ? 'active' : 'inactive' });
    const topology = await submissions.read(given, true, wallMs());
    const { name } = topology.description;
    const id = await replacements.submit(topology);
    const known = await topologies.get(name);
    // It may have been carried out, or refused, by now.
    const replaces = known.id === id && known.kind === 'live' ? known.wish.replaces : known.id;
    return { name, id, replaces: replaces ?? known.id };
  }

  /** Nobody waits any more for what takes long; the wishes stand. */
  close(reason: Error): void {
    this.closing = true;
    this.closed.abort(reason);
  }

  async list(): Promise<readonly TopologySummary[]> {
    const { cluster, runner } = this.options;
    const [known, there] = await Promise.all([cluster.topologies.list(), cluster.hosts.members()]);
    const hosts = known.some((each) => isWaiting(each, there)) ? await cluster.hosts.list() : null;
    return known.map((each) => summaryOf(each, runner.doneOf(each.id), hosts));
  }

  // Whoever submitted a topology means that one (`id`), and never another one that has its name by now.

  async describe(name: string, id?: string): Promise<TopologyDetails> {
    return await this.details(await this.options.cluster.topologies.get(name, id));
  }

  async metrics(name: string, id?: string): Promise<SubmissionMetrics> {
    const known = await this.options.cluster.topologies.get(name, id);
    const metrics = this.options.runner.metricsOf(known.id);
    if (metrics === null) throw failure('MILLRACE_METRICS_NONE', { topology: name, state: known.state });
    return { ...metrics, id: known.id, state: known.state };
  }

  async measured(): Promise<HostMeasured> {
    const { cluster, runner } = this.options;
    const { host, version, slots } = await this.health();
    const known = await cluster.topologies.list();
    const topologies = known
      .filter(({ kind }) => kind !== 'ended')
      .map(({ name, id, state }) => ({ name, state, metrics: runner.metricsOf(id) }));
    return { host, version, slots, topologies };
  }

  async activate(name: string, id?: string): Promise<TopologyDetails> {
    return await this.details(await this.options.cluster.topologies.setWanted(name, 'active', id));
  }

  async deactivate(name: string, id?: string): Promise<TopologyDetails> {
    return await this.details(await this.options.cluster.topologies.setWanted(name, 'inactive', id));
  }

  async rebalance(
    name: string,
    { workers, parallelism }: RebalanceRequest,
    signal: AbortSignal,
    id?: string,
  ): Promise<TopologyDetails> {
    const { cluster, runner } = this.options;
    const { topologies } = cluster;
    if (workers !== undefined) await this.checkSlots(await topologies.get(name, id), workers);
    const change = {
      ...(workers === undefined ? {} : { workers }),
      ...(parallelism === undefined ? {} : { parallelism }),
    };
    const known = await topologies.rebalance(name, change, id);
    await runner.rebalanced(known.id, changesOf(known.wish), signal);
    return await this.details(await topologies.get(name, known.id));
  }

  /** What runs cannot wait for slots in between: it has to get them, or it stays as it is. */
  private async checkSlots(known: KnownTopology, workers: number): Promise<void> {
    if (known.kind === 'ended' || known.assignment === null || known.assignment.places.length === 0) return;
    const hosts = await this.options.cluster.hosts.list();
    const free = hosts.map((host) => (host.state === 'up' ? Math.max(0, host.slots - host.used) : 0));
    const slots = free.reduce((sum, each) => sum + each, known.assignment.places.length);
    if (workers > slots) throw failure('MILLRACE_REBALANCE_SLOTS', { topology: known.name, workers, slots });
  }

  async kill(name: string, { waitMs, reason }: KillRequest, id?: string): Promise<TopologyDetails> {
    const { topologies } = this.options.cluster;
    const wait = waitMs ?? (await this.messageTimeoutMs(name));
    return await this.details(await topologies.kill(name, { waitMs: wait, reason: reason ?? null }, id));
  }

  async ingest(name: string, spout: string, record: unknown, signal: AbortSignal, id?: string): Promise<void> {
    try {
      await this.give(name, spout, record, signal, id);
    } catch (error) {
      // The version that it was given to has just let go; nothing was emitted.
      if (!isInactive(error) || !(await this.isWishedActive(name, id))) throw error;
      await this.give(name, spout, record, signal, id);
    }
  }

  private async give(name: string, spout: string, record: unknown, signal: AbortSignal, id?: string): Promise<void> {
    const { runner, cluster } = this.options;
    let given = runner.ingest(name, id, spout, record, signal);
    if (given === null) {
      const known = await cluster.topologies.get(name, id);
      if (known.kind === 'ended') throw failure('MILLRACE_INGEST_ENDED', { topology: name, spout });
      // Wished but not here yet: it is about to start.
      given = runner.ingest(name, id, spout, record, signal);
      if (given === null && known.wish.wanted === 'active' && this.comesHere(known)) {
        await runner.arrival(name, signal);
        given = runner.ingest(name, id, spout, record, signal);
      }
    }
    if (given === null) throw failure('MILLRACE_INGEST_INACTIVE', { topology: name, spout });
    await given;
  }

  /** Nothing else is to run it than this host: a version that comes elsewhere takes records there. */
  private comesHere({ assignment }: LiveTopology): boolean {
    const lead = assignment?.next?.places[0];
    return lead === undefined || (lead.host === this.options.name && lead.boot === this.options.cluster.boot);
  }

  private async isWishedActive(name: string, id: string | undefined): Promise<boolean> {
    const known = await this.options.cluster.topologies.get(name, id);
    return known.kind === 'live' && known.wish.wanted === 'active';
  }

  async parameters(name: string | null, id?: string): Promise<KeptParameters> {
    return await this.options.cluster.parameters.get(targetOf(name, id));
  }

  async setParameters(
    name: string | null,
    values: unknown,
    version: number | null,
    id?: string,
  ): Promise<KeptParameters> {
    return await this.options.cluster.parameters.set(targetOf(name, id), values, version);
  }

  async putArtifact(sha256: string, content: AsyncIterable<Uint8Array>, fromHost = false): Promise<ArtifactInfo> {
    const { artifacts, peers } = this.options;
    const info = await artifacts.put(sha256, content, (path) => checkArtifact(sha256, path));
    if (!fromHost) await peers?.keepElsewhere(sha256);
    return info;
  }

  async artifact(sha256: string): Promise<Readable> {
    return createReadStream(await this.options.artifacts.fileOf(sha256));
  }

  async hosts(): Promise<readonly HostSummary[]> {
    return (await this.options.cluster.hosts.list()).map(hostSummaryOf);
  }

  async refusals(): Promise<readonly RefusalSummary[]> {
    const { cluster, strangers, name } = this.options;
    const hosts = (await cluster.refusals()).map(refusalSummaryOf);
    const others = strangers.list().map((each): RefusalSummary => ({ ...each, host: null, code: null, by: name }));
    return [...hosts, ...others];
  }

  async drain(host: string): Promise<HostSummary> {
    return hostSummaryOf(await this.options.cluster.drains.drain(host));
  }

  async undrain(host: string): Promise<HostSummary> {
    return hostSummaryOf(await this.options.cluster.drains.undrain(host));
  }

  async ownerOf(name: string, what: Asked, signal: AbortSignal): Promise<Peer | null> {
    const { peers, runner } = this.options;
    return peers === null || runner.runs(name, what) ? null : await peers.ownerOf(name, what, signal);
  }

  async health(): Promise<HostHealth> {
    const { name, cluster } = this.options;
    return {
      status: this.closing ? 'closing' : 'ok',
      host: name,
      version: installedVersion(),
      slots: cluster.slots,
      problem: cluster.problem,
    };
  }

  private async details(known: KnownTopology, again = true): Promise<TopologyDetails> {
    const description = known.kind === 'ended' ? null : await this.descriptionOf(known.name);
    if (known.kind !== 'ended' && description === null) {
      const { name, id } = known;
      if (!again) throw failure('MILLRACE_STORE_CONTENT', { path: payloadPath(id), reason: 'a part of it is gone' });
      // It ended in between: what it came to is in the history.
      return await this.details(await this.options.cluster.topologies.get(name, id), false);
    }
    const { runner, cluster } = this.options;
    const hosts = isWaiting(known, await cluster.hosts.members()) ? await cluster.hosts.list() : null;
    return detailsOf(known, description, runner.doneOf(known.id), runner.planOf(known.id), hosts);
  }

  private async descriptionOf(name: string): Promise<TopologyDescription | null> {
    try {
      return (await this.options.cluster.topologies.payload(name)).description;
    } catch (error) {
      if (isMillraceError(error) && error.code === 'MILLRACE_TOPOLOGY_UNKNOWN') return null;
      throw error;
    }
  }

  /** What bolts may go on for, unless the caller says it: whatever is open then has failed anyway. */
  private async messageTimeoutMs(name: string): Promise<number> {
    return (await this.descriptionOf(name))?.config.messageTimeoutMs ?? KILL_WAIT_DEFAULT_MS;
  }
}

/** What came from outside. */
function sourceOf(submission: Submission): NewSource {
  const { settings = {} } = submission;
  const source =
    'artifact' in submission
      ? ({ kind: 'artifact', artifact: submission.artifact, file: submission.file ?? null } as const)
      : ({ kind: 'document', document: submission.document } as const);
  return { source, settings, posted: true };
}

function isInactive(error: unknown): boolean {
  return isMillraceError(error) && error.code === 'MILLRACE_INGEST_INACTIVE';
}

function targetOf(name: string | null, id: string | undefined): ParameterTarget {
  return name === null ? null : { name, ...(id === undefined ? {} : { id }) };
}
