// What a nemesis can do something to: an ensemble, and three contenders who reach it through relays of their own. It
// writes down what it does. Everything that it started ends with `close`.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Ensemble } from '../../coordination/ensemble/ensemble.js';
import { startEnsemble } from '../../coordination/ensemble/start.js';
import type { Session } from '../../coordination/store/contract.js';
import { ZookeeperStore } from '../../coordination/store/zookeeper/zookeeper-store.js';
import { monotonicMs, type NemesisEvent, type NemesisFact } from './events.js';
import { Relay } from './relay.js';

const CONTENDERS = ['a', 'b', 'c'] as const;
const PROGRAM = fileURLToPath(new URL('./contender.js', import.meta.url));

export interface WorldOptions {
  /** For the ensemble and the logs; it exists. */
  readonly directory: string;
  readonly ensembleDirectory: string;
  readonly sessionTimeoutMs: number;
}

/** A contender: one name, one process after the other. */
export class Contender {
  readonly name: string;
  readonly relays: readonly Relay[];
  lives = 0;
  child: ChildProcessWithoutNullStreams | null = null;
  /** Lines that it has said in its present life. */
  readonly said: string[] = [];
  exited: Promise<number | null> = Promise.resolve(null);
  private readonly listeners = new Set<() => void>();

  constructor(name: string, relays: readonly Relay[]) {
    this.name = name;
    this.relays = relays;
  }

  /** The name of its present life. */
  get who(): string {
    return `${this.name}${this.lives}`;
  }

  say(line: string): void {
    this.said.push(line);
    for (const listener of this.listeners) listener();
  }

  tell(line: string): void {
    this.child?.stdin.write(`${line}\n`);
  }

  /** Resolves with true when it has said that, with false when it has exited or the time is over. */
  async heard(line: string, withinMs: number): Promise<boolean> {
    return await new Promise((resolve) => {
      const end = (found: boolean): void => {
        this.listeners.delete(look);
        clearTimeout(timer);
        resolve(found);
      };
      const look = (): void => {
        if (this.said.includes(line)) end(true);
      };
      const timer = setTimeout(() => end(false), withinMs);
      this.listeners.add(look);
      void this.exited.then(() => end(this.said.includes(line)));
      look();
    });
  }
}

export class World {
  readonly contenders: readonly Contender[];
  ensemble: Ensemble;
  /** Who said last that it leads. */
  leader: Contender | null = null;
  private readonly options: WorldOptions;
  private readonly events: NemesisEvent[] = [];
  private readonly logs: string[] = [];

  private constructor(options: WorldOptions, ensemble: Ensemble, contenders: readonly Contender[]) {
    this.options = options;
    this.ensemble = ensemble;
    this.contenders = contenders;
  }

  static async open(options: WorldOptions): Promise<World> {
    const ensemble = await startServers(options);
    const ports = ensemble.connectString.split(',').map((server) => Number(server.split(':')[1]));
    const contenders = await Promise.all(
      CONTENDERS.map(async (name) => new Contender(name, await Promise.all(ports.map((port) => Relay.to(port))))),
    );
    return new World(options, ensemble, contenders);
  }

  get sessionTimeoutMs(): number {
    return this.options.sessionTimeoutMs;
  }

  note(fact: NemesisFact): void {
    this.events.push({ ...fact, atMs: monotonicMs(), who: 'runner' });
  }

  /** Starts a process of that contender, in a new life. */
  start(contender: Contender): void {
    const { directory, sessionTimeoutMs } = this.options;
    contender.lives++;
    contender.said.length = 0;
    const { who } = contender;
    const log = join(directory, `${who}.log`);
    this.logs.push(log);
    const servers = contender.relays.map(({ address }) => address).join(',');
    const child = spawn(process.execPath, [
      '--enable-source-maps',
      PROGRAM,
      who,
      servers,
      String(sessionTimeoutMs),
      log,
    ]);
    contender.child = child;
    this.note({ type: 'started', whom: who });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (part: string) => (errors += part));
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'leads') this.leader = contender;
      contender.say(line);
    });
    contender.exited = new Promise((resolve) => {
      child.once('close', (code) => {
        if (contender.child === child) contender.child = null;
        if (errors !== '') this.note({ type: 'uncaught', message: `${who}: ${errors}` });
        this.note({ type: 'exited', whom: who, code });
        resolve(code);
      });
    });
  }

  async kill(contender: Contender): Promise<void> {
    this.note({ type: 'killed', whom: contender.who });
    contender.child?.kill('SIGKILL');
    await contender.exited;
    if (this.leader === contender) this.leader = null;
  }

  /** Starts those servers that are down, and waits until all serve. */
  async startServers(): Promise<void> {
    this.ensemble = await startServers(this.options);
  }

  /** A session that goes to the servers without relays. */
  async session(): Promise<Session> {
    const { sessionTimeoutMs } = this.options;
    return await new ZookeeperStore({ servers: this.ensemble.connectString, sessionTimeoutMs }).connect({
      timeoutMs: 30_000,
    });
  }

  /** All that was written down by anybody. The last line of who was killed may be torn. */
  allEvents(): readonly NemesisEvent[] {
    const written = this.logs.flatMap((log) => readLog(log));
    return [...this.events, ...written].sort((a, b) => a.atMs - b.atMs);
  }

  async close(): Promise<void> {
    for (const contender of this.contenders) {
      contender.child?.kill('SIGKILL');
      await contender.exited;
      for (const relay of contender.relays) relay.close();
    }
    await this.ensemble.destroy();
  }
}

async function startServers({ ensembleDirectory, sessionTimeoutMs }: WorldOptions): Promise<Ensemble> {
  const { ensemble } = await startEnsemble({
    directory: ensembleDirectory,
    tickMs: 200,
    // Shorter than a session: a server that was cut off must not answer for longer.
    syncMs: Math.max(600, Math.floor(sessionTimeoutMs / 600) * 200),
    initMs: 10_000,
    durable: false,
  });
  return ensemble;
}

function readLog(log: string): readonly NemesisEvent[] {
  let text: string;
  try {
    text = readFileSync(log, 'utf8');
  } catch {
    return [];
  }
  const lines = text.split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as NemesisEvent);
}
