// Any host takes any request: what is asked of a topology that another host runs goes there, and its reply comes back
// as it is. Once only, so that two hosts which see the store at different times never send a request in circles.
//
//   request ─► runs here, or nowhere ─────────────────────► answered here
//      └─────► another host runs it ─► asked ─► answered ──► its reply
//                                        └─ unreachable ──► answered here where the store knows enough, else refused
//
// Main thread.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { failure, reasonOf } from '../../engine/errors.js';
import { CLIENT_INGEST_TIMEOUT_MS, CLIENT_REPLY_BYTES_MAX, FORWARD_TIMEOUT_MS } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import { FORWARDED } from '../forwarded.js';
import type { Peer } from '../host/peers.js';
import type { HostService } from '../host/service.js';
import type { App } from './app.js';
import { untilGone } from './caller.js';

/** Has requests that routes mark with `forward` answered by the host that runs their topology. */
export function forwardToOwner(app: App, service: HostService, logger: Logger): void {
  app.addHook('preHandler', async (request, reply) => {
    const { forward } = request.routeOptions.config;
    if (forward === undefined || request.headers[FORWARDED] !== undefined) return undefined;
    const { name } = request.params as { readonly name: string };
    const { signal, settle } = untilGone(reply);
    // A record waits for a topology that is about to run, wherever that will be.
    const what = forward === 'awaited' ? 'records' : 'topology';
    const owner = await service.ownerOf(name, what, signal).finally(settle);
    if (owner === null) return undefined;
    const { host, url } = owner;
    try {
      const isQuick = forward === 'preferred' || forward === 'known';
      await passOn(owner, request, reply, isQuick ? FORWARD_TIMEOUT_MS : CLIENT_INGEST_TIMEOUT_MS);
    } catch (error) {
      if (reply.raw.destroyed) throw error;
      const reason = reasonOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
      if (forward !== 'preferred') throw failure('MILLRACE_HOST_UNREACHABLE', { host, url, topology: name, reason });
      logger.debug(`host "${host}", which runs "${name}", does not answer: ${reason}`);
      return undefined;
    }
    return await reply;
  });
}

async function passOn(owner: Peer, request: FastifyRequest, reply: FastifyReply, timeoutMs: number): Promise<void> {
  const { signal, settle } = untilGone(reply);
  const late = AbortSignal.timeout(timeoutMs);
  request.raw.socket.setTimeout(0);
  try {
    const { method, body } = request;
    const response = await owner.ask(request.url, {
      method,
      signal: AbortSignal.any([signal, late]),
      headers: { [FORWARDED]: '1', accept: 'application/json', 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const content = await readAll(response);
    const type = response.headers.get('content-type');
    void reply.code(response.status);
    if (type !== null) void reply.header('content-type', type);
    await reply.send(content.length === 0 ? undefined : content);
  } finally {
    settle();
  }
}

async function readAll(response: Response): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    if (bytes > CLIENT_REPLY_BYTES_MAX) throw new Error(`its reply is larger than ${CLIENT_REPLY_BYTES_MAX} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
