// `millrace run FILE`: opens the topology file, reads its definition, runs it in this process, and tells how it went.
//
//   opening ──► reading ──► starting ──► running ──completed/failed──► summary, exit code
//      │           │            │           │ first signal: drain, second: kill
//      └───────────┴────────────┴── signal: all is ended, nothing stays behind
//
// Invariant: however it ends, the threads are gone, the bundle is removed and the summary is the last line before the
// exit code is returned. Main thread; everything from outside comes in by `RunEnvironment`.

import type { Clock, Timer } from '../../engine/clock.js';
import { failure, reasonOf, toWire } from '../../engine/errors.js';
import { CLOSE_TIMEOUT_MS } from '../../engine/limits.js';
import type { TopologyDescription } from '../../engine/model/describe.js';
import { checkParameters, type ParameterValues } from '../../engine/model/parameters.js';
import type { Settings } from '../../engine/model/settings.js';
import type { TopologySource } from '../../engine/worker/module.js';
import type { WorkerPool } from '../../engine/worker/pool.js';
import type { KnownProcesses } from '../../engine/worker/remote/known-processes.js';
import type { TopologyRun, TopologyRunOptions } from '../../engine/worker/topology-run.js';
import type { ReadDefinitionOptions } from '../definition.js';
import { readProcesses, type Processes } from '../processes.js';
import type { TopologyFile } from '../topology-file.js';
import { formatError } from './error-text.js';
import { EXIT_FAILED, EXIT_OK, exitCodeOf, SIGNAL_EXITS, type EndSignal } from './exit.js';
import { Interrupts } from './interrupts.js';
import { Monitor } from './monitor.js';
import { Output, type OutputStream } from './output.js';
import { formatStart, formatSummary, summaryOf, type RunResult } from './summary.js';

/** What the user asked for. */
export interface RunRequest {
  readonly file: string;
  /** Null: what the topology says. */
  readonly workers: number | null;
  /** The file of the processes that run it; null: this one alone. */
  readonly processes: string | null;
  readonly settings: Settings;
  /** What components see as `context.parameters`. */
  readonly parameters: ParameterValues;
  readonly json: boolean;
}

/** What is needed of a {@link TopologyRun}. */
export type Run = Pick<TopologyRun, 'start' | 'completed' | 'status' | 'drain' | 'kill'>;

/** Everything outside, replaced in tests. */
export interface RunEnvironment {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly clock: Clock;
  /** Listens for the signals that end a run, to the end of the process: none may cut off what is being written. */
  onSignal(listener: (signal: EndSignal) => void): void;
  open(file: string, settings: Settings): Promise<TopologyFile>;
  read(source: TopologySource, options: ReadDefinitionOptions): Promise<TopologyDescription>;
  createRun(options: TopologyRunOptions): Promise<Run>;
  /** A pool of the workers of several processes, which listens for the others. */
  leadProcesses(options: KnownProcesses): Promise<{ readonly pool: WorkerPool; readonly workers: number }>;
  /** Ends the process without waiting for anything. */
  exitNow(exitCode: number): void;
}

type Phase = 'opened' | 'read' | 'started' | 'run';

/** Runs the command to its end and gives its exit code. */
export async function runCommand(request: RunRequest, environment: RunEnvironment): Promise<number> {
  return await new RunSession(request, environment).toEnd();
}

class RunSession {
  private readonly request: RunRequest;
  private readonly environment: RunEnvironment;
  private readonly output: Output;
  private readonly interrupts: Interrupts;
  /** Aborted when the run is to end before it runs; its reason is the error. */
  private readonly ending = new AbortController();
  private readonly startedMs: number;
  private phase: Phase = 'opened';
  private topology: string | null = null;
  private workers = 0;
  private run: Run | null = null;
  private signal: EndSignal | null = null;
  private killTimer: Timer | null = null;
  private outputError: Error | null = null;

  constructor(request: RunRequest, environment: RunEnvironment) {
    const { stdout, stderr, clock } = environment;
    this.request = request;
    this.environment = environment;
    this.startedMs = clock.now();
    this.output = new Output({ stdout, stderr, json: request.json, onReaderGone: (error) => this.loseReader(error) });
    this.interrupts = new Interrupts(clock, {
      first: (signal) => this.interrupt(signal),
      second: () => (this.phase === 'run' ? this.kill() : this.leave()),
      third: () => this.leave(),
      tell: (time) => this.output.say(this.interruptText(time)),
    });
  }

  async toEnd(): Promise<number> {
    this.environment.onSignal((signal) => this.interrupts.receive(signal));
    try {
      const result = await this.attempt().catch((error: unknown) => this.resultOf(error));
      this.interrupts.tellNow();
      return await this.conclude(result);
    } finally {
      this.killTimer?.cancel();
    }
  }

  private async attempt(): Promise<RunResult> {
    const { file: name, settings, processes } = this.request;
    const parameters = checkParameters(this.request.parameters, 'the run');
    const plan = processes === null ? null : await readProcesses(processes);
    const file = await this.environment.open(name, settings);
    try {
      for (const warning of file.warnings) this.output.say(`warning: ${warning}`);
      this.topology = documentName(file.source);
      this.enter('read');
      const description = await this.environment.read(file.source, {
        file: name,
        signal: this.ending.signal,
        onOutput: (text) => this.output.pass(text),
      });
      this.topology = description.name;
      this.enter('started');
      return await this.runTopology(file, description, plan, parameters);
    } finally {
      await file.dispose();
    }
  }

  private async runTopology(
    file: TopologyFile,
    description: TopologyDescription,
    plan: Processes | null,
    parameters: ParameterValues,
  ): Promise<RunResult> {
    const known = plan === null ? null : await this.lead(plan, file.hash, description);
    this.workers = known?.workers ?? this.request.workers ?? description.config.workers;
    const run = await this.environment.createRun({
      source: file.source,
      description,
      workers: this.workers,
      parameters,
      ...(known === null ? {} : { pool: known.pool }),
      logger: this.output.logger(),
      print: async (line) => await this.output.print(line),
    });
    this.ending.signal.throwIfAborted();
    this.run = run;
    const monitor = new Monitor(this.output, this.environment.clock, () => run.status());
    monitor.start();
    try {
      await Promise.race([this.start(run, description), run.completed]);
      const { status: end, error } = await run.completed;
      this.ending.signal.throwIfAborted();
      const status = run.status();
      return { topology: description.name, end, seconds: status.seconds, status, error };
    } catch (error) {
      await run.kill();
      throw error;
    } finally {
      monitor.stop();
    }
  }

  private async lead(
    plan: Processes,
    hash: string,
    { config }: TopologyDescription,
  ): Promise<{ readonly pool: WorkerPool; readonly workers: number }> {
    const { lead, members, secret } = plan;
    const { clock } = this.environment;
    const say = (line: string): void => this.output.say(line);
    return await this.environment.leadProcesses({ lead, port: lead.port, members, config, secret, hash, clock, say });
  }

  private async start(run: Run, description: TopologyDescription): Promise<void> {
    await run.start();
    if (this.ending.signal.aborted) return;
    this.phase = 'run';
    this.output.say(formatStart(description, this.workers));
  }

  /** What it comes to when there was no outcome. */
  private resultOf(error: unknown): RunResult {
    const isEnded = this.ending.signal.aborted;
    const status = this.run?.status() ?? null;
    return {
      topology: this.topology,
      end: isEnded ? 'killed' : 'failed',
      seconds: status?.seconds ?? (this.environment.clock.now() - this.startedMs) / 1000,
      status,
      error: toWire(isEnded ? this.ending.signal.reason : error),
    };
  }

  private async conclude(result: RunResult): Promise<number> {
    const { end, error, status } = result;
    const isReaderGone = this.outputError !== null && codeOf(this.outputError) === 'EPIPE';
    if (!isReaderGone || end === 'failed') {
      if (status !== null && this.phase === 'run') this.output.say(formatSummary(result));
      if (error !== null) this.output.say(formatError(error));
    }
    await this.output.last(summaryOf(result));
    if (this.outputError !== null && !isReaderGone) {
      if (error?.code !== 'MILLRACE_CLI_OUTPUT') this.output.say(formatError(toWire(outputFailure(this.outputError))));
      return EXIT_FAILED;
    }
    if (end === 'failed') return this.phase !== 'run' && error !== null ? exitCodeOf(error) : EXIT_FAILED;
    return end === 'killed' && this.signal !== null ? SIGNAL_EXITS[this.signal] : EXIT_OK;
  }

  private enter(phase: Phase): void {
    this.ending.signal.throwIfAborted();
    this.phase = phase;
  }

  private interrupt(signal: EndSignal): void {
    this.signal = signal;
    if (this.phase === 'run') this.run?.drain();
    else this.end(failure('MILLRACE_RUN_INTERRUPTED', { signal, phase: this.phase }));
  }

  private leave(): void {
    this.environment.exitNow(SIGNAL_EXITS[this.signal ?? 'SIGINT']);
  }

  private interruptText(time: 1 | 2): string {
    const isDraining = time === 1 && this.phase === 'run';
    return isDraining ? 'draining, press Ctrl-C again to stop' : 'stopping, press Ctrl-C again to leave at once';
  }

  private end(reason: Error): void {
    this.ending.abort(reason);
    this.kill();
  }

  private kill(): void {
    this.run?.kill().catch((error: unknown) => this.output.say(`error: ${reasonOf(error)}`));
  }

  /** Nobody takes what components print: what is in flight is still handled, for a while, and then all is ended. */
  private loseReader(error: Error): void {
    this.outputError = error;
    if (this.phase !== 'run') {
      this.end(outputFailure(error));
      return;
    }
    this.run?.drain();
    this.killTimer = this.environment.clock.after(CLOSE_TIMEOUT_MS, () => this.kill());
  }
}

function outputFailure(error: Error): Error {
  return failure('MILLRACE_CLI_OUTPUT', { reason: reasonOf(error) });
}

/** The name in a document, for the summary, before anybody has checked it. */
function documentName(source: TopologySource): string | null {
  if (source.kind !== 'document' || typeof source.document !== 'object' || source.document === null) return null;
  return 'name' in source.document && typeof source.document.name === 'string' ? source.document.name : null;
}

function codeOf(error: Error): string | null {
  return 'code' in error && typeof error.code === 'string' ? error.code : null;
}
