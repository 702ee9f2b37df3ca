// One host in this process: the embedded store, the cluster of one on it, threads for its topologies, and, if asked
// for, the HTTP interface in front. Several in one process have nothing in common. It installs no signal handlers and
// writes nowhere but to the logger that it is given. Main thread.
//
//   Host.start ─► store opened ─► registered, master ─► listening
//   host.close ─► no more requests, those under way may end ─► topologies stopped, their progress kept ─► store closed

import { stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Artifacts } from '../../coordination/artifacts/artifacts.js';
import { ClusterHost } from '../../coordination/host/cluster-host.js';
import { memberOf } from '../../coordination/paths.js';
import type { Payload } from '../../coordination/topology-records.js';
import { RealClock, type Clock } from '../../engine/clock.js';
import { PROTOCOL_VERSION } from '../../engine/codec/data-frame.js';
import { failure, reasonOf } from '../../engine/errors.js';
import { ARTIFACTS_LOOK_MS, HOST_GRACE_MS, LABELS_MAX, SPARE_THREADS_MAX } from '../../engine/limits.js';
import { silentLogger, type Logger } from '../../engine/log.js';
import { defaultConfig } from '../../engine/model/config.js';
import { isTopology, type Topology } from '../../engine/model/definition.js';
import { isName } from '../../engine/model/names.js';
import type { ParameterValues } from '../../engine/model/parameters.js';
import type { Settings } from '../../engine/model/settings.js';
import { SpareThreads } from '../../engine/worker/spare-threads.js';
import { memoryShare } from '../../engine/worker/supervision/memory-shares.js';
import { entropySeed, Random } from '../../engine/random.js';
import { installedVersion } from '../installation.js';
import { makeTemporaryDirectory, type TemporaryDirectory } from '../temporary.js';
import { EngineRunner } from './engine-runner.js';
import { LeveledLogger } from './leveled-logger.js';
import { LocalService } from './local-service.js';
import { openDoor, type OpenedDoor } from './open-door.js';
import { openStore, type OpenedStore } from './open-store.js';
import type { HostOptions } from './options.js';
import { Peers } from './peers.js';
import { RunningTopology, type TopologyEnd } from './running.js';
import type { HostService, KeptParameters } from './service.js';
import { Strangers } from './strangers.js';
import { Submissions } from './submissions.js';
import { Together } from './together.js';

/** How a topology is submitted by the program itself. */
export interface SubmitOptions {
  /** Overrides: `messageTimeout`, `component.key`. */
  readonly settings?: Settings;
  /** False: it is kept asleep until it is activated. Default true. */
  readonly active?: boolean;
  /**
   * It is a new version of the topology that has its name, and replaces that one while records flow; it is then active
   * when that one is, and `active` is refused. Default false.
   */
  readonly replace?: boolean;
  /** Aborted while one waits for that, the promise rejects with its reason; the replacement goes on. */
  readonly signal?: AbortSignal;
  /** With a topology object: the module that default-exports it, `import.meta.url` there; threads import it again. */
  readonly module?: string | URL;
}

const NAME = 'local';
const NEEDS_BUNDLE = new Set(['.ts', '.mts', '.cts', '.tsx', '.jsx']);

interface Parts {
  readonly name: string;
  readonly clock: Clock;
  readonly opened: OpenedStore;
  readonly opening: OpenedDoor | null;
  readonly spares: SpareThreads | null;
  readonly cluster: ClusterHost;
  readonly artifacts: Artifacts;
  readonly submissions: Submissions;
  readonly service: LocalService;
  readonly temporary: TemporaryDirectory | null;
  readonly logger: Logger;
}

/** Its HTTP interface. */
interface Api {
  listen(address: string): Promise<{ readonly url: string }>;
  /** Serves a socket that came in another way. */
  serve(socket: Socket): void;
  close(): Promise<void>;
}

export class Host {
  /** Where its HTTP interface is: `http://127.0.0.1:7070`; null when it does not listen. */
  readonly url: string | null;
  /** What it does for whoever asks. */
  readonly service: HostService;
  private readonly parts: Parts;
  private readonly server: Api | null;
  private readonly closed = new AbortController();
  private readonly looking: NodeJS.Timeout;
  private closing: Promise<void> | null = null;

  private constructor(parts: Parts, server: Api | null, url: string | null) {
    this.parts = parts;
    this.service = parts.service;
    this.server = server;
    this.url = url;
    this.looking = setInterval(() => void this.removeUnusedArtifacts(), ARTIFACTS_LOOK_MS).unref();
  }

  /**
   * Starts a host; resolves when it takes topologies.
   *
   * @throws MILLRACE_HOST_OPTION, MILLRACE_HOST_CERTIFICATE, MILLRACE_HOST_FILES
   * @throws MILLRACE_STORE_IN_USE, MILLRACE_STORE_NEWER, MILLRACE_STORE_CORRUPT, MILLRACE_STORE_DIRECTORY
   * @throws what kept it from joining its cluster for `HOST_START_MAX_MS`
   * @throws MILLRACE_API_LISTEN_ADDRESS, MILLRACE_API_PORT_IN_USE, MILLRACE_API_LISTEN_FAILED,
   * MILLRACE_PROCESSES_LISTEN
   */
  static async start(options: HostOptions = {}): Promise<Host> {
    const undo: (() => Promise<void>)[] = [];
    try {
      return await startHost(options, undo, (...parts) => new Host(...parts));
    } catch (error) {
      for (const each of undo.reverse()) {
        await each().catch((more: unknown) => options.logger?.warn(`a host that did not start: ${reasonOf(more)}`));
      }
      throw error;
    }
  }

  /**
   * Runs a topology; with `replace`, resolves when it has replaced the one before, which goes on when it rejects.
   *
   * @param topology - the URL or path of a module that default-exports one, a topology object with `options.module`, or
   * a JSON document
   * @throws MILLRACE_TOPOLOGY_INVALID with every problem, MILLRACE_TOPOLOGY_EXISTS, and what reading its definition
   * throws; with `replace` MILLRACE_REPLACE_*, or why the new version does not start
   */
  async submit(topology: string | URL | Topology | object, options: SubmitOptions = {}): Promise<RunningTopology> {
    const { settings = {}, module, signal = this.closed.signal, ...chosen } = options;
    const { service, cluster } = this.parts;
    this.closed.signal.throwIfAborted();
    const source = await this.sourceOf(topology, module);
    this.closed.signal.throwIfAborted();
    const { name, id } = await service.take({ source, settings, posted: false }, chosen, signal);
    const ended = cluster.topologies
      .whenEnded(name, id, this.closed.signal)
      .then(({ state, error, reason }): TopologyEnd => ({ status: state, error, reason }));
    return new RunningTopology(service, { name, id }, ended);
  }

  /** The parameters of the cluster, which components of all topologies see below those of their own. */
  async parameters(): Promise<KeptParameters> {
    return await this.service.parameters(null);
  }

  /**
   * Replaces the parameters of the cluster; running components are told. `millrace.logLevel` says what its hosts log.
   *
   * @param version - the one that they have, so that nothing that somebody else has set since is lost. Default: any
   * @throws MILLRACE_PARAMETERS_INVALID, MILLRACE_PARAMETERS_VERSION
   */
  async setParameters(values: ParameterValues, version: number | null = null): Promise<KeptParameters> {
    return await this.service.setParameters(null, values, version);
  }

  /**
   * Stops everything; what was wished stays wished, where there is a data directory. Further calls wait for the same.
   */
  async close(): Promise<void> {
    this.closing ??= this.shut();
    await this.closing;
  }

  private async shut(): Promise<void> {
    const { name, clock, service, submissions, cluster, opened, opening, spares, temporary } = this.parts;
    const closed = failure('MILLRACE_HOST_CLOSED', { host: name });
    service.close(closed);
    clearInterval(this.looking);
    const isServed = this.server?.close();
    if (isServed !== undefined) await atMost(isServed, HOST_GRACE_MS, clock);
    this.closed.abort(closed);
    await submissions.close(closed);
    await Promise.all([cluster.close(), spares?.close()]);
    await isServed;
    opening?.door.close();
    await opened.close();
    await temporary?.dispose();
  }

  private async sourceOf(
    topology: string | URL | object,
    module: string | URL | undefined,
  ): Promise<Payload['source']> {
    if (typeof topology === 'string' || topology instanceof URL) return await this.moduleOf(topology);
    if (!isTopology(topology)) return { kind: 'document', document: topology };
    if (module === undefined) throw failure('MILLRACE_HOST_SUBMIT', { topology: topology.name });
    return await this.moduleOf(module);
  }

  private async moduleOf(given: string | URL): Promise<Payload['source']> {
    const url = given instanceof URL ? given : given.includes('://') ? new URL(given) : pathToFileURL(resolve(given));
    if (url.protocol !== 'file:' || !NEEDS_BUNDLE.has(extname(url.pathname))) return { kind: 'module', url: url.href };
    const { bundleArtifact } = await import('../bundle.js');
    const file = fileURLToPath(url);
    const { sha256, content } = await bundleArtifact(file);
    await this.parts.service.putArtifact(sha256, chunks(content));
    return { kind: 'artifact', artifact: sha256, file };
  }

  private async removeUnusedArtifacts(): Promise<void> {
    const { artifacts, cluster, logger } = this.parts;
    try {
      await artifacts.removeUnused(await cluster.topologies.artifactsInUse());
    } catch (error) {
      logger.debug(`unused artifacts are removed later: ${reasonOf(error)}`);
    }
  }
}

async function startHost(
  options: HostOptions,
  undo: (() => Promise<void>)[],
  make: (parts: Parts, server: Api | null, url: string | null) => Host,
): Promise<Host> {
  const { name = NAME, clock = new RealClock(), dataDirectory = null } = options;
  const logger = new LeveledLogger(options.logger ?? silentLogger, options.logLevel ?? 'debug');
  const slots = options.slots ?? Math.max(2, availableParallelism());
  if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(name))
    throw failure('MILLRACE_HOST_OPTION', {
      option: 'name',
      given: name,
      expected: 'a letter or digit, then letters, digits, ".", "_" and "-", up to 64',
    });
  if (!Number.isInteger(slots) || slots < 1)
    throw failure('MILLRACE_HOST_OPTION', { option: 'slots', given: slots, expected: 'a whole number above zero' });
  const labels = checkLabels(options.labels ?? []);
  const filesDirectory = await checkFiles(options.filesDirectory ?? null);
  const print = options.print ?? ((line, topology) => logger.info(`${topology}: ${line}`));
  const opened = await openStore(options, clock, logger);
  undo.push(async () => await opened.close());
  const temporary = dataDirectory === null ? await makeTemporaryDirectory() : null;
  undo.push(async () => await temporary?.dispose());
  const wallMs = (): number => Date.now();
  const strangers = new Strangers(logger, wallMs);
  const opening = opened.shared
    ? await openDoor(
        options.links ?? {},
        clock,
        (socket) => asked(socket),
        (address, reason) => strangers.add(address, reason),
      )
    : null;
  undo.push(async () => await Promise.resolve(opening?.door.close()));
  const artifacts = await Artifacts.open({ directory: join(dataDirectory ?? temporary!.path, 'artifacts') });
  const random = new Random(entropySeed());
  let url: string | null = null;
  // Until its HTTP interface is there.
  let asked = (socket: Socket): void => void socket.destroy();
  const cluster: ClusterHost = new ClusterHost({
    store: opened.store,
    host: name,
    slots,
    runner: {
      start: (order, listener) => runner.start(order, listener),
      join: (order) => runner.join(order),
    },
    clock,
    logger,
    random,
    wallMs,
    url: () => url,
    door: () => opening?.address ?? null,
    labels,
    protocol: PROTOCOL_VERSION,
    version: installedVersion(),
    onParameters: (parameters) => logger.follow(parameters),
  });
  const peers = opening === null ? null : new Peers({ name, cluster, artifacts, reach: opening.reach, clock, logger });
  const together =
    opening === null
      ? null
      : new Together({
          ...opening,
          member: () => memberOf(name, cluster.boot),
          hostAt: async (place) => await cluster.hosts.at(place),
        });
  const { heapMb } = memoryShare(defaultConfig, slots);
  const spares =
    together === null
      ? null
      : new SpareThreads({ count: Math.min(SPARE_THREADS_MAX, slots), heapMbMax: heapMb, clock });
  undo.push(async () => await spares?.close());
  const submissions = new Submissions({ artifacts: peers ?? artifacts, logger, filesDirectory });
  const runner: EngineRunner = new EngineRunner({
    logger,
    clock,
    slots,
    spares,
    print,
    waitsForCode: opened.shared,
    together,
    sourceOf: async (order) => await submissions.sourceOf(order),
    parametersOf: (order, changed) => cluster.liveParameters.follow(order, changed),
    filesRootOf: ({ posted }) => (posted ? filesDirectory : null),
    heldBack: new Set(options.heldBack),
    onRunning: options.onRunning ?? (() => undefined),
  });
  const service = new LocalService({ name, cluster, runner, artifacts, submissions, peers, strangers, wallMs });
  const server = options.listen === undefined || options.listen === null ? null : await createApi(service, logger);
  // Other hosts are told where it is when it registers.
  if (server !== null) {
    undo.push(async () => await server.close());
    url = (await server.listen(options.listen!)).url;
    asked = (socket) => server.serve(socket);
  }
  await cluster.start();
  undo.push(async () => await cluster.close());
  const parts = { name, clock, opened, opening, spares, cluster, artifacts, submissions, service, temporary, logger };
  return make(parts, server, url);
}

async function createApi(service: HostService, logger: Logger): Promise<Api> {
  const [{ createServer }, { parseListenAddress }] = await Promise.all([
    import('../http/server.js'),
    import('../http/listen.js'),
  ]);
  const server = createServer({ service, logger });
  return {
    listen: async (address) => await server.listen(parseListenAddress(address)),
    serve: (socket) => server.serve(socket),
    close: async () => await server.close(),
  };
}

/** Each once. @throws MILLRACE_HOST_OPTION */
function checkLabels(labels: readonly string[]): readonly string[] {
  const wrong = labels.find((label) => !isName(label));
  const refused = (given: string | number, expected: string): Error =>
    failure('MILLRACE_HOST_OPTION', { option: 'labels', given, expected });
  if (wrong !== undefined) throw refused(wrong, 'a letter or digit, then letters, digits, ".", "_" and "-", in each');
  const once = [...new Set(labels)];
  if (once.length > LABELS_MAX) throw refused(`${once.length} of them`, `at most ${LABELS_MAX}`);
  return once;
}

/** The real path of the directory that files may be in. @throws MILLRACE_HOST_FILES */
async function checkFiles(directory: string | null): Promise<string | null> {
  if (directory === null) return null;
  const found = await stat(directory).catch((error: unknown) => {
    throw failure('MILLRACE_HOST_FILES', { directory, reason: reasonOf(error) }, { cause: error });
  });
  if (!found.isDirectory()) throw failure('MILLRACE_HOST_FILES', { directory, reason: 'it is no directory' });
  return resolve(directory);
}

/** Waits for it, but not longer than that. */
async function atMost(end: Promise<void>, waitMs: number, clock: Clock): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = clock.after(waitMs, resolve);
    end.finally(() => timer.cancel()).then(resolve, reject);
  });
}

async function* chunks(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}
