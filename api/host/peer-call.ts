// One HTTP request to another host of the cluster, in by its door: who may join its runs may ask it anything, and
// nobody else, wherever it listens for users. Main thread.
//
//   dial ─► greeting ─► told to go on ─► HTTP over the same socket ─► reply ─► closed

import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import { dial } from '../../engine/link/tcp/secure.js';
import type { TcpAddress } from '../../engine/link/tcp/tcp-wire.js';
import { enterToAsk } from '../../engine/worker/remote/door.js';
import type { Reach } from '../../engine/worker/remote/reach.js';

/** What is asked. */
export interface PeerQuestion {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | AsyncIterable<Uint8Array>;
  /** Of all of it, the reply's body too. */
  readonly signal: AbortSignal;
}

/**
 * Asks a host.
 *
 * @param door - its address
 * @param url - where its HTTP interface is, as it says itself: its guard knows no other name
 * @throws an error with the reason when it is not reached; the signal's reason
 */
export async function askPeer(
  door: TcpAddress,
  { secret, tls }: Reach,
  url: URL,
  { method = 'GET', headers = {}, body, signal }: PeerQuestion,
): Promise<Response> {
  signal.throwIfAborted();
  const socket = dial(tls, door);
  let reason: unknown = null;
  socket.on('error', (error) => (reason ??= error));
  const abort = (): void => void socket.destroy();
  signal.addEventListener('abort', abort, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', abort));
  try {
    const entered = await enterToAsk(socket, secret);
    if (entered !== 'greeted') throw (reason as Error | null) ?? new Error(refusalOf(entered));
    const reply = await exchange(socket, url, { method, headers: { ...headers, host: url.host } }, body);
    // Of a reply that nobody reads to its end the socket goes with the signal.
    reply.once('end', () => socket.destroySoon());
    const hasBody = reply.statusCode !== 204 && reply.statusCode !== 304;
    if (!hasBody) reply.resume();
    const type = reply.headers['content-type'];
    return new Response(hasBody ? (Readable.toWeb(reply) as ReadableStream<Uint8Array>) : null, {
      status: reply.statusCode ?? 500,
      headers: type === undefined ? {} : { 'content-type': type },
    });
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw error;
  }
}

async function exchange(
  socket: Socket,
  url: URL,
  options: { readonly method: string; readonly headers: Readonly<Record<string, string>> },
  body: PeerQuestion['body'],
): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    const asked = request(url, { ...options, createConnection: () => socket });
    asked.on('error', reject);
    asked.once('response', resolve);
    if (body === undefined || typeof body === 'string') asked.end(body);
    else pipeline(Readable.from(body), asked, (error) => void (error ? reject(error) : undefined));
  });
}

function refusalOf(entered: Exclude<Awaited<ReturnType<typeof enterToAsk>>, 'greeted'>): string {
  if (typeof entered === 'object') return `it speaks version ${entered.version} of the protocol of hosts`;
  if (entered === 'stranger') return 'it does not know the same secret';
  return entered === 'refused' ? 'it takes no questions' : 'it closed the connection';
}
