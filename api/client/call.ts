// One call of a host: sends a request, reads the reply up to a bound, and turns whatever goes wrong into an error of
// the catalogue. Invariant: it settles within its time, and leaves neither a timer nor an open reply behind.

import { failure, fromWire, reasonOf, type MillraceError, type Problem } from '../../engine/errors.js';
import { CLIENT_REPLY_BYTES_MAX } from '../../engine/limits.js';
import { printable } from '../../engine/model/names.js';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly type?: string;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

export interface Reply {
  readonly status: number;
  /** Undefined where there is no body. */
  readonly json: unknown;
}

/** Calls the host at that address. */
export async function ask(
  send: typeof fetch,
  url: string,
  call: Call,
  timeoutMs: number,
  signal: AbortSignal | null,
): Promise<Reply> {
  signal?.throwIfAborted();
  const ending = new AbortController();
  const abort = (): void => ending.abort();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    abort();
  }, timeoutMs);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await exchange(send, url, call, ending.signal);
  } catch (error) {
    signal?.throwIfAborted();
    const operation = `${call.method} ${call.path}`;
    if (isLate) throw failure('MILLRACE_CLIENT_TIMEOUT', { url, operation, timeoutMs }, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    abort();
  }
}

async function exchange(send: typeof fetch, url: string, call: Call, signal: AbortSignal): Promise<Reply> {
  const { method, path, type, body } = call;
  const init = {
    method,
    signal,
    redirect: 'error',
    headers: { accept: 'application/json', ...(type === undefined ? {} : { 'content-type': type }) },
    // Bodies that come in pieces need to be told apart from those that are there.
    ...(body === undefined ? {} : { body: body as NonNullable<RequestInit['body']>, duplex: 'half' }),
  } as const satisfies RequestInit;
  const response = await send(url + path, init).catch((error: unknown) => {
    throw unreachable(url, error);
  });
  const text = await readText(response, url);
  const json = text === '' ? undefined : parse(text, response, url);
  if (response.ok) return { status: response.status, json };
  throw errorOf(json, response, url);
}

async function readText(response: Response, url: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  const chunks: AsyncIterable<Uint8Array> | readonly Uint8Array[] = response.body ?? [];
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > CLIENT_REPLY_BYTES_MAX)
        throw strange(url, `its reply is larger than ${CLIENT_REPLY_BYTES_MAX} bytes`);
      text += decoder.decode(chunk, { stream: true });
    }
  } catch (error) {
    throw bytes > CLIENT_REPLY_BYTES_MAX ? error : unreachable(url, error);
  }
  return text + decoder.decode();
}

function parse(text: string, response: Response, url: string): unknown {
  try {
    if (!/\bjson\b/.test(response.headers.get('content-type') ?? '')) throw new Error('not JSON');
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw strange(url, `status ${response.status} with a body that is not JSON`, error);
  }
}

/** The error that the host had. */
function errorOf(json: unknown, { status }: Response, url: string): Error {
  const { code, message, hint, problems } = (json ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof code !== 'string' || typeof message !== 'string') return strange(url, `status ${status} without a code`);
  return fromWire({
    name: 'MillraceError',
    code,
    message,
    hint: typeof hint === 'string' ? hint : null,
    stack: null,
    fatal: false,
    problems: Array.isArray(problems) ? (problems as readonly Problem[]) : [],
  });
}

function unreachable(url: string, thrown: unknown): MillraceError {
  // `fetch failed` says nothing; what is below it does.
  const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
  const { code } = cause as { readonly code?: unknown };
  const text = reasonOf(cause);
  const reason = typeof code === 'string' && !text.includes(code) ? `${code} ${text}`.trim() : text;
  return failure('MILLRACE_CLIENT_UNREACHABLE', { url, reason: printable(reason, 200) }, { cause: thrown });
}

function strange(url: string, reason: string, cause?: unknown): MillraceError {
  return failure('MILLRACE_CLIENT_REPLY', { url, reason }, cause === undefined ? {} : { cause });
}
