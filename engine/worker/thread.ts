// What the pool runs in each thread: one worker, until it is stopped. It imports nothing that can fail and nothing of
// the user's: the pool would stop replacing threads for good after one failed load, and the user's module is imported
// inside.

import { writeSync } from 'node:fs';
import { receiveMessageOnPort, threadId, type MessagePort } from 'node:worker_threads';
import { toWire } from '../errors.js';
import { OUTPUT_CHARACTERS_MAX, STOPPED_LOADING_MS } from '../limits.js';
import type { Topology } from '../model/definition.js';
import { loadTaskClasses } from '../task/copies.js';
import { Backlog, charactersOf } from './backlog.js';
import { loadTopologyInWorker } from './module.js';
import type { FromWorker, Instrument, ToWorker, WorkerInit } from './messages.js';
import { WorkerRuntime } from './runtime.js';
import { Pulse } from './supervision/pulse.js';
import type { ComponentCode } from './supervision/suspect.js';
import { lastWords, startBeating } from './supervision/vitals.js';

const STDERR = 2;
/** How long a worker waits for room in a full pipe before it looks again. */
const STDERR_FULL_MS = 5;

/** What the module of an instrument exports. */
export interface InstrumentModule {
  instrument(topology: Topology, port: Instrument['port']): Topology;
}

/**
 * Runs the worker that stands in the port; the promise resolves when it has stopped, and the thread may then be ended.
 */
export default async function runWorker(port: MessagePort): Promise<void> {
  const init = (receiveMessageOnPort(port) as { readonly message: WorkerInit }).message;
  const { control } = init;
  const post = (message: FromWorker): void => control.postMessage(message);
  process.setSourceMapsEnabled(true);
  const pulse = new Pulse(init.limits.directDepthMax, init.pulse);
  const code: ComponentCode[] = [];
  sayLastWords(post, code);
  const backlog = new Backlog(init.backlog);
  const said = (characters: number): void => {
    pulse.holdUp(true);
    backlog.add(characters);
    pulse.holdUp(false);
  };
  passOutputOn(post, said);
  writeErrorsAtOnce(pulse);
  pulse.enter('loading');
  startBeating(pulse);
  post({ type: 'hello', threadId });
  const loading = new Loading(control);
  try {
    let topology = await loading.follow(load(init));
    if (init.instrument !== null) {
      const module = (await import(init.instrument.url)) as InstrumentModule;
      topology = module.instrument(topology, init.instrument.port);
    }
    pulse.enter(null);
    await new WorkerRuntime(init, topology, { said, pulse, code }).run(loading.done());
  } catch (error) {
    // Stays until it is told to go, so that it does not look like one that died.
    post({ type: 'refused', error: toWire(error) });
    await new Promise<never>(() => undefined);
  }
}

/** The topology, once the classes of its tasks are read as well; also when it cannot be loaded. */
async function load({ source, description }: WorkerInit): Promise<Topology> {
  const loaded = loadTopologyInWorker(source, description.name);
  await Promise.allSettled([loaded, loadTaskClasses(description.components)]);
  return await loaded;
}

/**
 * Listens until the runtime does: a worker that is told to stop then has nothing to close, and goes as soon as its
 * modules are read, for a thread that ends meanwhile leaves their files open in the process. One that is not done with
 * them soon waits for something else, and goes. Whatever else it is told is kept for the runtime.
 */
class Loading {
  private readonly control: MessagePort;
  private readonly told: ToWorker[] = [];
  private isLoaded = false;
  private isStopped = false;

  constructor(control: MessagePort) {
    this.control = control;
    control.on('message', this.onMessage);
  }

  /** What is loaded; a worker that was told to stop ends here. */
  async follow(loaded: Promise<Topology>): Promise<Topology> {
    try {
      return await loaded;
    } finally {
      this.isLoaded = true;
      if (this.isStopped) this.leave();
    }
  }

  /** What came meanwhile. */
  done(): readonly ToWorker[] {
    this.control.off('message', this.onMessage);
    return this.told;
  }

  private readonly onMessage = (message: ToWorker): void => {
    if (message.type !== 'stop') {
      this.told.push(message);
      return;
    }
    this.isStopped = true;
    if (this.isLoaded) this.leave();
    else setTimeout(() => this.leave(), STOPPED_LOADING_MS);
  };

  private leave(): void {
    this.control.postMessage({ type: 'stopped' } satisfies FromWorker);
    exit(0);
  }
}

const exit = process.exit.bind(process);

/** `console.log` in a component goes the way of printed lines, so that standard output stays in one hand. */
function passOutputOn(post: (message: FromWorker) => void, said: (characters: number) => void): void {
  let text = '';
  const write = (chunk: string | Uint8Array, ...rest: readonly unknown[]): boolean => {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    if (text.length > OUTPUT_CHARACTERS_MAX) {
      lines.push(text);
      text = '';
    }
    if (lines.length > 0) {
      post({ type: 'output', lines });
      said(charactersOf(lines));
    }
    const written = rest.at(-1);
    if (typeof written === 'function') (written as () => void)();
    return true;
  };
  process.stdout.write = write;
}

/**
 * `console.error` goes to the standard error of the process as it is, written out before it returns: left to Node, the
 * main thread would keep all that is not written yet.
 */
function writeErrorsAtOnce(pulse: Pulse): void {
  const pause = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  process.stderr.write = (chunk: string | Uint8Array, ...rest: readonly unknown[]): boolean => {
    const bytes = Buffer.from(chunk as string);
    pulse.holdUp(true);
    for (let done = 0; done < bytes.length;) {
      try {
        done += writeSync(STDERR, bytes, done);
      } catch (error) {
        // Its reader has left, or it never was there: nobody is told.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') break;
        Atomics.wait(pause, 0, 0, STDERR_FULL_MS);
      }
    }
    pulse.holdUp(false);
    const written = rest.at(-1);
    if (typeof written === 'function') (written as () => void)();
    return true;
  };
}

/** What ends a thread behind the engine's back is told first, with its place in the user's code. */
function sayLastWords(post: (message: FromWorker) => void, code: readonly ComponentCode[]): void {
  const die = (error: unknown): void => {
    post(lastWords(error, code));
    exit(1);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
  process.exit = function leave(exitCode) {
    const error = new Error(`process.exit(${exitCode ?? ''}) was called`);
    Error.captureStackTrace(error, leave);
    post(lastWords(error, code));
    return exit(exitCode);
  };
}
