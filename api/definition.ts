// Reads the definition of a topology once, in a throw-away thread, so that a module that throws, spins, exits or leaks
// does not hurt this process.
//
//   thread started ──first message──┐
//        │ deadline, abort ─────────┼──► thread terminated ──exit──► promise settles
//        └ ends by itself ──────────┘
//
// Invariant: the promise settles only when the thread is gone. Main thread.

import { Worker } from 'node:worker_threads';
import { RealClock, type Clock } from '../engine/clock.js';
import { failure, fromWire, reasonOf, type WireError } from '../engine/errors.js';
import { DEFINITION_HEAP_MEGABYTES_MAX, DEFINITION_TIMEOUT_MS } from '../engine/limits.js';
import type { TopologyDescription } from '../engine/model/describe.js';
import type { TopologySource } from '../engine/worker/module.js';
import { isDefinitionMessage, type DefinitionMessage, type DefinitionRequest } from './definition-messages.js';
import { shortPath, userPosition } from './stack.js';

export interface ReadDefinitionOptions {
  /** What the topology's file is called in errors. Default: the URL of the module, or `document`. */
  readonly file?: string;
  /** Default {@link DEFINITION_TIMEOUT_MS}. */
  readonly timeoutMs?: number;
  /** Heap of the thread. Default {@link DEFINITION_HEAP_MEGABYTES_MAX}. */
  readonly heapMegabytes?: number;
  /** Ends the reading; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Takes what the module prints while it loads. Default: standard error. */
  readonly onOutput?: (text: string) => void;
  /** Measures the time-out. Default: the machine's clock. */
  readonly clock?: Clock;
}

/** How the reading ended, from the first thing that happened. */
type Ending =
  | { readonly kind: 'said'; readonly message: DefinitionMessage }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'aborted'; readonly reason: unknown }
  | { readonly kind: 'exited'; readonly exitCode: number };

/**
 * What the topology is, without running it.
 *
 * @throws MILLRACE_DEFINITION_THREW, MILLRACE_DEFINITION_REJECTED, MILLRACE_DEFINITION_EXITED,
 * MILLRACE_DEFINITION_TIMEOUT, MILLRACE_DEFINITION_UNSETTLED, MILLRACE_DEFINITION_MEMORY, MILLRACE_DEFINITION_EXPORT,
 * MILLRACE_DEFINITION_THREAD
 * @throws MILLRACE_TOPOLOGY_INVALID and what else `loadTopology` finds wrong
 */
export async function readDefinition(
  source: TopologySource,
  options: ReadDefinitionOptions = {},
): Promise<TopologyDescription> {
  const file = options.file === undefined ? nameOf(source) : shortPath(options.file);
  const timeoutMs = options.timeoutMs ?? DEFINITION_TIMEOUT_MS;
  const heapMegabytes = options.heapMegabytes ?? DEFINITION_HEAP_MEGABYTES_MAX;
  options.signal?.throwIfAborted();
  const ending = await runThread({ source, file }, { ...options, timeoutMs, heapMegabytes });
  if (ending.kind === 'said') return readMessage(file, ending.message);
  if (ending.kind === 'aborted') throw ending.reason;
  if (ending.kind === 'timeout') throw failure('MILLRACE_DEFINITION_TIMEOUT', { file, seconds: timeoutMs / 1000 });
  if (ending.kind === 'failed') {
    if (codeOf(ending.error) === 'ERR_WORKER_OUT_OF_MEMORY') {
      throw failure('MILLRACE_DEFINITION_MEMORY', { file, heapMegabytes }, { cause: ending.error });
    }
    throw failure('MILLRACE_DEFINITION_THREAD', { file, reason: reasonOf(ending.error) }, { cause: ending.error });
  }
  throw failure('MILLRACE_DEFINITION_THREAD', { file, reason: `the thread ended with code ${ending.exitCode}` });
}

type ThreadOptions = ReadDefinitionOptions & { readonly timeoutMs: number; readonly heapMegabytes: number };

async function runThread(request: DefinitionRequest, options: ThreadOptions): Promise<Ending> {
  const clock = options.clock ?? new RealClock();
  const output = options.onOutput ?? ((text: string) => process.stderr.write(text));
  const thread = new Worker(new URL('./definition-thread.js', import.meta.url), {
    name: 'millrace definition',
    workerData: request,
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: options.heapMegabytes },
  });
  for (const stream of [thread.stdout, thread.stderr]) stream.setEncoding('utf8').on('data', output);
  return await new Promise((resolve) => {
    let ending: Ending | null = null;
    const end = (first: Ending): void => {
      if (ending !== null) return;
      ending = first;
      void thread.terminate();
    };
    const abort = (): void => end({ kind: 'aborted', reason: options.signal?.reason });
    const timer = clock.after(options.timeoutMs, () => end({ kind: 'timeout' }));
    options.signal?.addEventListener('abort', abort, { once: true });
    thread.on('message', (message: unknown) => {
      if (isDefinitionMessage(message)) end({ kind: 'said', message });
    });
    thread.on('messageerror', (error) => end({ kind: 'failed', error }));
    thread.on('error', (error) => end({ kind: 'failed', error }));
    thread.on('exit', (exitCode) => {
      timer.cancel();
      options.signal?.removeEventListener('abort', abort);
      resolve(ending ?? { kind: 'exited', exitCode });
    });
  });
}

function readMessage(file: string, message: DefinitionMessage): TopologyDescription {
  switch (message.kind) {
    case 'millrace.definition.read':
      return message.description;
    case 'millrace.definition.threw':
      throw message.error.code?.startsWith('MILLRACE_') === true
        ? fromWire(message.error)
        : blame('MILLRACE_DEFINITION_THREW', file, message.error);
    case 'millrace.definition.rejected':
      throw blame('MILLRACE_DEFINITION_REJECTED', file, message.error);
    case 'millrace.definition.unsettled':
      throw failure('MILLRACE_DEFINITION_UNSETTLED', { file });
    case 'millrace.definition.exited': {
      const { exitCode, stack } = message;
      throw withStack(failure('MILLRACE_DEFINITION_EXITED', { file, exitCode, where: placeIn(stack) }), stack);
    }
  }
}

function blame(
  code: 'MILLRACE_DEFINITION_THREW' | 'MILLRACE_DEFINITION_REJECTED',
  file: string,
  error: WireError,
): Error {
  const reason = error.name === 'Error' ? error.message : `${error.name}: ${error.message}`;
  const blamed = failure(code, { file, reason, where: placeIn(error.stack) }, { cause: fromWire(error) });
  return withStack(blamed, error.stack);
}

/** The stack that matters is the one in the user's module. */
function withStack(error: Error, stack: string | null): Error {
  if (stack !== null) error.stack = stack;
  return error;
}

function placeIn(stack: string | null): string {
  const position = userPosition(stack);
  return position === null ? '' : `, at ${position}`;
}

function nameOf(source: TopologySource): string {
  return source.kind === 'module' ? source.url : 'document';
}

function codeOf(error: unknown): string | null {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : null;
}
