// Makes the contexts that components are given, of what the worker lends them. A context is frozen in what it says and
// lives as long as its task. On the worker's thread.

import type { BoltContext, ComponentContext, ComponentMetrics, SpoutContext } from '../component/context.js';
import { pack } from '../codec/pack.js';
import { failure } from '../errors.js';
import { CHECKPOINT_BYTES_MAX } from '../limits.js';
import type { LogLevel } from '../log.js';
import type { ComponentDefinition } from '../model/definition.js';
import { nameOf } from '../model/names.js';
import type { ParameterValues } from '../model/parameters.js';
import type { TaskPlan } from '../plan/plan.js';
import type { BoltTask } from '../task/bolt-task.js';
import type { SpoutTask } from '../task/spout-task.js';
import type { Checkpoint } from './messages.js';

/** What contexts pass on to the worker. */
export interface ContextHost {
  readonly topology: string;
  readonly filesRoot: string | null;
  now(): number;
  /** The numbers of the tasks of a component, by their index; none when there is no such component. */
  tasksOf(component: string): readonly number[];
  print(line: string): Promise<void>;
  log(level: LogLevel, component: string, message: string): void;
  checkpoint(checkpoint: Checkpoint): void;
  restored(component: string, partition: string): unknown;
  metricsOf(component: string, task: number, incarnation: number): ComponentMetrics;
  /** The newest ones. */
  parameters(): ParameterValues;
}

/** The parameters that hold in one task, whatever its instance. */
export interface TaskParameters {
  now: ParameterValues;
}

/** The task that a context is for, and where it runs. */
export interface TaskContext {
  readonly host: ContextHost;
  readonly plan: TaskPlan;
  readonly incarnation: number;
  /** Aborted when the task closes. */
  readonly closing: AbortController;
  /** Another instance has taken its place. */
  isReplaced: boolean;
  /** Of its component, when the task was made. */
  readonly parallelism: number;
  readonly parameters: TaskParameters;
}

export function spoutContext(of: TaskContext, definition: ComponentDefinition, task: () => SpoutTask): SpoutContext {
  const component = definition.id;
  const { host } = of;
  return {
    ...componentContext(of, definition),
    get parameters() {
      return of.parameters.now;
    },
    checkpoint: (partition, progress) => {
      // The next one began where this one was.
      if (of.isReplaced) return;
      const bytes = pack(progress).length;
      if (bytes > CHECKPOINT_BYTES_MAX) {
        const details = { component, partition, bytes, bytesMax: CHECKPOINT_BYTES_MAX };
        throw failure('MILLRACE_TASK_CHECKPOINT_TOO_LARGE', details);
      }
      host.checkpoint({ component, partition, progress });
    },
    restored: (partition) => host.restored(component, partition),
    wake: () => task().wake(),
  };
}

export function boltContext(of: TaskContext, definition: ComponentDefinition, task: () => BoltTask): BoltContext {
  return {
    ...componentContext(of, definition),
    get parameters() {
      return of.parameters.now;
    },
    ack: (tuple) => task().ack(tuple),
    fail: (tuple, reason) => task().fail(tuple, reason),
    resetTimeout: (tuple) => task().resetTimeout(tuple),
  };
}

function componentContext(
  { host, plan, incarnation, parallelism, closing }: TaskContext,
  definition: ComponentDefinition,
): Omit<ComponentContext, 'parameters'> {
  const log =
    (level: LogLevel) =>
    (message: string): void =>
      host.log(level, definition.id, message);
  return {
    topology: host.topology,
    component: definition.id,
    task: plan.task,
    index: plan.index,
    parallelism,
    incarnation,
    config: definition.config,
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    metrics: host.metricsOf(definition.id, plan.task, incarnation),
    filesRoot: host.filesRoot,
    signal: closing.signal,
    now: () => host.now(),
    tasksOf: (other) => tasksOf(host, definition.id, other),
    print: (line) => host.print(line),
  };
}

function tasksOf(host: ContextHost, component: string, other: string): readonly number[] {
  const tasks = host.tasksOf(other);
  if (tasks.length > 0) return tasks;
  throw failure('MILLRACE_TASK_UNKNOWN_COMPONENT', { component, other: nameOf(other), topology: host.topology });
}
