// Keeps web pages out, as long as there are no roles: whoever can reach the loopback interface may do everything, and a
// browser reaches it for any page that it shows. Checked before anything of a request is read:
//
//   request line   a path, not a whole URL                         what a proxy would be sent
//   Host           a loopback name or address with our own port    a page whose name was bound to 127.0.0.1 afterwards
//   Origin         ours where there is one                         a script of another page
//   Sec-Fetch-Site not of another site, but for a followed link    what a page loads without a script
//   method         one that some path takes; which ones, each path says itself
//   Content-Type   one that no form can send, also without a body  a form of another page
//
// Invariant: what may be judged by a header that stands twice is refused, for two readers could take two of them.
// Main thread.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import { failure, type MillraceError } from '../../engine/errors.js';
import { printable, shown } from '../../engine/model/names.js';
import { isLoopback } from '../loopback.js';

/** The methods that are looked for; others, such as TRACE and CONNECT, are refused on every path. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** The methods that some path takes. */
export const METHODS_TAKEN = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'] as const;

export const JSON_TYPE = 'application/json';

const HTTP_PORT = 80;
const ONCE: ReadonlySet<string> = new Set([
  'host',
  'origin',
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
]);
const HOST = /^(?:(?<name>[A-Za-z0-9.-]+)|\[(?<six>[0-9A-Fa-f:.]+)\])(?::(?<port>\d{1,5}))?$/;
const UTF8_ONLY = /^\s*charset\s*=\s*"?utf-8"?\s*$/i;

/** What is checked of a request. */
export type Asked = Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'rawHeaders'>;

/**
 * Refuses what a page of another origin could have sent, and what two readers could understand in two ways.
 *
 * @param own - where this host listens, as it shows it: `127.0.0.1:7070`
 * @throws MILLRACE_REQUEST_MALFORMED, MILLRACE_REQUEST_HOST, MILLRACE_REQUEST_ORIGIN, MILLRACE_REQUEST_METHOD
 */
export function guard(request: Asked, own: string, port: number): void {
  checkLine(request);
  checkRepeated(request.rawHeaders);
  checkHost(request.headers.host, own, port);
  checkOrigin(request);
  if (!(METHODS as readonly string[]).includes(request.method ?? '')) throw methodRefused(request, METHODS_TAKEN);
  if (isRead(request.method) && hasBody(request.headers)) {
    throw malformed(`${request.method} has no body`, 'leave it out, with its headers');
  }
}

/**
 * Refuses a body of another type than these, also where there is none: no page can send these without being asked
 * first.
 *
 * @throws MILLRACE_REQUEST_MEDIA_TYPE
 */
export function checkMediaType({ method, url, headers }: Asked, allowed: readonly string[]): void {
  if (isRead(method)) return;
  const [type = '', ...parameters] = (headers['content-type'] ?? '').split(';');
  const isPlain = headers['content-encoding'] === undefined || headers['content-encoding'] === 'identity';
  const isKnown = allowed.includes(type.trim().toLowerCase()) && parameters.every((each) => UTF8_ONLY.test(each));
  if (isPlain && isKnown) return;
  throw failure('MILLRACE_REQUEST_MEDIA_TYPE', {
    actual: shownType(headers, isPlain),
    path: shownPath(url),
    expected: allowed.join(' or '),
  });
}

function shownType(headers: IncomingHttpHeaders, isPlain: boolean): string {
  if (!isPlain) return `encoded as ${shown(headers['content-encoding'])}`;
  const type = headers['content-type'];
  return type === undefined ? 'of no stated type' : `of type ${shown(type)}`;
}

/** The error for a method that this path does not take. */
export function methodRefused(
  { method, url }: Pick<Asked, 'method' | 'url'>,
  allowed: readonly string[],
): MillraceError {
  const details = { path: shownPath(url), method: printable(method ?? ''), allowed: allowed.join(', ') };
  return failure('MILLRACE_REQUEST_METHOD', details);
}

/** A path inside a message. */
export function shownPath(url: string | undefined): string {
  return printable((url ?? '').split('?', 1)[0] ?? '', 200);
}

export function malformed(reason: string, advice: string): MillraceError {
  return failure('MILLRACE_REQUEST_MALFORMED', { reason, advice });
}

function checkLine({ url }: Asked): void {
  if (url?.startsWith('/') === true) return;
  throw malformed(`it asks for ${shown(url)}`, 'ask for a path, such as /api/v1/topologies; this host is no proxy');
}

function checkRepeated(rawHeaders: readonly string[]): void {
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    if (!ONCE.has(name)) continue;
    if (seen.has(name)) throw malformed(`its header "${name}" stands there twice`, 'send it once');
    seen.add(name);
  }
}

function checkHost(host: string | undefined, own: string, port: number): void {
  const groups = HOST.exec(host ?? '')?.groups;
  const name = groups?.['name']?.toLowerCase();
  const six = groups?.['six'];
  const isOurs = name === undefined ? six !== undefined && isLoopback(six) : name === 'localhost' || isOwnFour(name);
  if (isOurs && Number(groups?.['port'] ?? HTTP_PORT) === port) return;
  throw failure('MILLRACE_REQUEST_HOST', { actual: host === undefined ? 'missing' : shown(host), expected: own });
}

function isOwnFour(name: string): boolean {
  return isIPv4(name) && isLoopback(name);
}

function checkOrigin({ method, headers }: Asked): void {
  const { origin, host } = headers;
  if (origin !== undefined && origin.toLowerCase() !== `http://${host?.toLowerCase()}`) throw foreign(shown(origin));
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return;
  // Somebody follows a link to the documentation: the page with the link sees nothing of the reply.
  const isFollowed = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  if (isFollowed && isRead(method)) return;
  throw foreign(`its Sec-Fetch-Site is ${shown(site)}`);
}

function foreign(actual: string): MillraceError {
  return failure('MILLRACE_REQUEST_ORIGIN', { actual });
}

function isRead(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD';
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
}
