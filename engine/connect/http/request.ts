// One GET with conditions: what changed since the last answer, within a number of bytes and redirects. Invariants: no
// more than `bodyBytesMax` bytes of a body are held; headers that the user gave never go to another origin than the one
// that they were given for; whatever fails is told as an error of the catalogue with how long to wait at least, and its
// message shows neither query nor password. Any thread.

import { failure, isMillraceError, reasonOf, type MillraceError } from '../../errors.js';
import { POLL_RETRY_AFTER_MAX_MS, POLL_VALIDATOR_LENGTH_MAX } from '../../limits.js';

/** What a server said an answer can be known by. */
export interface Validators {
  readonly etag: string | null;
  readonly modified: string | null;
}

export interface RequestOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBytesMax: number;
  readonly redirectsMax: number;
}

/** What came of a request. */
export type Answer =
  | { readonly kind: 'page'; readonly document: unknown; readonly bytes: number; readonly validators: Validators }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'failed'; readonly error: MillraceError; readonly waitMs: number };

export const NO_VALIDATORS: Validators = { etag: null, modified: null };

/** Asks once. Never rejects. */
export async function request(
  url: string,
  validators: Validators,
  options: RequestOptions,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const response = await follow(url, validators, options, signal);
    if (response.status === 304) {
      await response.body?.cancel();
      return { kind: 'unchanged' };
    }
    if (response.status !== 200) {
      await response.body?.cancel();
      const error = failure('MILLRACE_HTTP_STATUS', { url: shownUrl(url), status: response.status });
      return { kind: 'failed', error, waitMs: retryAfterMs(response.headers) };
    }
    const body = await readBody(response, url, options.bodyBytesMax);
    return {
      kind: 'page',
      document: parse(body, url),
      bytes: body.length,
      validators: { etag: kept(response.headers.get('etag')), modified: kept(response.headers.get('last-modified')) },
    };
  } catch (thrown) {
    const error = isMillraceError(thrown)
      ? thrown
      : failure('MILLRACE_HTTP_REQUEST', { url: shownUrl(url), reason: networkReason(thrown) }, { cause: thrown });
    return { kind: 'failed', error, waitMs: 0 };
  }
}

/** That answer cannot be used. */
export function unusable(url: string, what: string): MillraceError {
  return failure('MILLRACE_HTTP_ANSWER', { url: shownUrl(url), what });
}

/** The URL without what may be secret in it. */
export function shownUrl(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return `${origin}${pathname}${search === '' ? '' : '?…'}`;
}

async function follow(
  url: string,
  { etag, modified }: Validators,
  options: RequestOptions,
  signal: AbortSignal,
): Promise<Response> {
  const { origin } = new URL(url);
  let target = url;
  for (let redirects = 0; ; redirects++) {
    const headers = new Headers({ accept: 'application/json', 'user-agent': 'millrace' });
    if (new URL(target).origin === origin) {
      for (const [name, value] of Object.entries(options.headers)) headers.set(name, value);
    }
    if (etag !== null) headers.set('if-none-match', etag);
    if (modified !== null) headers.set('if-modified-since', modified);
    const response = await fetch(target, { headers, redirect: 'manual', signal });
    const location = response.headers.get('location');
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return response;
    await response.body?.cancel();
    if (redirects >= options.redirectsMax) {
      const reason = `it was redirected more than ${options.redirectsMax} times`;
      throw failure('MILLRACE_HTTP_REQUEST', { url: shownUrl(url), reason });
    }
    target = redirected(target, location, url);
  }
}

function redirected(from: string, location: string, url: string): string {
  const reason = (what: string): MillraceError =>
    failure('MILLRACE_HTTP_REQUEST', { url: shownUrl(url), reason: `it was redirected ${what}` });
  if (!URL.canParse(location, from)) throw reason('to something that is no URL');
  const to = new URL(location, from);
  if (to.protocol !== 'http:' && to.protocol !== 'https:') throw reason(`to ${to.protocol}, which is not HTTP`);
  if (from.startsWith('https:') && to.protocol === 'http:') throw reason('from https to http');
  return to.href;
}

async function readBody(response: Response, url: string, bytesMax: number): Promise<Buffer> {
  const tooLarge = (): MillraceError => unusable(url, `it has more than ${bytesMax} bytes`);
  const declared = Number(response.headers.get('content-length') ?? 0);
  if (declared > bytesMax) {
    await response.body?.cancel();
    throw tooLarge();
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop early cancels the body.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(body: Buffer, url: string): unknown {
  try {
    return JSON.parse(body.toString('utf8').replace(/^\ufeff/, '')) as unknown;
  } catch (thrown) {
    throw unusable(url, `it is not JSON: ${reasonOf(thrown)}`);
  }
}

/** How long the server asks to wait: in seconds, or until a date by its own clock. */
function retryAfterMs(headers: Headers): number {
  const text = headers.get('retry-after');
  if (text === null) return 0;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.parse(headers.get('date') ?? '');
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), POLL_RETRY_AFTER_MAX_MS);
}

function kept(validator: string | null): string | null {
  return validator === null || validator.length > POLL_VALIDATOR_LENGTH_MAX ? null : validator;
}

/** `fetch failed` alone says nothing: its cause does. */
function networkReason(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return reasonOf(cause ?? thrown);
}
