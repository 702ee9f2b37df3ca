// The types `filter` and `map` as JSON topologies name them, with the schemas of their settings. Only the registry
// imports this: it brings the schema library. Any thread.

import { Type } from 'typebox';
import { EXPRESSION_LENGTH_MAX } from '../../limits.js';
import type { ComponentType } from '../../model/registry.js';
import { Filter, filterOutputs } from './filter.js';
import { MapFields, mapOutputs } from './map.js';

const closed = { additionalProperties: false } as const;

/** See `filter`. */
export const filterType: ComponentType = {
  type: 'filter',
  kind: 'bolt',
  description: 'Passes on the tuples for which an expression holds, with the same fields.',
  schema: Type.Object(
    {
      where: Type.String({
        minLength: 1,
        maxLength: EXPRESSION_LENGTH_MAX,
        description:
          'A CEL expression over the fields that gives true or false: count > 10 && word.startsWith("a"). A field whose ' +
          'name is no variable is tuple["user id"].',
      }),
    },
    closed,
  ),
  outputs: filterOutputs,
  create: (config) => new Filter(config),
};

/** See `map`. */
export const mapType: ComponentType = {
  type: 'map',
  kind: 'bolt',
  description: 'Emits one tuple for each that it takes, with fields worked out by expressions.',
  schema: Type.Object(
    {
      fields: Type.Record(Type.String(), Type.String({ minLength: 1, maxLength: EXPRESSION_LENGTH_MAX }), {
        minProperties: 1,
        description:
          'For each field to emit, in their order, a CEL expression over the fields of the input: "count * 2".',
      }),
    },
    closed,
  ),
  outputs: mapOutputs,
  create: (config) => new MapFields(config),
};
