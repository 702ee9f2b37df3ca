// Whoever waits for an answer may go away before it comes: what is done for them alone is then given up. On the main
// thread.

import type { FastifyReply } from 'fastify';

/** A signal that is aborted when the caller goes away before it is settled. */
export function untilGone(reply: FastifyReply): { readonly signal: AbortSignal; readonly settle: () => void } {
  const gone = new AbortController();
  const abort = (): void => gone.abort();
  reply.raw.once('close', abort);
  if (reply.raw.destroyed) abort();
  return { signal: gone.signal, settle: () => reply.raw.off('close', abort) };
}
