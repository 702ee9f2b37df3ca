// `generator` as JSON topologies name it, with the schema of its settings. Apart from index.ts, which stays free of the
// schema library. Any thread.

import { Type } from 'typebox';
import type { ComponentType } from '../../model/registry.js';
import { retriesSchema } from '../retries.js';
import { Generator } from './generator.js';
import { generatorOutputs } from './index.js';
import { GENERATED_LENGTH_MAX } from './template.js';

const closed = { additionalProperties: false } as const;

const generatedValue = Type.Union([
  Type.String(),
  Type.Number(),
  Type.Boolean(),
  Type.Null(),
  Type.Array(Type.Unknown()),
  Type.Object({ oneOf: Type.Array(Type.Unknown(), { minItems: 1 }) }, closed),
  Type.Object({ integer: Type.Tuple([Type.Integer(), Type.Integer()]) }, closed),
  Type.Object({ float: Type.Tuple([Type.Number(), Type.Number()]) }, closed),
  Type.Object({ sequence: Type.Integer() }, closed),
  Type.Object(
    {
      string: Type.Object(
        {
          length: Type.Integer({ minimum: 0, maximum: GENERATED_LENGTH_MAX }),
          alphabet: Type.Optional(Type.String({ minLength: 1 })),
        },
        closed,
      ),
    },
    closed,
  ),
]);

/** Type `generator`. */
export const generatorType: ComponentType = {
  type: 'generator',
  kind: 'spout',
  description: 'Makes tuples with the fields of its template, at a rate or as fast as they are taken.',
  schema: Type.Object(
    {
      template: Type.Record(Type.String(), generatedValue, {
        minProperties: 1,
        description:
          'For each field a constant or one of { "oneOf": [...] }, { "integer": [min, max] }, { "float": [min, max] }, ' +
          '{ "sequence": start }, { "string": { "length": n, "alphabet": "abc" } }.',
      }),
      seed: Type.Optional(
        Type.Integer({
          minimum: -0x80000000,
          maximum: 0xffffffff,
          default: 1,
          description: 'The same seed makes the same tuples.',
        }),
      ),
      rate: Type.Optional(
        Type.Number({
          exclusiveMinimum: 0,
          description: 'Tuples a second over all tasks; left out: as fast as it goes.',
        }),
      ),
      count: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: Number.MAX_SAFE_INTEGER,
          description: 'Tuples in total over all tasks; left out: without end.',
        }),
      ),
      tracked: Type.Optional(
        Type.Boolean({ default: true, description: 'Emit with ids, and emit what failed again.' }),
      ),
      retries: retriesSchema,
    },
    closed,
  ),
  outputs: generatorOutputs,
  create: (config) => new Generator(config),
};
