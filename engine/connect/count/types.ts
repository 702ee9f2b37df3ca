// `count` as JSON topologies name it, with the schema of its settings. Apart from index.ts, which stays free of the
// schema library. Any thread.

import { Type } from 'typebox';
import type { ComponentType } from '../../model/registry.js';
import { Count, countKey, countOutputs } from './count.js';

const closed = { additionalProperties: false } as const;

/** Type `count`. */
export const countType: ComponentType = {
  type: 'count',
  kind: 'bolt',
  description:
    'Counts tuples by the fields of its fields grouping and emits these and "count"; starts empty when restarted.',
  schema: Type.Object({}, closed),
  outputs: countOutputs,
  create: (_config, inputs) => new Count(countKey(inputs)),
};
