// A client of a host's HTTP interface, for programs and for the command line: one method for each thing that a host
// does. Failures come back as the same errors that the host had, known by their code. Every call ends: by its reply, by
// a timeout, or by the caller's signal. Runs wherever there is `fetch`.

import { failure, type ErrorCode } from '../../engine/errors.js';
import { CLIENT_INGEST_TIMEOUT_MS, CLIENT_TIMEOUT_MS } from '../../engine/limits.js';
import { shown } from '../../engine/model/names.js';
import type { ParameterValues } from '../../engine/model/parameters.js';
import type {
  ArtifactInfo,
  HostHealth,
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
} from '../host/service.js';
import { ask, type Call, type Reply } from './call.js';

/** Where the host is, and how long to wait for it. */
export interface ClientOptions {
  /** Its address: `http://127.0.0.1:7070`. */
  readonly url: string;
  /** Time for each call but `ingest`. Default 30 s. */
  readonly timeoutMs?: number;
  /** Time for a record's tuple tree. Default 5 minutes. */
  readonly ingestTimeoutMs?: number;
  /** Default: the global one. */
  readonly fetch?: typeof fetch;
}

/** What each call takes besides. */
export interface CallOptions {
  /** Ends the call; it then fails with the signal's reason. */
  readonly signal?: AbortSignal;
}

const JSON_TYPE = 'application/json';
const SCRIPT_TYPE = 'application/javascript';

/**
 * Talks to one host. Every method may fail with MILLRACE_CLIENT_UNREACHABLE, MILLRACE_CLIENT_TIMEOUT,
 * MILLRACE_CLIENT_REPLY, with any MILLRACE_REQUEST_ and MILLRACE_API_ error, and with those that it names.
 */
export class MillraceClient {
  /** The address as it is used: without a slash at its end. */
  readonly url: string;
  private readonly timeoutMs: number;
  private readonly ingestTimeoutMs: number;
  private readonly fetch: typeof fetch;

  /** @throws MILLRACE_CLIENT_ADDRESS */
  constructor(options: ClientOptions) {
    this.url = readAddress(options.url);
    this.timeoutMs = options.timeoutMs ?? CLIENT_TIMEOUT_MS;
    this.ingestTimeoutMs = options.ingestTimeoutMs ?? CLIENT_INGEST_TIMEOUT_MS;
    // Browsers refuse it as a method of anything else.
    this.fetch = options.fetch ?? ((input, init) => fetch(input, init));
  }

  /**
   * Resolves when it is kept; with `replace`, when it has replaced the topology of its name, and waits for that as long
   * as an ingest may. Ended before, the replacement goes on.
   *
   * @throws MILLRACE_TOPOLOGY_INVALID, MILLRACE_TOPOLOGY_EXISTS, MILLRACE_ARTIFACT_UNKNOWN; MILLRACE_REPLACE_* or why
   * the new version could not start: the one before goes on
   */
  async submit(submission: Submission, options: CallOptions = {}): Promise<TopologyDetails> {
    const timeoutMs = submission.replace === true ? this.ingestTimeoutMs : this.timeoutMs;
    return await this.post<TopologyDetails>('/topologies', bodyOf(submission), options, timeoutMs);
  }

  /**
   * Wishes that it replaces the topology of its name, and waits for nothing: `list` shows how it goes, by its id.
   *
   * @throws MILLRACE_TOPOLOGY_INVALID, MILLRACE_ARTIFACT_UNKNOWN, MILLRACE_REPLACE_ACTIVE, MILLRACE_REPLACE_UNKNOWN,
   * MILLRACE_REPLACE_BUSY, MILLRACE_REPLACE_STATE
   */
  async beginReplacement(submission: Submission, options: CallOptions = {}): Promise<ReplacementBegun> {
    const body = bodyOf({ ...submission, replace: true }, false);
    return await this.post<ReplacementBegun>('/topologies', body, options);
  }

  /** Running ones, and a bounded history of ended ones, newest first. */
  async list(options: CallOptions = {}): Promise<readonly TopologySummary[]> {
    const { json } = await this.call({ method: 'GET', path: '/api/v1/topologies' }, options);
    return (json as { readonly topologies: readonly TopologySummary[] }).topologies;
  }

  /** The hosts of the cluster, by name. */
  async hosts(options: CallOptions = {}): Promise<readonly HostSummary[]> {
    const { json } = await this.call({ method: 'GET', path: '/api/v1/hosts' }, options);
    return (json as { readonly hosts: readonly HostSummary[] }).hosts;
  }

  /** Hosts that the cluster refused lately, and who was refused at the door of the host that is asked. */
  async refusals(options: CallOptions = {}): Promise<readonly RefusalSummary[]> {
    const { json } = await this.call({ method: 'GET', path: '/api/v1/hosts' }, options);
    // A host of an older version tells of none.
    return (json as { readonly refused?: readonly RefusalSummary[] }).refused ?? [];
  }

  /**
   * Wishes a host without workers; it gets no new ones. Resolves when the wish is kept: `hosts` says when nothing runs
   * there any more.
   *
   * @throws MILLRACE_HOST_UNKNOWN, MILLRACE_DRAIN_LAST
   */
  async drain(host: string, options: CallOptions = {}): Promise<HostSummary> {
    return await this.changeDrain('PUT', host, options);
  }

  /**
   * Lets a host have workers again.
   *
   * @throws MILLRACE_HOST_UNKNOWN
   */
  async undrain(host: string, options: CallOptions = {}): Promise<HostSummary> {
    return await this.changeDrain('DELETE', host, options);
  }

  /** @throws MILLRACE_TOPOLOGY_UNKNOWN */
  async describe(name: string, options: CallOptions = {}): Promise<TopologyDetails> {
    const { json } = await this.call({ method: 'GET', path: `/api/v1/topologies/${segment(name)}` }, options);
    return json as TopologyDetails;
  }

  /**
   * All that is measured of a topology, by component and task.
   *
   * @throws MILLRACE_TOPOLOGY_UNKNOWN, MILLRACE_METRICS_NONE, MILLRACE_HOST_UNREACHABLE
   */
  async metrics(name: string, options: CallOptions = {}): Promise<SubmissionMetrics> {
    const { json } = await this.call({ method: 'GET', path: `/api/v1/topologies/${segment(name)}/metrics` }, options);
    return json as SubmissionMetrics;
  }

  /** @throws MILLRACE_TOPOLOGY_UNKNOWN */
  async activate(name: string, options: CallOptions = {}): Promise<TopologyDetails> {
    return await this.post<TopologyDetails>(`/topologies/${segment(name)}/activate`, {}, options);
  }

  /** @throws MILLRACE_TOPOLOGY_UNKNOWN */
  async deactivate(name: string, options: CallOptions = {}): Promise<TopologyDetails> {
    return await this.post<TopologyDetails>(`/topologies/${segment(name)}/deactivate`, {}, options);
  }

  /**
   * Spreads a topology over another number of workers, and gives components another number of tasks, while it goes on.
   * Resolves when that is carried out; waits as long as an ingest may.
   *
   * @throws MILLRACE_TOPOLOGY_UNKNOWN, MILLRACE_REBALANCE_* or why a new task could not be made: everything is as it
   * was
   */
  async rebalance(name: string, request: RebalanceRequest, options: CallOptions = {}): Promise<TopologyDetails> {
    const path = `/topologies/${segment(name)}/rebalance`;
    return await this.post<TopologyDetails>(path, request, options, this.ingestTimeoutMs);
  }

  /**
   * Resolves when the wish is kept, not when it is carried out.
   *
   * @throws MILLRACE_TOPOLOGY_UNKNOWN
   */
  async kill(name: string, request: KillRequest = {}, options: CallOptions = {}): Promise<TopologyDetails> {
    const { waitMs, reason } = request;
    const body = { ...(waitMs === undefined ? {} : { wait: waitMs }), ...(reason === undefined ? {} : { reason }) };
    return await this.post<TopologyDetails>(`/topologies/${segment(name)}/kill`, body, options);
  }

  /**
   * What is set of a topology, or, without a name, of the cluster.
   *
   * @throws MILLRACE_TOPOLOGY_UNKNOWN, MILLRACE_PARAMETERS_ENDED
   */
  async parameters(name: string | null = null, options: CallOptions = {}): Promise<KeptParameters> {
    return (await this.call({ method: 'GET', path: parametersPath(name) }, options)).json as KeptParameters;
  }

  /**
   * Replaces all of it; running components are told.
   *
   * @param version - the one that it has, so that nothing that somebody else has set since is lost; null: any
   * @throws MILLRACE_PARAMETERS_INVALID, MILLRACE_PARAMETERS_VERSION, MILLRACE_TOPOLOGY_UNKNOWN,
   *   MILLRACE_PARAMETERS_ENDED
   */
  async setParameters(
    name: string | null,
    values: ParameterValues,
    version: number | null = null,
    options: CallOptions = {},
  ): Promise<KeptParameters> {
    const body = JSON.stringify({ values, ...(version === null ? {} : { version }) });
    const call = { method: 'PUT', path: parametersPath(name), type: JSON_TYPE, body } as const;
    return (await this.call(call, options)).json as KeptParameters;
  }

  /**
   * Gives a record to a spout of type `ingest`; resolves when its tuple tree is done. Ended by its signal or by time,
   * it gives the record up.
   *
   * @param record - the values by field name, or as a list in the order of the fields
   * @throws MILLRACE_INGEST_FAILED, MILLRACE_INGEST_TIMEOUT, MILLRACE_INGEST_LOST, MILLRACE_INGEST_SPOUT,
   * MILLRACE_INGEST_RECORD, MILLRACE_INGEST_INACTIVE, MILLRACE_INGEST_FULL, MILLRACE_TOPOLOGY_UNKNOWN
   */
  async ingest(name: string, spout: string, record: unknown, options: CallOptions = {}): Promise<void> {
    const path = `/topologies/${segment(name)}/ingest/${segment(spout)}`;
    await this.post<undefined>(path, record, options, this.ingestTimeoutMs);
  }

  /**
   * Keeps a bundle under its hash.
   *
   * @param content - the bundle, whole or in pieces
   * @throws MILLRACE_ARTIFACT_HASH, MILLRACE_ARTIFACT_TOO_LARGE, MILLRACE_ARTIFACT_INVALID
   */
  async putArtifact(
    sha256: string,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<ArtifactInfo> {
    const path = `/api/v1/artifacts/${segment(sha256)}`;
    const { json } = await this.call({ method: 'PUT', path, type: SCRIPT_TYPE, body: content }, options);
    return json as ArtifactInfo;
  }

  async health(options: CallOptions = {}): Promise<HostHealth> {
    const { json } = await this.call({ method: 'GET', path: '/healthz' }, options);
    return json as HostHealth;
  }

  private async changeDrain(method: 'PUT' | 'DELETE', host: string, options: CallOptions): Promise<HostSummary> {
    const path = `/api/v1/hosts/${segment(host)}/drain`;
    return (await this.call({ method, path, type: JSON_TYPE, body: '{}' }, options)).json as HostSummary;
  }

  private async post<T>(path: string, body: unknown, options: CallOptions, timeoutMs = this.timeoutMs): Promise<T> {
    const call = { method: 'POST', path: `/api/v1${path}`, type: JSON_TYPE, body: JSON.stringify(body) } as const;
    return (await this.call(call, options, timeoutMs)).json as T;
  }

  private async call(call: Call, { signal }: CallOptions, timeoutMs = this.timeoutMs): Promise<Reply> {
    return await ask(this.fetch, this.url, call, timeoutMs, signal ?? null);
  }
}

function parametersPath(name: string | null): string {
  return name === null ? '/api/v1/parameters' : `/api/v1/topologies/${segment(name)}/parameters`;
}

/** The errors that say that no host answered. */
export const UNREACHABLE: readonly ErrorCode[] = [
  'MILLRACE_CLIENT_UNREACHABLE',
  'MILLRACE_CLIENT_TIMEOUT',
  'MILLRACE_CLIENT_REPLY',
];

/** The body of a submission: what holds for it stands beside the keys of the document. */
function bodyOf(submission: Submission, wait = true): unknown {
  const { settings, active, replace } = submission;
  const options = {
    ...(settings === undefined ? {} : { settings }),
    ...(active === undefined ? {} : { active }),
    ...(replace === undefined ? {} : { replace }),
    ...(wait ? {} : { wait }),
  };
  if ('artifact' in submission) {
    const { artifact, file } = submission;
    return { artifact, ...(file === undefined ? {} : { file }), ...options };
  }
  const { document } = submission;
  // What is no object is refused by the host, with its reason.
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return document;
  return { ...document, ...options };
}

/** A name as one part of a path; what cannot be one, however it is written, would be another path. */
function segment(name: string): string {
  if (!/^\.{0,2}$/.test(name)) return encodeURIComponent(name);
  const details = { what: 'a name in a path', expected: 'a name', actual: shown(name), description: 'name a topology' };
  throw failure('MILLRACE_REQUEST_VALUE', details);
}

function readAddress(text: string): string {
  const wrong = (reason: string): Error =>
    failure('MILLRACE_CLIENT_ADDRESS', { url: shown(text).slice(1, -1), reason });
  if (!URL.canParse(text)) throw wrong('it is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrong(`its scheme is "${url.protocol}"`);
  if (url.username !== '' || url.password !== '') throw wrong('it holds a user name or a password');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') throw wrong('it goes on after its port');
  return url.origin;
}
