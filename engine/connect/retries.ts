// The setting `retries` of spouts that emit what failed again, as JSON topologies have it. Brings the schema library:
// only for the types of the registry. Any thread.

import { Type } from 'typebox';
import { RETRIES_MAX } from '../limits.js';

export const retriesSchema = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: RETRIES_MAX,
    description:
      'How often a failed tuple is emitted again before it is given up: then it comes on the stream "dead-letter", with the error. Left out: it is never given up.',
  }),
);
