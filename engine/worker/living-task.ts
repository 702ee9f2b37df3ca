// A task of a worker with the calls of its component's life. The task stays where it is; its instance may be closed and
// another one take its place (supervision/task-restarts.ts). On the worker's thread.
//
//   made ─► prepare ─► activate ⇄ deactivate ─► close ─┬─► renew: another instance ─► prepare ─► …
//                                                      └─► it leaves, or its worker stops: over
//
// `crew.ts` closes each instance once, whoever asks for it.

import type { ComponentDefinition } from '../model/definition.js';
import type { ParameterValues } from '../model/parameters.js';
import type { Task } from '../task/task.js';
import type { TaskContext, TaskParameters } from './contexts.js';
import type { Stage } from './supervision/pulse.js';

type LifeCall = () => void | Promise<void>;

/** One instance of a component: the calls of its life, and the context that it is given. */
export interface Instance {
  readonly context: TaskContext;
  readonly prepare: LifeCall;
  readonly activate: LifeCall;
  readonly deactivate: LifeCall;
  readonly close: LifeCall;
  /** Null: it does not ask to be told. */
  readonly parametersChanged: ((parameters: ParameterValues) => void | Promise<void>) | null;
}

export interface LivingTaskParts {
  readonly task: Task;
  readonly definition: ComponentDefinition;
  readonly className: string;
  readonly instance: Instance;
  readonly parameters: TaskParameters;
  /** Makes another instance and has the task use it; null when that cannot be done. */
  readonly renew: (() => Instance) | null;
  /** Calls user code, and lets the supervisor see that it does. */
  readonly within: (stage: Stage, call: LifeCall) => Promise<void>;
}

export class LivingTask {
  readonly task: Task;
  readonly definition: ComponentDefinition;
  /** What its instance is an instance of. */
  readonly className: string;
  readonly parameters: TaskParameters;
  /** It is being told of new parameters. */
  isTakingOver = false;
  /** It leaves, or its worker stops: this is its last instance. */
  isOver = false;
  /** Its instance is being closed. */
  closing: Promise<void> | null = null;
  /** Has the calls that make it ready end in time, because others wait for them; null: they take as long as they do. */
  timeLimit: ((call: string, promise: Promise<void>) => Promise<void>) | null = null;
  private readonly parts: LivingTaskParts;
  private instance: Instance;

  constructor(parts: LivingTaskParts) {
    this.parts = parts;
    this.task = parts.task;
    this.definition = parts.definition;
    this.className = parts.className;
    this.parameters = parts.parameters;
    this.instance = parts.instance;
  }

  /** Another instance can take the place of this one. */
  get canRestart(): boolean {
    return this.parts.renew !== null;
  }

  /** Calls `open` or `prepare`. */
  async prepare(): Promise<void> {
    await this.inTime(this.definition.kind === 'spout' ? 'open' : 'prepare', this.instance.prepare);
  }

  async activate(): Promise<void> {
    await this.inTime('activate', this.instance.activate);
    this.timeLimit = null;
  }

  private async inTime(stage: Stage, call: LifeCall): Promise<void> {
    const promise = this.parts.within(stage, call);
    await (this.timeLimit?.(stage, promise) ?? promise);
  }

  async deactivate(): Promise<void> {
    await this.parts.within('deactivate', this.instance.deactivate);
  }

  async close(): Promise<void> {
    await this.parts.within('close', this.instance.close);
  }

  /** That of its present instance. */
  get context(): TaskContext {
    return this.instance.context;
  }

  /** Its component asks to be told of new parameters. */
  get hearsParameters(): boolean {
    return this.instance.parametersChanged !== null;
  }

  async parametersChanged(parameters: ParameterValues): Promise<void> {
    await this.parts.within('parametersChanged', () => this.instance.parametersChanged?.(parameters));
  }

  /** Aborts what must not outlive the instance. */
  abort(): void {
    this.instance.context.closing.abort();
  }

  /**
   * The instance is closed: makes another one; nothing of its life is called yet.
   *
   * @throws MILLRACE_WORKER_START when it cannot be made
   */
  renew(): void {
    this.instance.context.isReplaced = true;
    this.instance = this.parts.renew!();
    this.timeLimit = null;
    this.task.absent = false;
  }
}
