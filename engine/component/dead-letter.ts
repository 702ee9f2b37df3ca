// What a spout that gave a tuple up makes of it: one tuple on the stream `dead-letter`, which says what was wrong and
// holds the values that were emitted, so that a sink can keep it for somebody to look at. Pure, any thread.

import type { Fields } from '../model/definition.js';
import type { DynamicOutputs } from './spec.js';
import type { TreeFailure } from './spout.js';
import type { Values } from './tuple.js';

/** The stream on which spouts emit what they gave up. */
export const DEAD_LETTER = 'dead-letter';

/** The fields of that stream. */
export const DEAD_LETTER_FIELDS = ['code', 'error', 'component', 'attempts', 'stream', 'values'] as const;

/** The values of a dead letter: the last error, the component that it came from, and what was emitted. */
export type DeadLetter = [
  code: string,
  error: string,
  component: string | null,
  attempts: number,
  stream: string,
  values: Values,
];

/**
 * For the outputs of a spout that gives tuples up:
 *
 * ```ts
 * static readonly outputs = { default: ['letter'], ...deadLetterOutput } as const;
 * ```
 */
export const deadLetterOutput = { [DEAD_LETTER]: DEAD_LETTER_FIELDS } as const;

/** A tuple that was given up. */
export interface GivenUp {
  /** How often it was emitted and failed; those not counted that were lost with a worker. */
  readonly attempts: number;
  /** The last failure. */
  readonly failure: TreeFailure;
}

/** The values of the dead letter of a tuple. */
export function deadLetterOf({ attempts, failure }: GivenUp, values: Values, stream: string): DeadLetter {
  return [failure.code, failure.message, failure.component, attempts, stream, values];
}

/** Those outputs, and dead letters when the settings say how often to retry. */
export function withDeadLetters(outputs: DynamicOutputs): DynamicOutputs {
  return (inputs, config, around) => {
    const streams = outputs(inputs, config, around);
    const retries = config['retries'];
    return streams === null || retries === undefined || retries === null
      ? streams
      : { ...streams, ...deadLetterOutput };
  };
}

/** A default stream of these fields, and dead letters when the settings say how often to retry. */
export function fieldsWithDeadLetters(fields: Fields): DynamicOutputs {
  return withDeadLetters(() => ({ default: fields }));
}
