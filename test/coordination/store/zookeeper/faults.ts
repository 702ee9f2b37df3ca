// Faults of an ensemble and of its clients, each with what is to be measured: for the tests, which look at what came of
// it, and for `npm run faults`, which prints the times. Times are of the machine's clock, from the fault on.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Ensemble } from '../../../../coordination/ensemble/ensemble.js';
import { startEnsemble } from '../../../../coordination/ensemble/start.js';
import { hasCode } from '../../../../coordination/store/store-errors.js';
import { ZookeeperStore } from '../../../../coordination/store/zookeeper/zookeeper-store.js';
import type { ZookeeperSession } from '../../../../coordination/store/zookeeper/zookeeper-session.js';
import { Events, freshPath, text, textOf, untilNode } from './real.js';

/** Writes that each writer makes after a fault, until it is over for it. */
const WRITES = 20;
/** Who is refused for want of a connection tries again so much later. */
const AGAIN_MS = 5;

export const nowMs = (): number => performance.now();

/** Writes numbers one after the other to a node, each guarded by its version, until it is stopped. */
export class Writer {
  readonly session: ZookeeperSession;
  readonly events: Events;
  readonly path: string;
  /** When writes were accepted. */
  readonly acceptedAtMs: number[] = [];
  /** Writes whose reply was lost. */
  uncertain = 0;
  /** What should never happen, in words. */
  readonly wrong: string[] = [];
  private readonly waiting: (() => void)[] = [];
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  private constructor(session: ZookeeperSession, path: string) {
    this.session = session;
    this.events = new Events(session);
    this.path = path;
  }

  static async start(ensemble: Ensemble, sessionTimeoutMs: number): Promise<Writer> {
    const session = await new ZookeeperStore({ servers: ensemble.connectString, sessionTimeoutMs }).connect();
    const path = freshPath('writer');
    await session.create(path, text('0'));
    await session.create(`${path}-here`, text(''), 'ephemeral');
    const writer = new Writer(session, path);
    writer.running = writer.run();
    return writer;
  }

  /** Resolves when so many more writes were accepted. */
  async accepts(count: number): Promise<void> {
    const wanted = this.acceptedAtMs.length + count;
    while (this.acceptedAtMs.length < wanted) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** The longest time without an accepted write, from that moment on. */
  longestGapMs(sinceMs: number): number {
    const times = [sinceMs, ...this.acceptedAtMs.filter((atMs) => atMs > sinceMs)];
    return Math.max(...times.slice(1).map((atMs, index) => atMs - times[index]!));
  }

  /** Stops, checks that what was accepted is there, and ends the session. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
    const { data, stat } = await this.session.get(this.path);
    const count = this.acceptedAtMs.length;
    if (textOf(data) !== String(count)) this.wrong.push(`it holds ${textOf(data)} after ${count} writes`);
    if (stat.version !== count) this.wrong.push(`it was set ${stat.version} times for ${count} writes`);
    if ((await this.session.exists(`${this.path}-here`)) === null) this.wrong.push('its ephemeral node is gone');
    if (this.events.seen.includes('lost')) this.wrong.push('its session was lost');
    await this.session.close();
  }

  private async run(): Promise<void> {
    for (let number = 1; !this.stopped; number++) {
      while (!(await this.isWritten(number))) {
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        if (this.session.state === 'lost') return;
      }
      this.acceptedAtMs.push(nowMs());
      for (const wake of this.waiting.splice(0)) wake();
    }
  }

  /** The version says what a lost reply has kept back. */
  private async isWritten(number: number): Promise<boolean> {
    try {
      await this.session.set(this.path, text(String(number)), number - 1);
      return true;
    } catch (error) {
      if (hasCode(error, 'MILLRACE_STORE_BAD_VERSION')) return await this.isThere(number);
      if (hasCode(error, 'MILLRACE_STORE_UNCERTAIN')) this.uncertain++;
      else if (!hasCode(error, 'MILLRACE_STORE_UNAVAILABLE')) this.wrong.push(String(error));
      return false;
    }
  }

  private async isThere(number: number): Promise<boolean> {
    try {
      await this.session.sync(this.path);
      return textOf((await this.session.get(this.path)).data) === String(number);
    } catch {
      return false;
    }
  }
}

/** What a fault did to those who wrote all the time. */
export interface Stall {
  /** Of each writer: the longest time without an accepted write. */
  readonly gapsMs: readonly number[];
  readonly writers: readonly Writer[];
  /** What should never happen. */
  readonly wrong: readonly string[];
}

/** Has three clients write while something happens, and until each of them writes again. */
export async function whileWriting(
  ensemble: Ensemble,
  sessionTimeoutMs: number,
  fault: () => Promise<unknown>,
): Promise<Stall> {
  const writers = await Promise.all(ensemble.servers.map(() => Writer.start(ensemble, sessionTimeoutMs)));
  await Promise.all(writers.map((writer) => writer.accepts(WRITES)));
  const sinceMs = nowMs();
  await fault();
  await Promise.all(writers.map((writer) => writer.accepts(WRITES)));
  const gapsMs = writers.map((writer) => writer.longestGapMs(sinceMs));
  await Promise.all(writers.map((writer) => writer.stop()));
  return { gapsMs, writers, wrong: writers.flatMap(({ wrong }) => wrong) };
}

/** Starts the servers that are down, and waits until all serve. */
export async function bringBack({ directory }: Ensemble): Promise<void> {
  const { ensemble } = await startEnsemble({ directory });
  await ensemble.serving();
}

/** Restarts one server after the other, the leader last. */
export async function rollingRestart(ensemble: Ensemble): Promise<void> {
  const status = await ensemble.status();
  const order = status.toSorted((a, b) => Number(a.state === 'leader') - Number(b.state === 'leader'));
  for (const { id } of order) {
    await ensemble.kill(id, 'SIGTERM');
    await bringBack(ensemble);
  }
}

/** Stops all servers, and brings them back after that time. */
export async function allAway(ensemble: Ensemble, awayMs: number): Promise<void> {
  await ensemble.stop();
  await new Promise((resolve) => setTimeout(resolve, awayMs));
  await bringBack(ensemble);
}

/** A client in a process of its own. */
export class ClientProcess {
  readonly path: string;
  readonly process: ChildProcess;
  id = '';
  password = '';
  timeoutMs = 0;
  private readonly lines: Interface;
  private readonly told: object[] = [];

  private constructor(path: string, child: ChildProcess) {
    this.path = path;
    this.process = child;
    this.lines = createInterface(child.stdout!);
    this.lines.on('line', (line) => this.told.push(JSON.parse(line) as object));
  }

  static async start({ connectString }: Ensemble, timeoutMs: number): Promise<ClientProcess> {
    const path = freshPath('client');
    const file = fileURLToPath(new URL('./client-process.js', import.meta.url));
    const child = spawn(process.execPath, [file, connectString, String(timeoutMs), path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const client = new ClientProcess(path, child);
    Object.assign(client, await client.next('id'));
    return client;
  }

  /** The next line with that key. */
  async next(key: 'event' | 'id' | 'write'): Promise<Readonly<Record<string, string>>> {
    for (;;) {
      const at = this.told.findIndex((line) => key in line);
      if (at >= 0) return this.told.splice(at, 1)[0] as Readonly<Record<string, string>>;
      await once(this.lines, 'line');
    }
  }

  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exited;
  }
}

/** Kills a client, and gives how long it takes until another one knows; `then` is what is done about it. */
export async function untilKnown(
  ensemble: Ensemble,
  client: ClientProcess,
  then: (store: ZookeeperStore) => Promise<unknown> = async () => undefined,
): Promise<number> {
  const store = new ZookeeperStore({ servers: ensemble.connectString, sessionTimeoutMs: 10_000 });
  const session = await store.connect();
  await untilNode(session, client.path, (node) => node !== null);
  const known = untilNode(session, client.path, (node) => node === null).then(nowMs);
  const sinceMs = nowMs();
  await client.kill();
  await then(store);
  const tookMs = (await known) - sinceMs;
  await session.close();
  return tookMs;
}
