// How a failure becomes a reply: `{ code, message, hint, problems }` with the status of its code. What Fastify and Node
// say is put into the words of the catalogue; what nobody expected is logged with its stack, and the caller learns only
// that it happened. Main thread.

import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { failure, isMillraceError, type MillraceError, type Problem } from '../../engine/errors.js';
import type { HttpLimits } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import { printable, shown } from '../../engine/model/names.js';
import { JSON_TYPE, malformed, METHODS_TAKEN, shownPath } from './guard.js';

/** The body of a reply that is not a success. */
export interface ErrorReply {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly problems: readonly Problem[];
}

export function errorReplyOf({ code, message, hint, problems }: MillraceError): ErrorReply {
  return { code, message, hint, problems };
}

/** Answers a request that failed. */
export function replyFailure(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
  limits: HttpLimits,
): void {
  const error = isMillraceError(thrown) ? thrown : translate(thrown, request, limits);
  if (error.code === 'MILLRACE_API_INTERNAL') {
    // What a caller leaves behind by going away is no fault.
    const level = request.raw.socket.destroyed ? 'debug' : 'error';
    logger[level](`${error.message}: ${stackOf(thrown)}`);
  }
  if (error.code === 'MILLRACE_REQUEST_METHOD' && !reply.hasHeader('allow')) {
    void reply.header('allow', METHODS_TAKEN.join(', '));
  }
  void reply.code(error.status).type(`${JSON_TYPE}; charset=utf-8`).send(errorReplyOf(error));
}

/** Puts an error of Fastify or Node into the words of the catalogue. */
function translate(thrown: unknown, request: FastifyRequest, limits: HttpLimits): MillraceError {
  const { code } = thrown as Partial<FastifyError>;
  const path = shownPath(request.raw.url);
  const { method } = request;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return failure('MILLRACE_REQUEST_TOO_LARGE', { bytesMax: limits.bodyBytesMax }, { cause: thrown });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE': {
      const actual = `of type ${shown(request.headers['content-type'])}`;
      return failure('MILLRACE_REQUEST_MEDIA_TYPE', { actual, path, expected: JSON_TYPE }, { cause: thrown });
    }
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return malformed('its body is not as long as its Content-Length says', 'send the whole body');
    case 'FST_ERR_BAD_URL':
      return malformed(`"${path}" is not a path`, 'encode names in it as encodeURIComponent does');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return failure('MILLRACE_REQUEST_ROUTE', { path });
    case 'ECONNRESET':
      return malformed('it ended in the middle', 'send the whole body');
    default:
      return failure('MILLRACE_API_INTERNAL', { method, route: request.routeOptions.url ?? path }, { cause: thrown });
  }
}

function stackOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.stack ?? thrown.message;
  return String(thrown);
}

/** What Node says about a connection on which no request could be read. */
type SocketError = Error & { readonly code?: string };

/**
 * Answers on a connection whose bytes are no request, or came too late, and ends it.
 *
 * @param pending - the reply that is under way there, if any
 */
export function refuseSocket(
  thrown: SocketError,
  socket: Socket,
  pending: ServerResponse | undefined,
  limits: HttpLimits,
): void {
  if (thrown.code === 'ECONNRESET' || !socket.writable || (pending !== undefined && isTaken(pending))) {
    socket.destroy();
    return;
  }
  const error = socketFailure(thrown, limits);
  const body = JSON.stringify(errorReplyOf(error));
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}`,
    `content-type: ${JSON_TYPE}; charset=utf-8`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}

/** Whether an answer now would be taken for that of another request, or be a second one. */
function isTaken({ headersSent, writableFinished, req }: ServerResponse): boolean {
  return headersSent ? !(writableFinished && req.complete) : req.complete;
}

function socketFailure({ code, message }: SocketError, limits: HttpLimits): MillraceError {
  if (code === 'HPE_HEADER_OVERFLOW') return failure('MILLRACE_REQUEST_HEADERS', { bytesMax: limits.headerBytesMax });
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const { headersTimeoutMs: headersMs, requestTimeoutMs: requestMs } = limits;
    return failure('MILLRACE_REQUEST_TIMEOUT', { headersMs, requestMs });
  }
  return malformed(printable(message.replace(/^Parse Error: /, ''), 200), 'send one HTTP/1.1 request after the other');
}
