// `millrace host`: the small parent of a host. It starts the host process, starts it again with back-off when that
// dies, without the topologies that it crashed of, and ends it cleanly on a signal. It holds nothing that could break:
// wishes, progress and artifacts are in the data directory, and whoever killed both of them starts the command again.
//
//   starting ─ listening ─► running ─ it died ─► resting (back-off) ─► starting, on the same port
//      │ refused, the first time                     │
//      └──────────────► its error, exit              └─ signal ─► stopping ─► exit; a second signal kills
//
// Main thread of the parent process.

import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Clock, Timer } from '../../engine/clock.js';
import { reasonOf, type WireError } from '../../engine/errors.js';
import { HOST_RESTART_MAX_MS, HOST_RESTART_MIN_MS, HOST_STABLE_MS } from '../../engine/limits.js';
import { makeTemporaryDirectory } from '../temporary.js';
import { formatError } from './error-text.js';
import { EXIT_FAILED, EXIT_OK, exitCodeOf, SIGNAL_EXITS, type EndSignal } from './exit.js';
import { HostCrashes, isCrash } from './host-crashes.js';
import type { SessionKey } from '../host/options.js';
import type { FromHostProcess, HostProcessOptions, LinkFlags, ToHostProcess } from './host-messages.js';
import type { Output } from './output.js';

/** What the user asked for. */
export interface HostRequest {
  readonly listen: string;
  /** Null: kept while the command runs. */
  readonly dataDirectory: string | null;
  readonly filesDirectory: string | null;
  readonly slots: number | null;
  /** The servers of an ensemble; null: the host is alone. */
  readonly zookeeper: string | null;
  readonly name: string | null;
  readonly labels: readonly string[];
  readonly sessionTimeoutMs: number | null;
  readonly links: LinkFlags;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** Everything outside, replaced in tests. */
export interface HostEnvironment {
  readonly output: Output;
  readonly clock: Clock;
  onSignal(listener: (signal: EndSignal) => void): void;
  /** Starts a host process. */
  start(options: HostProcessOptions): ChildProcess;
  /** Ends the session of a host process that died, so that the cluster need not wait for its timeout. */
  endSession(servers: string, key: SessionKey): Promise<void>;
}

/** Runs a host until a signal ends it; gives the exit code. */
export async function hostCommand(request: HostRequest, environment: HostEnvironment): Promise<number> {
  const temporary = request.dataDirectory === null ? await makeTemporaryDirectory() : null;
  try {
    const options = { ...request, dataDirectory: request.dataDirectory ?? temporary!.path, heldBack: [] };
    return await new Parent({ ...options, keepsNothing: temporary !== null }, environment).toEnd();
  } finally {
    await temporary?.dispose();
  }
}

/** Forks `host-process.js`, with the streams of this process. */
export function startHostProcess(options: HostProcessOptions): ChildProcess {
  const file = fileURLToPath(new URL('./host-process.js', import.meta.url));
  return fork(file, [JSON.stringify(options)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** How a host process ended. */
interface Exit {
  /** Why it could not start, when it said so. */
  readonly refused: WireError | null;
  readonly exitCode: number | null;
  /** In words. */
  readonly why: string;
}

/** A host is ended by SIGTERM: that is no failure. */
function exitOf(signal: EndSignal): number {
  return signal === 'SIGTERM' ? EXIT_OK : SIGNAL_EXITS[signal];
}

class Parent {
  private readonly environment: HostEnvironment;
  private options: HostProcessOptions;
  private child: ChildProcess | null = null;
  /** It has listened once: from here on it is started again. */
  private hasListened = false;
  private listeningSinceMs = 0;
  private signal: EndSignal | null = null;
  private readonly crashes = new HostCrashes();
  /** Submissions that run in the host process of now, or ran in the last one. */
  private running: readonly string[] = [];
  /** Of the host process with the ensemble. */
  private session: SessionKey | null = null;
  private sessionEnds: Promise<void> = Promise.resolve();
  private restMs = HOST_RESTART_MIN_MS;
  private rest: Timer | null = null;
  private finish: (exitCode: number) => void = () => undefined;

  constructor(options: HostProcessOptions, environment: HostEnvironment) {
    this.options = options;
    this.environment = environment;
  }

  async toEnd(): Promise<number> {
    const ended = new Promise<number>((resolve) => (this.finish = resolve));
    this.environment.onSignal((signal) => this.interrupt(signal));
    this.start();
    return await ended;
  }

  private start(): void {
    let refused: WireError | null = null;
    let child: ChildProcess;
    try {
      child = this.environment.start(this.options);
    } catch (error) {
      this.exited({ refused, exitCode: null, why: `could not be made: ${reasonOf(error)}` });
      return;
    }
    this.child = child;
    child.on('message', (message: FromHostProcess) => {
      if (message.type === 'listening') this.listens(message.url);
      else if (message.type === 'running') this.running = message.ids;
      else if (message.type === 'session') this.session = message.key;
      else refused = message.error;
    });
    // Of an error in the channel alone an exit follows.
    child.on('error', (error) => {
      if (child.pid !== undefined) return;
      this.exited({ refused, exitCode: null, why: `could not be made: ${error.message}` });
    });
    child.once('exit', (exitCode, signal) => {
      const why = `ended with ${signal ?? `code ${exitCode}`}`;
      const tell = (): void => {
        this.died(signal);
        // One that ended by itself has closed it.
        if (exitCode !== EXIT_OK) this.endSession();
        this.exited({ refused, exitCode, why });
      };
      // What it said last may still be in the channel.
      if (child.connected) child.once('disconnect', tell);
      else tell();
    });
  }

  private listens(url: string): void {
    const { output, clock } = this.environment;
    this.listeningSinceMs = clock.now();
    if (this.hasListened) {
      output.say(`the host is back at ${url}`);
      return;
    }
    this.hasListened = true;
    // Port 0 was asked for once: whoever was told the port finds the host there again.
    this.options = { ...this.options, listen: url.slice(url.indexOf('//') + 2) };
    void (this.options.json ? output.data({ type: 'listening', url }) : output.print(`listening on ${url}`));
    if (this.options.keepsNothing)
      output.say('nothing is kept when this command ends: give it --data and a directory for that');
  }

  /** What crashed it by itself is known by what ran each time. */
  private died(signal: NodeJS.Signals | null): void {
    if (this.signal === null && isCrash(signal)) this.crashes.add(this.environment.clock.now(), this.running);
    this.running = [];
    this.options = { ...this.options, heldBack: this.crashes.suspects };
  }

  /** What it left: it had no time to say goodbye. */
  private endSession(): void {
    const { session, options, environment } = this;
    this.session = null;
    if (session === null || options.zookeeper === null) return;
    this.sessionEnds = environment.endSession(options.zookeeper, session).catch((error: unknown) => {
      environment.output.say(`warning: the session of the host process ends by itself: ${reasonOf(error)}`);
    });
  }

  private exited({ refused, exitCode, why }: Exit): void {
    const { output, clock } = this.environment;
    this.child = null;
    if (this.signal !== null) {
      const own = exitCode === EXIT_FAILED ? EXIT_FAILED : exitOf(this.signal);
      void this.sessionEnds.then(() => this.finish(own));
      return;
    }
    if (!this.hasListened) {
      if (refused !== null) output.say(formatError(refused));
      else output.say(`error: the host process ${why} before it listened`);
      if (refused !== null) void output.data({ type: 'error', error: { ...refused, stack: undefined } });
      this.finish(refused === null ? EXIT_FAILED : exitCodeOf(refused));
      return;
    }
    if (clock.now() - this.listeningSinceMs >= HOST_STABLE_MS) this.restMs = HOST_RESTART_MIN_MS;
    const reason = refused === null ? why : `could not start: ${refused.message}`;
    output.say(`warning: the host process ${reason}; starting it again in ${this.restMs} ms`);
    this.rest = clock.after(this.restMs, () => this.start());
    this.restMs = Math.min(this.restMs * 2, HOST_RESTART_MAX_MS);
  }

  private interrupt(signal: EndSignal): void {
    const { output } = this.environment;
    if (this.signal !== null) {
      // A third one does not wait for the end of the session either.
      if (this.child === null) this.finish(exitOf(signal));
      else this.child.kill('SIGKILL');
      return;
    }
    this.signal = signal;
    this.rest?.cancel();
    if (this.child === null) {
      this.finish(exitOf(signal));
      return;
    }
    output.say('closing the host; once more leaves at once');
    this.stop(this.child);
  }

  private stop(child: ChildProcess): void {
    if (child.connected) child.send({ type: 'stop' } satisfies ToHostProcess);
  }
}
