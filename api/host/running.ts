// A topology that a program submitted to the host it embeds: what it does, how to give it records, and how to end it.
// Only a name and promises: what runs is elsewhere. Main thread.

import type { WireError } from '../../engine/errors.js';
import type { LocalService } from './local-service.js';
import type { ParameterValues } from '../../engine/model/parameters.js';
import type { KeptParameters, KillRequest, RebalanceRequest, SubmissionMetrics, TopologyDetails } from './service.js';

/** How a topology ended. */
export interface TopologyEnd {
  readonly status: 'completed' | 'killed' | 'failed';
  /** Why it failed; null else. */
  readonly error: WireError | null;
  /** Why it failed, or was killed, in words; null when nobody said. */
  readonly reason: string | null;
}

export interface IngestOptions {
  /** Aborted, the promise rejects with its reason; the tree goes on. */
  readonly signal?: AbortSignal;
}

export interface RebalanceOptions {
  /** Aborted, the promise rejects with its reason; the rebalance goes on. */
  readonly signal?: AbortSignal;
}

export class RunningTopology {
  readonly name: string;
  /** The name of this one submission. */
  readonly id: string;
  /**
   * Resolves when it has ended and all of it is closed. Rejects with MILLRACE_HOST_CLOSED when its host is closed
   * before.
   */
  readonly completed: Promise<TopologyEnd>;
  private readonly service: LocalService;

  /** @internal made by `Host.submit` */
  constructor(service: LocalService, { name, id }: Pick<TopologyDetails, 'name' | 'id'>, ended: Promise<TopologyEnd>) {
    this.service = service;
    this.name = name;
    this.id = id;
    this.completed = ended;
    // Whoever does not ask is not bothered by it.
    ended.catch(() => undefined);
  }

  /**
   * What it does now and has done; its last counts when it has ended.
   *
   * @throws MILLRACE_TOPOLOGY_UNKNOWN when too many have ended since it did
   */
  async status(): Promise<TopologyDetails> {
    return await this.service.describe(this.name, this.id);
  }

  /**
   * All that is measured of it, by component and task: counts since it was started on this host, and windows that end
   * now. When it has ended, as it was then.
   *
   * @throws MILLRACE_METRICS_NONE while it waits, or when it is long ago; MILLRACE_TOPOLOGY_UNKNOWN
   */
  async metrics(): Promise<SubmissionMetrics> {
    return await this.service.metrics(this.name, this.id);
  }

  /**
   * Has a spout of type `ingest` emit a record; resolves when its tuple tree is done. It is never replayed.
   *
   * @param values - by field name, or as a list in the order of the fields
   * @throws MILLRACE_INGEST_FAILED, MILLRACE_INGEST_TIMEOUT, MILLRACE_INGEST_LOST when its worker died,
   * MILLRACE_INGEST_ENDED
   * @throws MILLRACE_INGEST_SPOUT, MILLRACE_INGEST_RECORD, MILLRACE_INGEST_INACTIVE, MILLRACE_INGEST_FULL: nothing was
   * emitted
   */
  async ingest(
    spout: string,
    values: readonly unknown[] | Readonly<Record<string, unknown>>,
    options: IngestOptions = {},
  ): Promise<void> {
    await this.service.ingest(this.name, spout, values, options.signal ?? new AbortController().signal, this.id);
  }

  /** Lets its spouts emit; nothing changes when they may already. */
  async activate(): Promise<void> {
    await this.service.activate(this.name, this.id);
  }

  /** Lets its spouts rest; what is in flight is handled. */
  async deactivate(): Promise<void> {
    await this.service.deactivate(this.name, this.id);
  }

  /**
   * Spreads it over another number of workers, and gives components another number of tasks, while it goes on. Resolves
   * when that is carried out.
   *
   * @throws MILLRACE_REBALANCE_* or why a new task could not be made: everything is as it was then
   */
  async rebalance(request: RebalanceRequest, options: RebalanceOptions = {}): Promise<TopologyDetails> {
    return await this.service.rebalance(this.name, request, options.signal ?? new AbortController().signal, this.id);
  }

  /**
   * Its own parameters, as they were set last.
   *
   * @throws MILLRACE_PARAMETERS_ENDED
   */
  async parameters(): Promise<KeptParameters> {
    return await this.service.parameters(this.name, this.id);
  }

  /**
   * Replaces its own parameters. Resolves when that is kept; its components are told while they run.
   *
   * @param version - the one that they have, so that nothing that somebody else has set since is lost. Default: any
   * @throws MILLRACE_PARAMETERS_INVALID, MILLRACE_PARAMETERS_VERSION, MILLRACE_PARAMETERS_ENDED
   */
  async setParameters(values: ParameterValues, version: number | null = null): Promise<KeptParameters> {
    return await this.service.setParameters(this.name, values, version, this.id);
  }

  /**
   * Ends it: spouts stop, what is in flight is handled for a while. Resolves when all of it is closed.
   *
   * @param request - `waitMs` 0 by default here
   */
  async kill(request: KillRequest = {}): Promise<TopologyEnd> {
    await this.service.kill(this.name, { waitMs: 0, ...request }, this.id);
    return await this.completed;
  }
}
