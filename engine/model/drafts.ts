// Components while they are being defined: what was given to `t.spout` and `t.bolt`, and the subscriptions that the
// handles add. A draft keeps wrong values wherever validation can show them, and replaces the others by defaults after
// reporting them, so that the rest of the topology is still checked. Pure, any thread.

import { deadLetterOutput } from '../component/dead-letter.js';
import type { ComponentConfig, DynamicOutputs } from '../component/spec.js';
import { failure } from '../errors.js';
import { ITERABLE_PENDING_MAX, RETRIES_MAX } from '../limits.js';
import type { ComponentKind, CreateComponent } from './component-source.js';
import { isDynamic, isRecord, readComponent, readOutputs } from './component-source.js';
import { checkWhole } from './config.js';
import type {
  BoltBehavior,
  ComponentDefinition,
  GroupingName,
  InputDefinition,
  OutputsByStream,
} from './definition.js';
import { readCustom } from './custom-source.js';
import { readDurationMs } from './duration.js';
import { componentPath, keyPath, nameOf, shown } from './names.js';
import type { ProblemList } from './problems.js';
import { listed } from './suggest.js';

/** One component that is being defined. */
export interface ComponentDraft {
  readonly kind: ComponentKind;
  readonly id: string;
  readonly parallelism: number;
  readonly outputs: OutputsByStream | DynamicOutputs;
  readonly directStreams: readonly string[];
  /** On which hosts its tasks run, as it was given. */
  readonly where: ComponentWhere;
  /** A spout that is known to emit without ids. */
  readonly untracked: boolean;
  readonly config: ComponentConfig;
  readonly configKeys: readonly string[] | null;
  readonly behavior: BoltBehavior;
  readonly inputs: InputDefinition[];
  /** Whether `outputs` says what it emits; false when that could not be read. */
  readonly outputsKnown: boolean;
  readonly create: CreateComponent;
}

/** What a component says of hosts; left out where it says nothing. */
export type ComponentWhere = Pick<ComponentDefinition, 'labels' | 'apart'>;

const COMMON_KEYS = ['parallelism', 'config', 'outputs', 'labels', 'apart'] as const;
const OPTION_KEYS: Readonly<Record<ComponentKind, readonly string[]>> = {
  spout: [...COMMON_KEYS, 'tracked', 'pendingMax', 'retries'],
  bolt: [...COMMON_KEYS, 'manualAck', 'concurrency', 'ordered', 'tickEvery', 'callTimeout'],
};

export const defaultBehavior: BoltBehavior = {
  manualAck: false,
  concurrency: 1,
  ordered: false,
  tickMs: null,
  callTimeoutMs: null,
};

/** What a subscription is made of. */
export interface DraftStream {
  readonly componentId: string;
  readonly streamName: string;
  /** Taken by way of `.feedback()`: how. */
  readonly asFeedback?: Pick<InputDefinition, 'feedback' | 'overflow'>;
}

/** How a subscription is dealt, as it was given. */
export interface Dealt {
  readonly grouping: GroupingName;
  readonly fields?: readonly unknown[];
  readonly options?: unknown;
  readonly custom?: unknown;
}

/** The components of one topology that is being defined. */
export class Drafts {
  readonly components: ComponentDraft[] = [];
  /**
   * Paths at which a wrong value was reported and replaced: what validation would say about them is beside the point.
   */
  readonly replaced = new Set<string>();
  readonly problems: ProblemList;
  private readonly streams = new WeakSet();
  private ended = false;

  constructor(problems: ProblemList) {
    this.problems = problems;
  }

  /** The definition has returned: nothing can be added any more. */
  end(): void {
    this.ended = true;
  }

  add(kind: ComponentKind, givenId: unknown, component: unknown, givenOptions: unknown): ComponentDraft {
    this.refuseLate();
    const id = nameOf(givenId);
    const path = componentPath(kind, id);
    const options = this.readOptions(kind, id, givenOptions, path);
    const parts = readComponent(kind, id, component, options, path, this.problems);
    const all = { ...parts?.defaults, ...withoutUndefined(options) };
    const outputs = parts?.outputs;
    if (kind === 'spout') this.checkIteration(id, options, path);
    const known =
      parts !== null && (isDynamic(outputs) || outputs === undefined || Array.isArray(outputs) || isRecord(outputs));
    const directStreams: string[] = [];
    const draft: ComponentDraft = {
      kind,
      id,
      parallelism: (all['parallelism'] ?? 1) as number,
      outputs: this.outputsOf(kind, id, outputs, options, `${path}.outputs`, directStreams),
      directStreams,
      where: readWhere(all),
      untracked: options['tracked'] === false,
      config: { ...parts?.config, ...this.readOwnConfig(id, options, path) },
      configKeys: parts?.configKeys ?? null,
      behavior: readBehavior(all),
      inputs: [],
      outputsKnown: known,
      create: parts?.create ?? unusable,
    };
    this.components.push(draft);
    return draft;
  }

  subscribe(draft: ComponentDraft, source: unknown, dealt: Dealt): void {
    this.refuseLate();
    const inputsPath = `${componentPath(draft.kind, draft.id)}.inputs`;
    if (!this.isStream(source)) {
      const path = `${inputsPath}[${draft.inputs.length}]`;
      this.replaced.add(inputsPath);
      this.problems.add('MILLRACE_TOPOLOGY_SOURCE', path, { component: draft.id, actual: shown(source) });
      return;
    }
    const { grouping, fields = [], options = {}, custom } = dealt;
    const path = `${inputsPath}[${draft.inputs.length}]`;
    draft.inputs.push({
      from: source.componentId,
      stream: source.streamName,
      grouping,
      fields: fields.map(nameOf),
      ...this.readDealing(draft.id, options, path),
      ...(grouping === 'custom' && { custom: readCustom(custom, draft.id, source.componentId, path, this.problems) }),
      ...source.asFeedback,
    });
  }

  /** Remembers a stream of this topology, so that one of another is told apart. */
  register<S extends DraftStream>(stream: S): S {
    this.streams.add(stream);
    return stream;
  }

  /** The options of a shuffle; wrong values are kept: validation shows them. */
  private readDealing(component: string, options: unknown, path: string): Pick<InputDefinition, 'locality'> {
    const known = ['locality'];
    if (!isRecord(options)) {
      const details = { owner: `an input of bolt "${component}"`, option: nameOf(options), known: listed(known) };
      this.problems.add('MILLRACE_TOPOLOGY_UNKNOWN_OPTION', path, details);
      return {};
    }
    for (const option of Object.keys(options)) {
      if (known.includes(option)) continue;
      const details = { owner: `an input of bolt "${component}"`, option, known: listed(known) };
      this.problems.add('MILLRACE_TOPOLOGY_UNKNOWN_OPTION', keyPath(path, option), details, { name: option, known });
    }
    const { locality } = options;
    return locality === undefined ? {} : { locality: locality as boolean };
  }

  private isStream(value: unknown): value is DraftStream {
    return typeof value === 'object' && value !== null && this.streams.has(value);
  }

  private refuseLate(): void {
    if (!this.ended) return;
    const what = 'had already returned when something was added to it';
    throw failure('MILLRACE_TOPOLOGY_DEFINITION', { topology: '', what });
  }

  /** What it emits; what a function is told to give up comes on a stream of its own. */
  private outputsOf(
    kind: ComponentKind,
    id: string,
    outputs: unknown,
    options: Readonly<Record<string, unknown>>,
    path: string,
    directStreams: string[],
  ): OutputsByStream | DynamicOutputs {
    if (isDynamic(outputs)) return outputs;
    const streams = readOutputs(outputs, id, path, this.problems, directStreams);
    return kind === 'spout' && options['retries'] !== undefined ? Object.assign(streams, deadLetterOutput) : streams;
  }

  private readOptions(
    kind: ComponentKind,
    id: string,
    given: unknown,
    path: string,
  ): Readonly<Record<string, unknown>> {
    if (given === undefined) return {};
    if (!isRecord(given)) {
      const details = { component: id, kind, what: `its options are ${shown(given)}`, expected: 'give an object' };
      this.problems.add('MILLRACE_TOPOLOGY_COMPONENT', path, details);
      return {};
    }
    const known = OPTION_KEYS[kind];
    for (const option of Object.keys(given)) {
      if (known.includes(option)) continue;
      const details = { owner: `${kind} "${id}"`, option, known: listed(known) };
      this.problems.add('MILLRACE_TOPOLOGY_UNKNOWN_OPTION', keyPath(path, option), details, { name: option, known });
    }
    return given;
  }

  private readOwnConfig(id: string, options: Readonly<Record<string, unknown>>, path: string): ComponentConfig {
    const { config } = options;
    if (config === undefined) return {};
    if (isRecord(config)) return config;
    const details = {
      component: id,
      kind: 'component',
      what: `its config is ${shown(config)}`,
      expected: 'give an object',
    };
    this.problems.add('MILLRACE_TOPOLOGY_COMPONENT', `${path}.config`, details);
    return {};
  }

  private checkIteration(id: string, options: Readonly<Record<string, unknown>>, path: string): void {
    const { tracked, pendingMax, retries } = options;
    if (tracked !== undefined && typeof tracked !== 'boolean') {
      const details = { what: `tracked of "${id}"`, actual: shown(tracked) };
      this.problems.add('MILLRACE_TOPOLOGY_FLAG', `${path}.tracked`, details);
    }
    if (retries !== undefined) {
      checkWhole(this.problems, `${path}.retries`, `retries of "${id}"`, retries, 0, RETRIES_MAX);
    }
    if (pendingMax === undefined) return;
    const max = ITERABLE_PENDING_MAX * 100;
    checkWhole(this.problems, `${path}.pendingMax`, `pendingMax of "${id}"`, pendingMax, 1, max);
  }
}

/** How options say that calls are treated. Wrong values are kept: validation shows them. */
export function readBehavior(options: Readonly<Record<string, unknown>>): BoltBehavior {
  const { manualAck, concurrency, ordered, tickEvery, callTimeout } = { ...defaultBehavior, ...options } as Readonly<
    Record<string, unknown>
  >;
  const tickMs = readTime(tickEvery);
  return { manualAck, concurrency, ordered, tickMs, callTimeoutMs: readTime(callTimeout) } as BoltBehavior;
}

/** Where options say that tasks run. Wrong values are kept: validation shows them. */
export function readWhere({ labels, apart }: Readonly<Record<string, unknown>>): ComponentWhere {
  return {
    ...(labels !== undefined && { labels: labels as readonly string[] }),
    ...(apart !== undefined && { apart: apart as string }),
  };
}

function readTime(given: unknown): unknown {
  return given === undefined || given === null ? null : (readDurationMs(given) ?? given);
}

function withoutUndefined(options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function unusable(): never {
  throw new TypeError('a refused component was created');
}
