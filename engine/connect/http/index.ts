// `millrace/connect/http`: records that a URL gives. Light: the schemas of the settings are in `types.ts`, which only
// the registry imports. Any thread.

import { defineSpout, type DynamicOutputs, type SpoutSpec } from '../../component/spec.js';
import type { Duration } from '../../model/duration.js';
import { HttpPoll, pollOutputs } from './http-poll.js';

export { HttpPoll } from './http-poll.js';

/** Settings of {@link httpPoll}. */
export interface HttpPollConfig {
  /** What to ask: http or https, without user and password. */
  readonly url: string;
  /** How often: from the beginning of one request to that of the next. */
  readonly every: Duration;
  /** Sent with each request, but not to another origin that it is redirected to. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Where the answer has its list of records, as a JSON pointer: "/data/items". Default the whole answer. */
  readonly items?: string;
  /** The fields to emit, picked from each record. Default: the whole record as `record`. */
  readonly fields?: readonly string[];
  /** Where a record has its id, as a JSON pointer: "/id". A record whose id came before is not emitted again. */
  readonly id?: string;
  /** How many ids are remembered, the most recent ones. Default 100,000. */
  readonly seenMax?: number;
  /** How long a request may take, its body included. Default "30s". */
  readonly timeout?: Duration;
  /** The largest answer in bytes, unpacked. Default 8 MiB, at most 64 MiB. */
  readonly bodyBytesMax?: number;
  /** How many redirects a request follows; never from https to http. Default 5. */
  readonly redirectsMax?: number;
  /** Records that may be out and not done before no more are emitted. Default 10,000. */
  readonly pendingMax?: number;
  /** How often a record is emitted again before it is given up, on the stream `dead-letter`. Default: without end. */
  readonly retries?: number;
}

/**
 * A spout that asks a URL for JSON every so often and emits each record of the answer, tracked. Type `http-poll`.
 *
 * ```ts
 * httpPoll({ url: 'https://example.org/news.json', every: '1m', items: '/items', id: '/id', fields: ['id', 'title'] })
 * ```
 *
 * A list at `items` is taken record by record, anything else as one record; a field that a record does not have is
 * null. Requests carry the ETag and the date of the last answer, so an unchanged one costs nothing. A record that fails
 * is emitted again from memory after 100 ms, 200 ms, … up to 30 s, until it succeeds or `retries` are over.
 *
 * When a request fails (network, time, any status but 200 and 304, an answer that is not what was expected) the error
 * is reported, and it is asked again after about a second, two, … up to five minutes, and never before what the server
 * asks for in Retry-After (at most an hour). The counters are `polls` and `pollsFailed`.
 *
 * ETag and date are kept as progress once all records up to that answer are processed: a restarted task goes on from
 * there. The ids that it has seen are not kept, so after a restart records of a changed answer come again. It runs in
 * one task only.
 *
 * @throws when it starts, and keeps the topology from running: MILLRACE_CONNECT_SETTING
 */
export function httpPoll(config: HttpPollConfig): SpoutSpec<HttpPoll, DynamicOutputs> {
  return defineSpout<HttpPoll, DynamicOutputs>({
    type: 'http-poll',
    outputs: pollOutputs,
    config: { ...config },
    configKeys: [
      'url',
      'every',
      'headers',
      'items',
      'fields',
      'id',
      'seenMax',
      'timeout',
      'bodyBytesMax',
      'redirectsMax',
      'pendingMax',
      'retries',
    ],
    create: (settings) => new HttpPoll(settings),
  });
}
