// Runs `millrace host` as a user does: the parent and its host process in a group of their own, which nothing of a test
// outlives.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MillraceClient } from '../../api/client/client.js';
import type { TopologyDetails } from '../../api/host/service.js';

const MAIN = fileURLToPath(new URL('../../api/cli/main.js', import.meta.url));

/** What ends what was started: a test, or a command of ours. */
export interface Ending {
  teardown(work: () => unknown): void;
}

export interface HostEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class HostCommand {
  stdout = '';
  stderr = '';
  /** How the parent ended. */
  readonly exited: Promise<HostEnd>;
  /** Resolves when parent and host process are both gone: nobody has their output open any more. */
  readonly gone: Promise<void>;
  /** Where it keeps temporary files. */
  readonly temporary: string;
  private readonly parent: ChildProcess;
  private readonly waiting = new Set<() => void>();
  private isGone = false;

  /** Starts it in that directory; a relative one among its arguments begins there. */
  constructor(t: Ending, directory: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
    this.temporary = join(directory, 'temporary');
    mkdirSync(this.temporary, { recursive: true });
    this.parent = spawn(process.execPath, [MAIN, 'host', ...args], {
      cwd: directory,
      env: { ...process.env, TMPDIR: this.temporary, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, as a shell gives each command: what is sent to it, all in it get.
      detached: true,
    });
    const { stdout, stderr } = this.parent;
    stdout!.setEncoding('utf8').on('data', (text: string) => this.wrote('stdout', text));
    stderr!.setEncoding('utf8').on('data', (text: string) => this.wrote('stderr', text));
    this.exited = new Promise((resolve) => {
      this.parent.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
    });
    this.gone = new Promise((resolve) => {
      this.parent.once('close', () => {
        this.isGone = true;
        this.wake();
        resolve();
      });
    });
    t.teardown(async () => {
      if (!this.isGone) this.signalGroup('SIGKILL');
      await this.gone;
    });
  }

  /** Starts it on a free port, and waits until it listens. */
  static async listening(
    t: Ending,
    directory: string,
    args: readonly string[] = [],
    env: NodeJS.ProcessEnv = {},
  ): Promise<HostCommand> {
    const listen = args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
    const command = new HostCommand(t, directory, [...listen, ...args], env);
    await command.says(/listening.*http:/);
    return command;
  }

  get url(): string {
    const url = /http:\/\/[\w.:[\]]+/.exec(this.stdout)?.[0];
    if (url === undefined) throw new Error(`it does not listen: ${this.stdout}${this.stderr}`);
    return url;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get client(): MillraceClient {
    return new MillraceClient({ url: this.url });
  }

  get parentPid(): number {
    return this.parent.pid!;
  }

  /** The process id of the host process; null while there is none. */
  get childPid(): number | null {
    const { parentPid } = this;
    const pids = readFileSync(`/proc/${parentPid}/task/${parentPid}/children`, 'utf8').split(' ').filter(Boolean);
    return pids.map(Number).find((pid) => stateOf(pid) !== 'Z') ?? null;
  }

  /** Waits until that was written, so many times. */
  async says(what: RegExp, times = 1): Promise<void> {
    const all = new RegExp(what, `${what.flags}g`);
    while ((`${this.stdout}\n${this.stderr}`.match(all)?.length ?? 0) < times) {
      if (this.isGone) throw new Error(`it ended without saying ${what}: ${this.stdout}${this.stderr}`);
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
  }

  /** Sends a signal to the parent alone, as `kill` does. */
  signal(signal: NodeJS.Signals): void {
    this.parent.kill(signal);
  }

  /** Sends a signal to both, as Ctrl-C in a terminal does. */
  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-this.parentPid, signal);
  }

  /** kill -9 of the host process; resolves with its process id when it is dead. */
  async killChild(): Promise<number> {
    const pid = this.childPid;
    if (pid === null) throw new Error('there is no host process');
    process.kill(pid, 'SIGKILL');
    await poll(() => !isAlive(pid));
    return pid;
  }

  /** kill -9 of both. */
  async killBoth(): Promise<void> {
    this.signalGroup('SIGKILL');
    await this.gone;
  }

  /** Ends it cleanly. */
  async stop(): Promise<HostEnd> {
    this.signal('SIGTERM');
    const end = await this.exited;
    await this.gone;
    return end;
  }

  /** Temporary files that are left. */
  get leftovers(): readonly string[] {
    return readdirSync(this.temporary);
  }

  private wrote(name: 'stdout' | 'stderr', text: string): void {
    this[name] += text;
    this.wake();
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}

/** Whether there is such a process, and it is no corpse: all of its threads have ended then. */
export function isAlive(pid: number): boolean {
  const state = stateOf(pid);
  return state !== null && (state !== 'Z' || threadsOf(pid) > 1);
}

function threadsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).length;
  } catch {
    return 0;
  }
}

function stateOf(pid: number): string | null {
  try {
    return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? null;
  } catch {
    return null;
  }
}

/** Looks again and again until it is so; the timeout of the test is the bound. */
export async function poll(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Waits until the topology has come to one of these states. */
export async function untilState(
  client: MillraceClient,
  name: string,
  states: readonly string[],
): Promise<TopologyDetails> {
  let details: TopologyDetails | null = null;
  await poll(async () => {
    details = await client.describe(name);
    return states.includes(details.state);
  });
  return details!;
}
