// Stand-ins for what the command works with: streams, a run that does as it is told, and the environment around them.

import type { EndSignal } from '../../../api/cli/exit.js';
import type { OutputStream } from '../../../api/cli/output.js';
import type { Run, RunEnvironment } from '../../../api/cli/run.js';
import { VirtualClock } from '../../../engine/clock.js';
import type { TopologyDescription } from '../../../engine/model/describe.js';
import type { KnownProcesses } from '../../../engine/worker/remote/known-processes.js';
import type {
  ComponentStatus,
  Outcome,
  TopologyRunOptions,
  TopologyStatus,
} from '../../../engine/worker/topology-run.js';
import { defaultConfig } from '../../../engine/model/config.js';

function component(kind: 'spout' | 'bolt', parallelism: number, counts: readonly number[]): ComponentStatus {
  const [emitted = 0, executed = 0, acked = 0, failed = 0] = counts;
  const rest = {
    errors: 0,
    restarts: 0,
    queued: 0,
    outbox: 0,
    stale: 0,
    misused: 0,
    dropped: 0,
    metrics: {},
    rate: 0,
    lastErrors: [],
  };
  const latency = { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 };
  return { kind, parallelism, emitted, executed, acked, failed, latency, ...rest };
}

/** The status of a topology of two components, with some of it changed. */
export function statusWith(change: Partial<TopologyStatus>): TopologyStatus {
  return {
    name: 'words',
    state: 'active',
    seconds: 1,
    workers: 1,
    components: {
      lines: component('spout', 1, [21_933, 0, 21_930, 3]),
      split: component('bolt', 2, [215_000, 21_933, 21_930, 3]),
    },
    openTrees: 0,
    completeLatency: { count: 21_930, p50Ms: 1, p99Ms: 3.2, maxMs: 250 },
    errors: [],
    workerDeaths: 0,
    workerErrors: [],
    ...change,
  };
}

export const DESCRIPTION: TopologyDescription = {
  name: 'words',
  version: null,
  config: { ...defaultConfig, workers: 3, messageTimeoutMs: 30_000, keyGroups: 1024 },
  components: [],
};

/** Keeps what is written; can be full, and can break. */
export class FakeStream implements OutputStream {
  isTTY = false;
  columns = 80;
  text = '';
  isFull = false;
  failure: Error | null = null;
  private readonly drained: (() => void)[] = [];
  private readonly failed: ((error: Error) => void)[] = [];

  write(text: string, written?: () => void): boolean {
    if (this.failure !== null) throw this.failure;
    this.text += text;
    written?.();
    return !this.isFull;
  }

  once(_event: 'drain', listener: () => void): this {
    this.drained.push(listener);
    return this;
  }

  on(_event: 'error', listener: (error: Error) => void): this {
    this.failed.push(listener);
    return this;
  }

  drain(): void {
    this.isFull = false;
    for (const listener of this.drained.splice(0)) listener();
  }

  fail(error: Error): void {
    for (const listener of this.failed) listener(error);
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

/** A run that starts and ends when the test says so; draining and killing end it at once unless it is stubborn. */
export class FakeRun implements Run {
  readonly calls: string[] = [];
  readonly completed: Promise<Outcome>;
  readonly started: Promise<void>;
  isStubborn = false;
  current = statusWith({});
  succeed: () => void = () => undefined;
  refuse: (error: Error) => void = () => undefined;
  end: (outcome: Outcome) => void = () => undefined;

  constructor() {
    this.completed = new Promise((resolve) => (this.end = resolve));
    this.started = new Promise((resolve, reject) => {
      this.succeed = resolve;
      this.refuse = reject;
    });
  }

  async start(): Promise<void> {
    this.calls.push('start');
    await this.started;
  }

  status(): TopologyStatus {
    return this.current;
  }

  drain(): void {
    this.calls.push('drain');
    if (!this.isStubborn) this.end({ status: 'killed', error: null });
  }

  async kill(): Promise<void> {
    this.calls.push('kill');
    this.end({ status: 'killed', error: null });
    await this.completed;
  }
}

/** An environment in which everything is under the hand of the test. */
export class FakeEnvironment implements RunEnvironment {
  readonly stdout = new FakeStream();
  readonly stderr = new FakeStream();
  readonly clock = new VirtualClock();
  readonly run = new FakeRun();
  readonly exits: number[] = [];
  disposed = 0;
  options: TopologyRunOptions | null = null;
  openError: Error | null = null;
  private listener: ((signal: EndSignal) => void) | null = null;
  private created: () => void = () => undefined;
  /** Resolves when the run is made, and a turn later. */
  readonly running = new Promise<void>((resolve) => (this.created = resolve));
  /** Replaces reading: how a test holds the command there. */
  read: RunEnvironment['read'] = async () => await Promise.resolve(DESCRIPTION);

  onSignal(listener: (signal: EndSignal) => void): void {
    this.listener = listener;
  }

  async open(file: string): ReturnType<RunEnvironment['open']> {
    if (this.openError !== null) throw this.openError;
    const source = { kind: 'document', document: { name: 'words' }, settings: {} } as const;
    const dispose = async (): Promise<void> => await Promise.resolve(void this.disposed++);
    return await Promise.resolve({ file, source, hash: 'its hash', warnings: [], dispose });
  }

  async createRun(options: TopologyRunOptions): Promise<Run> {
    this.options = options;
    setImmediate(this.created);
    return await Promise.resolve(this.run);
  }

  /** What the lead of several processes was asked for. */
  processes: KnownProcesses | null = null;

  async leadProcesses(options: KnownProcesses): ReturnType<RunEnvironment['leadProcesses']> {
    this.processes = options;
    const start = (): never => {
      throw new Error('nothing is started here');
    };
    const pool = { start, destroy: async () => await Promise.resolve() };
    return await Promise.resolve({ workers: 3, pool });
  }

  exitNow(exitCode: number): void {
    this.exits.push(exitCode);
  }

  signal(signal: EndSignal): void {
    this.listener?.(signal);
  }

  /** Lets virtual time pass. */
  pass(ms: number): void {
    const untilMs = this.clock.now() + ms;
    while (this.clock.step(untilMs));
  }
}
