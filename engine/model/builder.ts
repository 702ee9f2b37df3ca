// `topology(name, define)`: how a topology is written in TypeScript. `define` is called at once with a builder; what it
// states is gathered as drafts, completed when it returns, and checked as a whole, so that one error tells everything
// that is wrong. The types of the handles (streams.ts) make the compiler find most of it before. Runs wherever the
// module of a topology is imported: the thread that reads the definition, and each worker.

import type { Outputs } from '../component/spec.js';
import { assemble } from './assemble.js';
import type { ComponentDraft } from './drafts.js';
import { Drafts } from './drafts.js';
import { DraftHandle } from './handles.js';
import type { TopologySettings } from './config.js';
import { configPath, defaultConfig, readConfig, readVersion } from './config.js';
import type { Topology } from './definition.js';
import { isRecord } from './component-source.js';
import type { Duration } from './duration.js';
import { nameOf, shown } from './names.js';
import { ProblemList, topologyInvalid } from './problems.js';
import type {
  Agrees,
  BoltHandle,
  BoltSource,
  ConfigOf,
  EmittedBy,
  InputOf,
  NeedsConfig,
  OutputsOption,
  SpoutHandle,
  SpoutSource,
} from './streams.js';

/** The third argument of {@link topology}: settings of the whole topology. */
export interface TopologyOptions extends TopologySettings {
  /** Shown to operators; any text. Default none. */
  readonly version?: string;
}

/** How many tasks a component has, and on which hosts of a cluster. */
interface Parallel {
  /** A whole number. Default 1. */
  readonly parallelism?: number;
  /** Labels that a host must have, all of them, to run tasks of it. Default none: every host may. */
  readonly labels?: readonly string[];
  /** The id of another component: no task of this one runs on a host with a task of that one. Default none. */
  readonly apart?: string;
}

/** Options of a spout; further ones of a function in {@link FunctionSpoutOptions}. */
export type SpoutOptions = Parallel;

/** Options of a spout that is one function. */
export interface FunctionSpoutOptions extends Parallel {
  /** Emits with ids, and replays what fails. Default true. */
  readonly tracked?: boolean;
  /** Lists that may be out and not acked at once, in one task. Default 10,000. */
  readonly pendingMax?: number;
  /**
   * How often a list is emitted again before it is given up: then a tuple on the stream `dead-letter` says so, with the
   * error and the list. Name that stream in the outputs, so that the compiler knows it: `outputs: { default: ['n'],
   * ...deadLetterOutput }`. Default: never given up.
   */
  readonly retries?: number;
}

/** Options of a bolt. A class may state its own defaults: `static readonly options = { tickEvery: '30s' } as const`. */
export interface BoltOptions extends Parallel {
  /** The bolt acks and fails its tuples by hand, in `context.ack` and `context.fail`. Default false. */
  readonly manualAck?: boolean;
  /** How many asynchronous calls may be under way at once in one task. Default 1. */
  readonly concurrency?: number;
  /** With a concurrency above 1: what calls emit leaves in the order of their inputs. Default false. */
  readonly ordered?: boolean;
  /** Time between calls of `tick`: `"30s"` or milliseconds; null for none. Default none. */
  readonly tickEvery?: Duration | null;
  /**
   * Time after which an asynchronous call of `execute` or `tick` is given up: its tuple fails, its `emit.signal` is
   * aborted, and what it still emits is refused. It keeps its place among the calls under way until it settles. `"5s"`
   * or milliseconds; null for never. Default never.
   */
  readonly callTimeout?: Duration | null;
}

type WithConfig<C, Options> =
  NeedsConfig<C> extends true
    ? readonly [options: Options & { readonly config: ConfigOf<C> }]
    : readonly [options?: Options & { readonly config?: ConfigOf<C> }];

type SpoutOptionsOf<C> = C extends (new (config: never) => unknown) | { readonly type: string }
  ? SpoutOptions
  : FunctionSpoutOptions;

/** What the definition of a topology is given. Ids are chosen here and are stable: keep them when the code changes. */
export interface TopologyBuilder {
  /**
   * Defines a spout: a class that extends `Spout`, what a connector such as `fileLines()` returned, or a generator
   * function of lists of values (which states its `outputs` in the options).
   */
  spout<C extends SpoutSource, const O extends Outputs = readonly []>(
    id: string,
    component: C & Agrees<C, O>,
    ...options: WithConfig<C, SpoutOptionsOf<C> & OutputsOption<C, O>>
  ): SpoutHandle<EmittedBy<C, O>>;
  /**
   * Defines a bolt: a class that extends `Bolt`, what a connector returned, or a function `(tuple, emit) => …` (which
   * states its `outputs` in the options when it emits). Its inputs follow: `.shuffle(source)`, `.fields(source,
   * 'word')`.
   */
  bolt<C extends BoltSource, const O extends Outputs = readonly []>(
    id: string,
    component: C & Agrees<C, O>,
    ...options: WithConfig<C, BoltOptions & OutputsOption<C, O>>
  ): BoltHandle<InputOf<C>, EmittedBy<C, O>>;
}

const OPTION_KEYS = ['version'] as const;

/**
 * Defines a topology.
 *
 * @param name - letters, digits, `.`, `_` and `-`, at most 128
 * @param define - defines the components; called once, at once, and not asynchronous
 * @param options - settings of the whole topology, see {@link TopologySettings} for the defaults
 * @throws MILLRACE_TOPOLOGY_INVALID with every problem in `problems`; nothing else but what `define` itself throws
 */
export function topology(name: string, define: (t: TopologyBuilder) => void, options: TopologyOptions = {}): Topology {
  const problems = new ProblemList();
  const shownName = nameOf(name);
  const drafts = new Drafts(problems);
  const { version, ...settings } = readOptions(options, shownName, problems);
  const base = {
    name: shownName,
    version: readVersion(version, problems),
    config: readConfig(settings, defaultConfig, configPath, problems),
  };
  callDefine(define, drafts, shownName, problems);
  const { topology: built, problems: all } = assemble(base, drafts.components, problems, drafts.replaced);
  if (all.length > 0) throw topologyInvalid(shownName, all);
  return built;
}

function readOptions(options: unknown, name: string, problems: ProblemList): Readonly<Record<string, unknown>> {
  if (isRecord(options)) return options;
  if (options !== undefined) {
    const what = `has ${shown(options)} as options`;
    problems.add('MILLRACE_TOPOLOGY_DEFINITION', OPTION_KEYS[0], { topology: name, what });
  }
  return {};
}

function callDefine(define: unknown, drafts: Drafts, name: string, problems: ProblemList): void {
  if (typeof define !== 'function') {
    const what = `is ${shown(define)} instead of a function`;
    problems.add('MILLRACE_TOPOLOGY_DEFINITION', '', { topology: name, what });
    return;
  }
  const handleOf = (draft: ComponentDraft): DraftHandle => new DraftHandle(drafts, draft);
  const builder = {
    spout: (id: unknown, component: unknown, given?: unknown) => handleOf(drafts.add('spout', id, component, given)),
    bolt: (id: unknown, component: unknown, given?: unknown) => handleOf(drafts.add('bolt', id, component, given)),
  };
  const returned: unknown = (define as (t: unknown) => unknown)(builder);
  drafts.end();
  if (returned instanceof Promise) {
    // What it would still define comes too late; its failure would only repeat this one.
    returned.catch(() => undefined);
    problems.add('MILLRACE_TOPOLOGY_DEFINITION', '', { topology: name, what: 'is asynchronous' });
  }
}
