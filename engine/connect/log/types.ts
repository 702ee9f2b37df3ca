// `log` as JSON topologies name it, with the schema of its settings. Apart from index.ts, which stays free of the
// schema library. Any thread.

import { Type } from 'typebox';
import type { ComponentType } from '../../model/registry.js';
import { Log } from './log.js';

const closed = { additionalProperties: false } as const;

/** Type `log`. */
export const logType: ComponentType = {
  type: 'log',
  kind: 'bolt',
  description: 'Prints each tuple as one line of JSON by field name.',
  schema: Type.Object(
    { prefix: Type.Optional(Type.String({ default: '', description: 'Stands in front of each line.' })) },
    closed,
  ),
  outputs: {},
  create: (config) => new Log(config),
};
