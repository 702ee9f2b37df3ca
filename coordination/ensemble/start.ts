// Starts an ensemble, or those servers of one that are down, and waits until they serve clients. What does not come up
// is stopped again; what ran before goes on. Main thread.
//
//   find Java and jars ─► hold the directory ─► keep its ports, or find free ones ─► write configurations
//      ─► start processes, note their ids at once ─► wait: all serve │ one died: its error │ too late: stop them

import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { RealClock, type Clock } from '../../engine/clock.js';
import { failure, isMillraceError, reasonOf } from '../../engine/errors.js';
import {
  ENSEMBLE_LOOK_MS,
  ENSEMBLE_PORT_TRIES,
  ENSEMBLE_PORT_WAIT_MS,
  ENSEMBLE_START_MAX_MS,
} from '../../engine/limits.js';
import { lockDirectory } from '../store/embedded/lock.js';
import { pause } from '../store/signals.js';
import { configurationText, type EnsembleServer } from './configuration.js';
import { describeStates, Ensemble, serverDirectory, serves } from './ensemble.js';
import { findZooKeeper, type Installation } from './installation.js';
import { checkOptions, configurationOf, type EnsembleOptions } from './options.js';
import { portsOf, serversAt, serversOnFreePorts, whyTaken } from './ports.js';
import { causeIn, prepareLog, readLog } from './server-log.js';
import { isListening } from './questions.js';
import { LOG_FILE, lookAtServer, signalServer, startServer, type ServerMark } from './server-process.js';
import { readState, unusable, writeState, type EnsembleState } from './state.js';

/** What a start has done. */
export interface StartedEnsemble {
  readonly ensemble: Ensemble;
  /** The numbers of the servers that were down and are started now. */
  readonly started: readonly number[];
}

const SERVERS = 3;
const NEVER = new AbortController().signal;

/**
 * Starts an ensemble on 127.0.0.1 and waits until it serves clients. Its processes outlive this one: whoever wants
 * their end calls `stop` or `destroy`. In a directory that holds an ensemble, those of its servers are started that are
 * down.
 *
 * @throws MILLRACE_ZOOKEEPER_MISSING when Java or ZooKeeper is not installed
 * @throws MILLRACE_ENSEMBLE_OPTION, MILLRACE_ENSEMBLE_DIRECTORY, MILLRACE_STORE_IN_USE when somebody else starts it
 * @throws MILLRACE_ENSEMBLE_PORT, MILLRACE_ENSEMBLE_DIED, MILLRACE_ENSEMBLE_LATE
 */
export async function startEnsemble(options: EnsembleOptions): Promise<StartedEnsemble> {
  const installation = await findZooKeeper(options.env);
  const directory = resolve(options.directory);
  const kept = await readState(directory);
  checkOptions(options, kept?.servers ?? null);
  await makeDirectory(directory);
  const lock = await lockDirectory(directory);
  try {
    return await start(directory, options, installation);
  } finally {
    await lock.release();
  }
}

async function start(
  directory: string,
  options: EnsembleOptions,
  installation: Installation,
): Promise<StartedEnsemble> {
  const kept = await readState(directory);
  const configuration = configurationOf(options, kept?.configuration ?? null);
  const secure = configuration.tls !== null;
  for (let attempt = 1; ; attempt++) {
    const count = options.servers ?? SERVERS;
    const servers =
      kept?.servers ??
      (options.port === undefined ? await serversOnFreePorts(count, secure) : serversAt(options.port, count, secure));
    const state: EnsembleState = { id: kept?.id ?? randomUUID(), configuration, servers, pids: kept?.pids ?? {} };
    try {
      return await new Start(directory, state, installation, options).run();
    } catch (error) {
      const another = kept === null && options.port === undefined && attempt < ENSEMBLE_PORT_TRIES;
      if (!another || !isTaken(error)) throw error;
    }
  }
}

class Start {
  private readonly directory: string;
  private state: EnsembleState;
  private readonly installation: Installation;
  private readonly clock: Clock;
  private readonly timeoutMs: number;
  private readonly signal: AbortSignal;
  /** How servers ended that this has started. */
  private readonly ended = new Map<number, string>();
  /** Where their logs were when they started. */
  private readonly logStarts = new Map<number, number>();

  constructor(directory: string, state: EnsembleState, installation: Installation, options: EnsembleOptions) {
    this.directory = directory;
    this.state = state;
    this.installation = installation;
    this.clock = options.clock ?? new RealClock();
    this.timeoutMs = options.timeoutMs ?? ENSEMBLE_START_MAX_MS;
    this.signal = options.signal ?? NEVER;
  }

  async run(): Promise<StartedEnsemble> {
    const down = this.state.servers.filter(({ id }) => this.look(id) === 'gone');
    for (const server of down) await this.checkPorts(server);
    this.signal.throwIfAborted();
    // Before the first server has a directory: who looks meanwhile finds an ensemble.
    writeState(this.directory, this.state);
    try {
      for (const server of down) this.launch(server);
      const ensemble = await Ensemble.open(this.directory, this.clock);
      await this.untilServing(ensemble, down);
      return { ensemble, started: down.map(({ id }) => id) };
    } catch (error) {
      for (const { id } of down) signalServer(this.state.pids[id] ?? 0, this.markOf(id), 'SIGKILL');
      for (const { id } of down) {
        while (this.look(id) !== 'gone') await pause(this.clock, ENSEMBLE_LOOK_MS, NEVER);
      }
      throw error;
    }
  }

  private markOf(server: number): ServerMark {
    return { ensemble: this.state.id, server };
  }

  private look(server: number): ReturnType<typeof lookAtServer> {
    return lookAtServer(this.state.pids[server] ?? 0, this.markOf(server));
  }

  private async checkPorts(server: EnsembleServer): Promise<void> {
    // One that has run before may have been killed just now, and the kernel closes its ports last.
    const ran = (this.state.pids[server.id] ?? 0) > 0;
    const untilMs = this.clock.now() + (ran ? ENSEMBLE_PORT_WAIT_MS : 0);
    for (const port of portsOf(server)) {
      for (;;) {
        const reason = await whyTaken(port);
        if (reason === null) break;
        this.signal.throwIfAborted();
        if (this.clock.now() >= untilMs) {
          throw failure('MILLRACE_ENSEMBLE_PORT', { port, server: server.id, directory: this.directory, reason });
        }
        await pause(this.clock, ENSEMBLE_LOOK_MS, this.signal);
      }
    }
  }

  private launch(server: EnsembleServer): void {
    const { id } = server;
    const { configuration, servers } = this.state;
    const path = serverDirectory(this.directory, id);
    try {
      mkdirSync(join(path, 'data'), { recursive: true, mode: 0o700 });
      writeFileSync(join(path, 'zoo.cfg'), configurationText(configuration, servers, server), { mode: 0o600 });
      writeFileSync(join(path, 'data', 'myid'), `${id}\n`);
      this.logStarts.set(id, prepareLog(join(path, LOG_FILE)));
    } catch (error) {
      throw unusable(this.directory, reasonOf(error));
    }
    const { pid, ended } = startServer(path, this.markOf(id), this.installation, configuration);
    // Noted before anything else can go wrong: a server that nobody knows of would run for ever.
    this.state = { ...this.state, pids: { ...this.state.pids, [id]: pid } };
    writeState(this.directory, this.state);
    void ended.then((how) => this.ended.set(id, how));
  }

  private async untilServing(ensemble: Ensemble, servers: readonly EnsembleServer[]): Promise<void> {
    const untilMs = this.clock.now() + this.timeoutMs;
    for (;;) {
      for (const { id } of servers) {
        const how = this.ended.get(id);
        if (how !== undefined) throw await this.died(id, how);
      }
      const status = await ensemble.status();
      if (servers.every(({ id }) => serves(status[id - 1]!.state)) && (await areSecure(servers))) return;
      this.signal.throwIfAborted();
      if (this.clock.now() >= untilMs) {
        const states = describeStates(status);
        throw failure('MILLRACE_ENSEMBLE_LATE', { directory: this.directory, ms: this.timeoutMs, states });
      }
      await pause(this.clock, ENSEMBLE_LOOK_MS, this.signal);
    }
  }

  private async died(server: number, how: string): Promise<Error> {
    const log = join(serverDirectory(this.directory, server), LOG_FILE);
    const cause = causeIn(await readLog(log, this.logStarts.get(server) ?? 0));
    const reason = cause === null ? how : `${cause} (${how})`;
    return failure('MILLRACE_ENSEMBLE_DIED', { server, directory: this.directory, reason, log });
  }
}

/** A server opens its port for TLS behind the other one. */
async function areSecure(servers: readonly EnsembleServer[]): Promise<boolean> {
  for (const { securePort } of servers) if (securePort !== null && !(await isListening(securePort))) return false;
  return true;
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(directory, reasonOf(error));
  }
}

/** Whether a port was taken between the look and the server. */
function isTaken(error: unknown): boolean {
  if (!isMillraceError(error)) return false;
  return error.code === 'MILLRACE_ENSEMBLE_PORT' || /Address already in use|BindException/.test(error.message);
}
