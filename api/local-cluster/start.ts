// Starts a cluster on this machine for trying things out: an ensemble and hosts on it, all on 127.0.0.1, and waits
// until every host takes requests. Whatever does not come up takes the rest with it. Main thread.
//
//   hold the directory ─► nothing of it runs ─► find ports ─► ensemble ─► start hosts, note their ids at once
//      ─► wait: all take requests and know each other │ one died: its error │ too late │ signal
//                                                          └──────── end hosts, then the ensemble ────────┘

import { existsSync, mkdirSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Ensemble } from '../../coordination/ensemble/ensemble.js';
import { freePort, whyTaken } from '../../coordination/ensemble/ports.js';
import { prepareLog, readLog } from '../../coordination/ensemble/server-log.js';
import { startEnsemble } from '../../coordination/ensemble/start.js';
import { makeDirectory } from '../../coordination/make-directory.js';
import { lockDirectory } from '../../coordination/store/embedded/lock.js';
import { pause } from '../../coordination/store/signals.js';
import { hasCode } from '../../coordination/store/store-errors.js';
import type { Clock } from '../../engine/clock.js';
import { failure, reasonOf } from '../../engine/errors.js';
import {
  CLUSTER_ANSWER_MS,
  CLUSTER_LOOK_MS,
  CLUSTER_PORT_TRIES,
  CLUSTER_START_MAX_MS,
  CLUSTER_UNDO_MS,
} from '../../engine/limits.js';
import { MillraceClient } from '../client/client.js';
import { startHost } from './host-processes.js';
import { answers, clusterStatus, endHosts, lookAtHost, whatRuns, type LocalClusterStatus } from './local-cluster.js';
import {
  dataDirectory,
  hostsDirectory,
  logFile,
  readState,
  stateFile,
  unusable,
  urlOf,
  writeState,
  zookeeperDirectory,
  type ClusterState,
  type HostPlace,
} from './state.js';

export interface LocalClusterOptions {
  readonly directory: string;
  /** 1 to `CLUSTER_HOSTS_MAX`. */
  readonly hosts: number;
  /** Of the ensemble; null: those that the directory holds, or 3. */
  readonly servers: number | null;
  /** Of the first host, the others follow; null: those that it had, else from 7070 on, or free ones. */
  readonly port: number | null;
  /** Of each host; null: the default of `millrace host`. */
  readonly slots: number | null;
  /** Whose files documents may use; null: none. */
  readonly filesDirectory: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Aborted, what was started is ended again. */
  readonly signal: AbortSignal;
  /** Told what is done. */
  readonly say: (text: string) => void;
}

/** Where the commands look for a host. */
const FIRST_PORT = 7070;
const NEVER = new AbortController().signal;

/**
 * Starts the cluster of that directory; its processes outlive this one.
 *
 * @throws MILLRACE_CLUSTER_DIRECTORY, MILLRACE_CLUSTER_RUNNING, MILLRACE_STORE_IN_USE when somebody else starts it
 * @throws MILLRACE_CLUSTER_PORT, MILLRACE_CLUSTER_DIED, MILLRACE_CLUSTER_LATE; what starting an ensemble throws
 */
export async function startCluster(options: LocalClusterOptions): Promise<LocalClusterStatus> {
  const directory = resolve(options.directory);
  // What is somebody else's is not even touched.
  const before = await readState(directory);
  const isNew = !existsSync(directory);
  await makeDirectory(directory).catch((error: unknown) => {
    throw unusable(directory, reasonOf(error));
  });
  try {
    const lock = await lockDirectory(directory).catch((error: unknown) => {
      throw hasCode(error, 'MILLRACE_STORE_IN_USE', 'MILLRACE_STORE_DIRECTORY')
        ? error
        : unusable(directory, reasonOf(error));
    });
    try {
      await new Start(directory, options, before !== null).run();
    } finally {
      await lock.release();
    }
    return await clusterStatus(directory, options.clock);
  } catch (error) {
    // Only when nothing is in it.
    if (isNew) await rmdir(directory).catch(() => undefined);
    throw error;
  }
}

class Start {
  private readonly directory: string;
  private readonly options: LocalClusterOptions;
  /** A cluster was here before: what is in the directory stays. */
  private readonly wasThere: boolean;
  private hosts: readonly HostPlace[] = [];
  /** How hosts ended that this has started. */
  private readonly ended = new Map<string, string>();
  /** Where their logs were when they started. */
  private readonly logStarts = new Map<string, number>();

  constructor(directory: string, options: LocalClusterOptions, wasThere: boolean) {
    this.directory = directory;
    this.options = options;
    this.wasThere = wasThere;
  }

  async run(): Promise<void> {
    const { directory, options } = this;
    const { clock, say, signal } = options;
    const state = await readState(directory);
    const running = await whatRuns(directory, state?.hosts ?? [], clock);
    if (running !== null) throw failure('MILLRACE_CLUSTER_RUNNING', { directory, what: running });
    for (let attempt = 1; ; attempt++) {
      this.hosts = await this.findPorts(attempt === 1 ? state : null);
      signal.throwIfAborted();
      try {
        // Before anything runs: who looks meanwhile finds a cluster.
        this.keep();
        const servers = options.servers === null ? {} : { servers: options.servers };
        say('starting the ZooKeeper servers');
        const at = { directory: zookeeperDirectory(directory), ...servers };
        const { ensemble } = await startEnsemble({ ...at, env: options.env, clock, signal });
        say(`starting ${this.hosts.length === 1 ? '1 host' : `${this.hosts.length} hosts`}`);
        for (const host of this.hosts) this.launch(host, ensemble.connectString);
        await this.untilUp();
        return;
      } catch (error) {
        await this.undo();
        const another = options.port === null && attempt < CLUSTER_PORT_TRIES && isPortTaken(error);
        if (!another) throw error;
      }
    }
  }

  private keep(): void {
    writeState(this.directory, { hosts: this.hosts });
  }

  private async findPorts(before: ClusterState | null): Promise<readonly HostPlace[]> {
    const { hosts: count, port } = this.options;
    const names = Array.from({ length: count }, (_, index) => `host-${index + 1}`);
    if (port !== null) return await portsFrom(names, port);
    const taken = new Set<number>();
    if (before === null) {
      const first = await portsFrom(names, FIRST_PORT).catch(() => null);
      if (first !== null) return first;
    }
    const hosts: HostPlace[] = [];
    for (const name of names) {
      const kept = before?.hosts.find((each) => each.name === name)?.port;
      const isFree = kept !== undefined && !taken.has(kept) && (await whyTaken(kept)) === null;
      if (isFree) taken.add(kept);
      hosts.push({ name, port: isFree ? kept : await freePort(taken), pid: 0 });
    }
    return hosts;
  }

  private launch(host: HostPlace, connectString: string): void {
    const { directory } = this;
    const { slots, filesDirectory } = this.options;
    const log = logFile(directory, host.name);
    try {
      mkdirSync(hostsDirectory(directory), { recursive: true, mode: 0o700 });
      this.logStarts.set(host.name, prepareLog(log));
    } catch (error) {
      throw unusable(directory, reasonOf(error));
    }
    const { pid, ended } = startHost({
      name: host.name,
      port: host.port,
      dataDirectory: dataDirectory(directory, host.name),
      logFile: log,
      connectString,
      slots,
      filesDirectory: filesDirectory === null ? null : resolve(filesDirectory),
    });
    // Noted before anything else can go wrong: a host that nobody knows of would run for ever.
    this.hosts = this.hosts.map((each) => (each.name === host.name ? { ...each, pid } : each));
    this.keep();
    void ended.then((how) => this.ended.set(host.name, how));
  }

  private async untilUp(): Promise<void> {
    const { clock, signal } = this.options;
    for (const untilMs = clock.now() + CLUSTER_START_MAX_MS; ; await pause(clock, CLUSTER_LOOK_MS, signal)) {
      signal.throwIfAborted();
      for (const { name } of this.hosts) if (this.ended.has(name)) throw await this.died(name);
      if ((await Promise.all(this.hosts.map(answers))).every(Boolean) && (await this.knowEachOther())) return;
      if (clock.now() >= untilMs) throw await this.late();
    }
  }

  private async knowEachOther(): Promise<boolean> {
    const client = new MillraceClient({ url: urlOf(this.hosts[0]!), timeoutMs: CLUSTER_ANSWER_MS });
    const known = await client.hosts().catch(() => []);
    return this.hosts.every((host) => known.some((each) => each.host === host.name && each.url === urlOf(host)));
  }

  private async died(host: string): Promise<Error> {
    const log = logFile(this.directory, host);
    const text = await readLog(log, this.logStarts.get(host) ?? 0);
    const reason = /^error (.+)$/m.exec(text)?.[1] ?? this.ended.get(host) ?? '';
    const { port } = this.hosts.find(({ name }) => name === host)!;
    if (reason.startsWith('MILLRACE_API_PORT_IN_USE')) return failure('MILLRACE_CLUSTER_PORT', { port, host, reason });
    return failure('MILLRACE_CLUSTER_DIED', { host, reason, log });
  }

  private async late(): Promise<Error> {
    const { directory } = this;
    const found = await Promise.all(this.hosts.map(async (host) => await lookAtHost(directory, host)));
    const states = found.map(({ name, state }) => `${name} is ${state}`).join(', ');
    return failure('MILLRACE_CLUSTER_LATE', {
      directory,
      ms: CLUSTER_START_MAX_MS,
      states,
      logs: hostsDirectory(directory),
    });
  }

  /** Ends what was started; of a cluster that was not there before, logs alone stay, and nothing after a signal. */
  private async undo(): Promise<void> {
    const { directory, wasThere } = this;
    const { clock, signal, say } = this.options;
    say('ending what was started');
    const started = this.hosts.filter(({ pid }) => pid > 0);
    await endHosts(directory, started, CLUSTER_UNDO_MS, clock, NEVER);
    const zookeeper = zookeeperDirectory(directory);
    const ensemble = await Ensemble.open(zookeeper, clock).catch(() => null);
    if (wasThere) {
      await ensemble?.stop();
      return;
    }
    await ensemble?.destroy();
    await rm(stateFile(directory), { force: true });
    for (const { name } of this.hosts) await rm(dataDirectory(directory, name), { recursive: true, force: true });
    if (signal.aborted) await rm(hostsDirectory(directory), { recursive: true, force: true });
  }
}

async function portsFrom(names: readonly string[], port: number): Promise<readonly HostPlace[]> {
  const hosts = names.map((name, index) => ({ name, port: port + index, pid: 0 }));
  for (const host of hosts) {
    const reason = host.port > 65_535 ? 'it is above 65535' : await whyTaken(host.port);
    if (reason !== null) throw failure('MILLRACE_CLUSTER_PORT', { port: host.port, host: host.name, reason });
  }
  return hosts;
}

function isPortTaken(error: unknown): boolean {
  return hasCode(error, 'MILLRACE_CLUSTER_PORT');
}
