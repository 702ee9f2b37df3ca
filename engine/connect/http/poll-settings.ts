// The settings of `http-poll`, read and checked. Any thread.
//
// What the schema of documents cannot say is said here, for both ways to write a topology: a URL without a password,
// headers that can be sent.

import {
  POLL_BODY_BYTES,
  POLL_BODY_BYTES_MAX,
  POLL_HEADERS_MAX,
  POLL_PENDING,
  POLL_PENDING_MAX,
  POLL_REDIRECTS,
  POLL_REDIRECTS_MAX,
  POLL_SEEN,
  POLL_SEEN_MAX,
  POLL_TIMEOUT_MS,
  POLL_URL_LENGTH_MAX,
} from '../../limits.js';
import { Settings } from '../settings.js';
import { JsonPointer } from './pointer.js';
import type { RequestOptions } from './request.js';

export interface PollSettings extends RequestOptions {
  readonly url: string;
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly items: JsonPointer;
  /** The fields to pick from each record; null for the record as a whole. */
  readonly fields: readonly string[] | null;
  /** Where a record has its id; null when records are not told apart. */
  readonly id: JsonPointer | null;
  readonly seenMax: number;
  readonly pendingMax: number;
  readonly retries: number | null;
  /** @throws MILLRACE_CONNECT_SETTING above 1: each task would get the same records */
  checkParallelism(parallelism: number): void;
}

/** @throws MILLRACE_CONNECT_SETTING */
export function readPollSettings(config: Readonly<Record<string, unknown>>): PollSettings {
  const settings = new Settings('http-poll', config);
  const everyMs = settings.duration('every');
  if (everyMs === null) throw settings.wrong('every', 'must be a duration such as "1m": how often to ask');
  return {
    url: readUrl(settings),
    everyMs,
    timeoutMs: settings.duration('timeout') ?? POLL_TIMEOUT_MS,
    bodyBytesMax: settings.whole('bodyBytesMax', POLL_BODY_BYTES, 1, POLL_BODY_BYTES_MAX),
    redirectsMax: settings.whole('redirectsMax', POLL_REDIRECTS, 0, POLL_REDIRECTS_MAX),
    headers: readHeaders(settings),
    items: readPointer(settings, 'items') ?? wholeDocument,
    fields: settings.any('fields') === undefined ? null : settings.texts('fields'),
    id: readPointer(settings, 'id'),
    seenMax: settings.whole('seenMax', POLL_SEEN, 1, POLL_SEEN_MAX),
    pendingMax: settings.whole('pendingMax', POLL_PENDING, 1, POLL_PENDING_MAX),
    retries: settings.retries(),
    checkParallelism: (parallelism) => {
      if (parallelism === 1) return;
      throw settings.wrong('parallelism', `must be 1, not ${parallelism}: every task would get the same records`);
    },
  };
}

const wholeDocument = JsonPointer.read('')!;

function readUrl(settings: Settings): string {
  const text = settings.text('url');
  const url = URL.canParse(text) && text.length <= POLL_URL_LENGTH_MAX ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw settings.wrong(
      'url',
      `must be a URL that begins with http:// or https://, of at most ${POLL_URL_LENGTH_MAX} characters`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw settings.wrong('url', 'must hold no user and no password: give an "authorization" in "headers"');
  }
  return url.href;
}

function readHeaders(settings: Settings): Readonly<Record<string, string>> {
  const given = settings.any('headers') ?? {};
  const entries: [string, unknown][] = typeof given === 'object' ? Object.entries(given) : [];
  const wrong = (what: string) => settings.wrong('headers', what);
  if (typeof given !== 'object' || Array.isArray(given)) throw wrong('must be an object of texts');
  if (entries.length > POLL_HEADERS_MAX) throw wrong(`must be at most ${POLL_HEADERS_MAX}`);
  const headers: Record<string, string> = {};
  for (const [name, value] of entries) {
    if (typeof value !== 'string') throw wrong(`must be texts, which "${name}" is not`);
    try {
      new Headers([[name, value]]);
    } catch {
      throw wrong(`has "${name}", which cannot be sent`);
    }
    headers[name] = value;
  }
  return headers;
}

function readPointer(settings: Settings, key: string): JsonPointer | null {
  if (settings.any(key) === undefined) return null;
  const pointer = JsonPointer.read(settings.optionalText(key, ''));
  if (pointer === null) throw settings.wrong(key, 'must be a JSON pointer such as "/data/items"');
  return pointer;
}
