// Stand-ins for what the engine gives to components, so that the built-in ones can be driven call by call. Time is
// virtual, progress is kept in a map that a second spout can be given, and disks can be made to fail. On the test's
// thread.

import type { BoltContext, SpoutContext } from '../../../engine/component/context.js';
import type { Emit, EmitOptions } from '../../../engine/component/emit.js';
import type { Spout } from '../../../engine/component/spout.js';
import type { Tuple, Values } from '../../../engine/component/tuple.js';
import { VirtualClock } from '../../../engine/clock.js';
import { nodeFileSystem, type FileSystem } from '../../../engine/connect/file/file-system.js';
import { isMillraceError, type MillraceError } from '../../../engine/errors.js';
import { silentLogger } from '../../../engine/log.js';

export interface FakeContextOptions {
  readonly index?: number;
  readonly parallelism?: number;
  readonly incarnation?: number;
  readonly clock?: VirtualClock;
  readonly progress?: Map<string, unknown>;
  readonly print?: (line: string) => Promise<void>;
}

/** A context for spouts and bolts alike, with what was done through it. */
export interface FakeContext extends SpoutContext, BoltContext {
  readonly clock: VirtualClock;
  readonly progress: Map<string, unknown>;
  readonly checkpoints: { partition: string; progress: unknown }[];
  readonly printed: string[];
  readonly warnings: string[];
}

export function fakeContext(options: FakeContextOptions = {}): FakeContext {
  const clock = options.clock ?? new VirtualClock();
  const progress = options.progress ?? new Map<string, unknown>();
  const checkpoints: { partition: string; progress: unknown }[] = [];
  const printed: string[] = [];
  const warnings: string[] = [];
  return {
    topology: 'test',
    component: 'component',
    task: 0,
    index: options.index ?? 0,
    parallelism: options.parallelism ?? 1,
    incarnation: options.incarnation ?? 0,
    config: {},
    parameters: {},
    logger: { ...silentLogger, warn: (message) => warnings.push(message) },
    metrics: {
      counter: () => ({ add: () => undefined }),
      gauge: () => ({ set: () => undefined }),
      histogram: () => ({ record: () => undefined }),
    },
    signal: new AbortController().signal,
    tasksOf: () => [],
    now: () => clock.now(),
    print:
      options.print ??
      (async (line) => {
        printed.push(line);
      }),
    checkpoint: (partition, value) => {
      checkpoints.push({ partition, progress: value });
      progress.set(partition, value);
    },
    restored: (partition) => progress.get(partition),
    wake: () => undefined,
    ack: () => undefined,
    fail: () => undefined,
    resetTimeout: () => undefined,
    clock,
    progress,
    checkpoints,
    printed,
    warnings,
  };
}

export interface Emitted {
  readonly values: Values;
  readonly id: unknown;
}

/** An emit that writes down what it is given. */
export function recorder(): { readonly emit: Emit; readonly emitted: Emitted[] } {
  const emitted: Emitted[] = [];
  const record = (values: Values, options?: EmitOptions): void => {
    emitted.push({ values, id: options?.id });
  };
  return {
    emit: Object.assign(record, {
      direct: () => undefined,
      ready: async () => undefined,
      signal: new AbortController().signal,
    }),
    emitted,
  };
}

export function tupleOf(object: Readonly<Record<string, unknown>>, fields = Object.keys(object)): Tuple {
  return {
    values: fields.map((field) => object[field]),
    component: 'source',
    stream: 'default',
    task: 7,
    fields,
    get: (field) => object[field],
    toObject: () => ({ ...object }),
  };
}

/**
 * Asks a spout until it is done, acking each tuple `lag` tuples later; gives what it emitted.
 *
 * @throws what the spout throws
 */
export function drain(spout: Spout, lag = 0): Emitted[] {
  const { emit, emitted } = recorder();
  let acked = 0;
  for (let idle = 0; idle < 10;) {
    const before = emitted.length;
    const said = spout.nextTuple(emit);
    while (acked < emitted.length - (emitted.length > before ? lag : 0)) spout.ack?.(emitted[acked++]?.id);
    if (said === 'done') return emitted;
    idle = emitted.length === before ? idle + 1 : 0;
  }
  throw new Error('the spout neither emits nor is done');
}

/** The error from the catalogue that this throws. */
export function thrownBy(call: () => unknown): MillraceError {
  try {
    call();
  } catch (error) {
    if (isMillraceError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** The machine's file system, with some calls replaced. */
export function brokenFileSystem(calls: Partial<FileSystem>): FileSystem {
  return { ...nodeFileSystem, ...calls };
}

/** An error as the system throws it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made by the test`), { code });
}
