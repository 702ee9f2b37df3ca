// The type `http-poll` as JSON topologies name it, with the schema of its settings. Only the registry imports this: it
// brings the schema library. Any thread.

import { Type } from 'typebox';
import {
  FIELDS_MAX,
  POLL_BODY_BYTES,
  POLL_BODY_BYTES_MAX,
  POLL_HEADERS_MAX,
  POLL_PENDING,
  POLL_PENDING_MAX,
  POLL_REDIRECTS,
  POLL_REDIRECTS_MAX,
  POLL_SEEN,
  POLL_SEEN_MAX,
  POLL_URL_LENGTH_MAX,
} from '../../limits.js';
import { DURATION_PATTERN } from '../../model/duration.js';
import type { ComponentType } from '../../model/registry.js';
import { retriesSchema } from '../retries.js';
import { HttpPoll, pollOutputs } from './http-poll.js';
import { POINTER_PATTERN } from './pointer.js';

const duration = (description: string) =>
  Type.Union([Type.String({ pattern: DURATION_PATTERN }), Type.Integer({ minimum: 1 })], { description });

const pointer = (description: string) => Type.Optional(Type.String({ pattern: POINTER_PATTERN, description }));

const whole = (minimum: number, maximum: number, fallback: number, description: string) =>
  Type.Optional(Type.Integer({ minimum, maximum, default: fallback, description }));

/** See `httpPoll`. */
export const httpPollType: ComponentType = {
  type: 'http-poll',
  kind: 'spout',
  description: 'Asks a URL for JSON every so often and emits each record of the answer, tracked.',
  schema: Type.Object(
    {
      url: Type.String({
        pattern: '^[hH][tT][tT][pP][sS]?://',
        maxLength: POLL_URL_LENGTH_MAX,
        description: 'What to ask: http or https, without user and password.',
      }),
      every: duration('How often, from the beginning of one request to that of the next: "1m".'),
      headers: Type.Optional(
        Type.Record(Type.String(), Type.String(), {
          maxProperties: POLL_HEADERS_MAX,
          description: 'Sent with each request, but not to another origin that it is redirected to.',
        }),
      ),
      items: pointer('Where the answer has its list of records, as a JSON pointer: "/data/items". Default all of it.'),
      fields: Type.Optional(
        Type.Array(Type.String({ minLength: 1 }), {
          minItems: 1,
          maxItems: FIELDS_MAX,
          uniqueItems: true,
          description: 'The fields to emit, picked from each record. Left out: the whole record as "record".',
        }),
      ),
      id: pointer('Where a record has its id, as a JSON pointer: "/id". Records whose id came before are left out.'),
      seenMax: whole(1, POLL_SEEN_MAX, POLL_SEEN, 'How many ids are remembered, the most recent ones.'),
      timeout: Type.Optional(duration('How long a request may take, its body included. Default "30s".')),
      bodyBytesMax: whole(1, POLL_BODY_BYTES_MAX, POLL_BODY_BYTES, 'The largest answer in bytes, unpacked.'),
      redirectsMax: whole(0, POLL_REDIRECTS_MAX, POLL_REDIRECTS, 'How many redirects a request follows.'),
      pendingMax: whole(
        1,
        POLL_PENDING_MAX,
        POLL_PENDING,
        'Records that may be out and not done before no more are emitted.',
      ),
      retries: retriesSchema,
    },
    { additionalProperties: false },
  ),
  outputs: pollOutputs,
  create: (config) => new HttpPoll(config),
};
