// `ingest` as JSON topologies name it, with the schema of its settings. Apart from index.ts, which stays free of the
// schema library. Any thread.

import { Type } from 'typebox';
import { FIELDS_MAX } from '../../limits.js';
import type { ComponentType } from '../../model/registry.js';
import { ingestOutputs } from './index.js';
import { Ingest } from './ingest.js';

const closed = { additionalProperties: false } as const;

/** Type `ingest`. */
export const ingestType: ComponentType = {
  type: 'ingest',
  kind: 'spout',
  description: 'Emits the records that it is given from outside, and answers each when its tree is done.',
  schema: Type.Object(
    {
      fields: Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        maxItems: FIELDS_MAX,
        uniqueItems: true,
        description: 'The fields of its tuples, in order.',
      }),
    },
    closed,
  ),
  outputs: ingestOutputs,
  create: (config) => new Ingest(config),
};
