// `millrace/connect/generator`: made-up tuples for tests, benchmarks and first steps. Light, any thread.

import { withDeadLetters } from '../../component/dead-letter.js';
import { defineSpout, type DynamicOutputs, type SpoutSpec } from '../../component/spec.js';
import { Generator } from './generator.js';
import type { Template } from './template.js';

export { Generator } from './generator.js';
export type { FieldRule, Template } from './template.js';

/** Settings of {@link generator}. */
export interface GeneratorConfig {
  /** A rule or a constant for each field, in the order of the fields. */
  readonly template: Template;
  /** The same seed makes the same tuples. Default 1. */
  readonly seed?: number;
  /** Tuples a second, all tasks together. Default as fast as they are taken. */
  readonly rate?: number;
  /** Tuples in total, all tasks together. Default without end. */
  readonly count?: number;
  /** Emit with ids, and emit what failed again. Default true. */
  readonly tracked?: boolean;
  /** How often a tuple is emitted again before it is given up, on the stream `dead-letter`. Default: without end. */
  readonly retries?: number;
}

/**
 * A spout that makes tuples. Type `generator`. It emits the fields of its template.
 *
 * ```ts
 * generator({ template: { word: { oneOf: ['whale', 'ship'] }, weight: { integer: [1, 10] } }, rate: 1000, count: 60_000
 * })
 * ```
 *
 * Rules: `{ oneOf: [...] }`, `{ integer: [min, max] }` (both included), `{ float: [min, max] }`, `{ sequence: start }`,
 * `{ string: { length, alphabet } }`; anything that is no object is a constant. After a stall at most one second's
 * worth is caught up. A tuple that fails is made again after 100 ms, 200 ms, … up to 30 s. A restarted task goes on
 * after the last tuple below which all are acked; untracked, after about the last one that it emitted.
 *
 * @throws MILLRACE_CONNECT_SETTING when a worker makes it
 */
export function generator(config: GeneratorConfig): SpoutSpec<Generator, DynamicOutputs> {
  return defineSpout<Generator, DynamicOutputs>({
    type: 'generator',
    outputs: generatorOutputs,
    config: { ...config },
    configKeys: ['template', 'seed', 'rate', 'count', 'tracked', 'retries'],
    create: (settings) => new Generator(settings),
  });
}

/** What a generator with these settings emits: the fields of its template. */
export const generatorOutputs: DynamicOutputs = withDeadLetters((_inputs, config) => {
  const { template } = config;
  return { default: typeof template === 'object' && template !== null ? Object.keys(template) : [] };
});
