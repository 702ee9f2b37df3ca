// An ensemble of ZooKeeper servers on this machine, as it is found in its data directory: what its servers do, and what
// can be done to them. Who started it does not matter; processes are looked up anew for every call, so that several
// programs may hold the same ensemble. Main thread.
//
//                     ┌─ pause ─► paused ─ resume ─┐
//   down ─ start ─► electing ◄──────────────────── ┘
//    ▲                │ ▲  └─ a majority is up ─► leader or follower (alone: standalone)
//    │                │ └──── too few are left ───────┘
//    └─ kill, stop, or it died ──────────────────────

import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { RealClock, type Clock } from '../../engine/clock.js';
import { failure } from '../../engine/errors.js';
import { ENSEMBLE_KILL_MS, ENSEMBLE_LOOK_MS, ENSEMBLE_STOP_MS } from '../../engine/limits.js';
import { pause } from '../store/signals.js';
import { ENSEMBLE_HOST, type EnsembleServer } from './configuration.js';
import { ask, readAnswer, type ServerMode } from './questions.js';
import { lookAtServer, signalServer, type ServerMark } from './server-process.js';
import { readState, unusable, type EnsembleState } from './state.js';

/**
 * What a server does: it serves, it waits for a majority, it does not answer, it is stopped by a signal, it is not
 * there.
 */
export type ServerState = ServerMode | 'electing' | 'silent' | 'paused' | 'down';

/** How a server is. */
export interface ServerStatus extends EnsembleServer {
  readonly state: ServerState;
  /** Null when it is down. */
  readonly pid: number | null;
  /** The last change of the ensemble that it knows, when it serves. */
  readonly zxid: string | null;
  /** Clients that are connected, when it serves; who asks for this is one of them. */
  readonly connections: number | null;
}

/** A server: by what it is, or by its number. */
export type ServerChoice = 'leader' | 'follower' | number;

const NEVER = new AbortController().signal;

export class Ensemble {
  /** Where it is kept; absolute. */
  readonly directory: string;
  readonly servers: readonly EnsembleServer[];
  private readonly id: string;
  private readonly clock: Clock;

  private constructor(directory: string, { id, servers }: EnsembleState, clock: Clock) {
    this.directory = directory;
    this.id = id;
    this.servers = servers;
    this.clock = clock;
  }

  /**
   * Finds the ensemble of that directory, running or not.
   *
   * @throws MILLRACE_ENSEMBLE_UNKNOWN when there is none, MILLRACE_ENSEMBLE_DIRECTORY when something else is there
   */
  static async open(directory: string, clock: Clock = new RealClock()): Promise<Ensemble> {
    const path = resolve(directory);
    const state = await readState(path);
    if (state === null) throw failure('MILLRACE_ENSEMBLE_UNKNOWN', { directory });
    return new Ensemble(path, state, clock);
  }

  /** Where clients find it: `127.0.0.1:2181,127.0.0.1:2182,127.0.0.1:2183`. */
  get connectString(): string {
    return this.servers.map(({ clientPort }) => `${ENSEMBLE_HOST}:${clientPort}`).join(',');
  }

  /** The same for clients with TLS; null when it has no ports for them. */
  get secureConnectString(): string | null {
    const ports = this.servers.map(({ securePort }) => securePort);
    return ports.includes(null) ? null : ports.map((port) => `${ENSEMBLE_HOST}:${port}`).join(',');
  }

  /** How each server is, in the order of their numbers. */
  async status(): Promise<readonly ServerStatus[]> {
    const { pids } = await this.state();
    return await Promise.all(this.servers.map((server) => this.statusOf(server, pids[server.id] ?? 0)));
  }

  /**
   * Asks a server a word of four letters, such as `mntr`. @throws MILLRACE_STORE_UNAVAILABLE when it does not answer
   */
  async ask(server: number, word: string): Promise<string> {
    return await ask(this.serverOf(server).clientPort, word, this.clock);
  }

  /**
   * Waits until these servers serve clients; without any, all of them.
   *
   * @throws the reason of the signal
   */
  async serving(servers: readonly number[] = this.ids, signal: AbortSignal = NEVER): Promise<void> {
    for (;;) {
      const status = await this.status();
      if (servers.every((id) => serves(status[id - 1]!.state))) return;
      signal.throwIfAborted();
      await pause(this.clock, ENSEMBLE_LOOK_MS, signal);
    }
  }

  /**
   * Ends all servers, all at once: one after another the last ones would wait for a majority. Their data stays.
   *
   * @returns how many there were to end
   */
  async stop(): Promise<number> {
    return await this.end('SIGTERM');
  }

  /** Kills all servers and removes the directory with all that is in it. */
  async destroy(): Promise<void> {
    await this.end('SIGKILL');
    await rm(this.directory, { recursive: true, force: true });
  }

  /**
   * Kills a server and waits until it is gone.
   *
   * @returns its number
   * @throws MILLRACE_ENSEMBLE_SERVER when there is none like that
   */
  async kill(which: ServerChoice, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<number> {
    const { id, pid } = await this.find(which);
    // A stopped process hears of nothing else but its end.
    if (signal === 'SIGTERM') signalServer(pid, this.markOf(id), 'SIGCONT');
    signalServer(pid, this.markOf(id), signal);
    await this.gone([{ id, pid }], ENSEMBLE_KILL_MS);
    return id;
  }

  /** Stops the process of a server (SIGSTOP): its connections stay and nothing is answered. @throws as `kill` does */
  async pause(which: ServerChoice): Promise<number> {
    return await this.signal(which, 'SIGSTOP');
  }

  /** Lets a stopped process go on (SIGCONT). @throws as `kill` does */
  async resume(which: ServerChoice): Promise<number> {
    return await this.signal(which, 'SIGCONT');
  }

  private get ids(): readonly number[] {
    return this.servers.map(({ id }) => id);
  }

  private markOf(server: number): ServerMark {
    return { ensemble: this.id, server };
  }

  private async state(): Promise<EnsembleState> {
    const state = await readState(this.directory);
    if (state === null) throw failure('MILLRACE_ENSEMBLE_UNKNOWN', { directory: this.directory });
    // Whoever removed the directory may have put another one there.
    if (state.id !== this.id) throw unusable(this.directory, 'another ensemble has taken its place');
    return state;
  }

  private async statusOf(server: EnsembleServer, pid: number): Promise<ServerStatus> {
    const nothing = { ...server, state: 'down' as const, pid, zxid: null, connections: null };
    const found = lookAtServer(pid, this.markOf(server.id));
    if (found === 'gone') return { ...nothing, pid: null };
    if (found === 'paused') return { ...nothing, state: 'paused' };
    let text: string;
    try {
      text = await ask(server.clientPort, 'srvr', this.clock);
    } catch {
      return { ...nothing, state: 'silent' };
    }
    const answer = readAnswer(text);
    if (answer === null) return { ...nothing, state: 'electing' };
    return { ...nothing, state: answer.mode, zxid: answer.zxid, connections: answer.connections };
  }

  private serverOf(id: number): EnsembleServer {
    const server = this.servers.find((each) => each.id === id);
    if (server === undefined) {
      throw this.without(`server ${id}`, `its servers are ${this.ids.join(', ')}`);
    }
    return server;
  }

  private async find(which: ServerChoice): Promise<{ readonly id: number; readonly pid: number }> {
    if (typeof which === 'number') this.serverOf(which);
    const status = await this.status();
    const found = status.find(({ id, state }) => {
      if (typeof which === 'number') return id === which && state !== 'down';
      return state === which || (which === 'leader' && state === 'standalone');
    });
    if (found === undefined || found.pid === null) {
      throw this.without(typeof which === 'number' ? `running server ${which}` : which, describeStates(status));
    }
    return { id: found.id, pid: found.pid };
  }

  private without(server: string, states: string): Error {
    return failure('MILLRACE_ENSEMBLE_SERVER', { directory: this.directory, server, states });
  }

  private async signal(which: ServerChoice, signal: NodeJS.Signals): Promise<number> {
    const { id, pid } = await this.find(which);
    signalServer(pid, this.markOf(id), signal);
    const wanted = signal === 'SIGSTOP' ? 'paused' : 'running';
    // The kernel tells of it a moment later.
    while (![wanted, 'gone'].includes(lookAtServer(pid, this.markOf(id)))) {
      await pause(this.clock, ENSEMBLE_LOOK_MS, NEVER);
    }
    return id;
  }

  private async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number> {
    const { pids } = await this.state();
    const all = this.ids.map((id) => ({ id, pid: pids[id] ?? 0 }));
    const living = all.filter(({ id, pid }) => lookAtServer(pid, this.markOf(id)) !== 'gone');
    for (const { id, pid } of living) {
      signalServer(pid, this.markOf(id), signal);
      signalServer(pid, this.markOf(id), 'SIGCONT');
    }
    if (signal === 'SIGTERM' && !(await this.gone(living, ENSEMBLE_STOP_MS, false))) {
      for (const { id, pid } of living) signalServer(pid, this.markOf(id), 'SIGKILL');
    }
    await this.gone(living, ENSEMBLE_KILL_MS);
    return living.length;
  }

  /** Waits until these processes are gone; whether they were in time. */
  private async gone(
    processes: readonly { readonly id: number; readonly pid: number }[],
    withinMs: number,
    must = true,
  ): Promise<boolean> {
    const untilMs = this.clock.now() + withinMs;
    for (;;) {
      const left = processes.filter(({ id, pid }) => lookAtServer(pid, this.markOf(id)) !== 'gone');
      if (left.length === 0) return true;
      if (this.clock.now() >= untilMs) {
        if (!must) return false;
        const states = left.map(({ id, pid }) => `server ${id} (process ${pid}) does not end`).join(', ');
        throw this.without('servers that can be ended', states);
      }
      await pause(this.clock, ENSEMBLE_LOOK_MS, NEVER);
    }
  }
}

/** Whether a server in that state serves clients. */
export function serves(state: ServerState): state is ServerMode {
  return state === 'leader' || state === 'follower' || state === 'standalone';
}

/** `server 1 is down, server 2 is electing`. */
export function describeStates(status: readonly ServerStatus[]): string {
  return status.map(({ id, state }) => `server ${id} is ${state}`).join(', ');
}

/** The directory of one server. */
export function serverDirectory(directory: string, server: number): string {
  return join(directory, `server-${server}`);
}
