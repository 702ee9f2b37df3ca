// What the parts of the HTTP interface hand each other: the Fastify instance with types that follow the TypeBox
// schemas, and what every route states about itself. Types, and the hook that checks requests. Main thread.

import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Static, TSchema } from 'typebox';
import { catalogue, type ErrorCode } from '../../engine/errors.js';
import { errorReply, nothing } from './schemas.js';
import { problemsOf, requestInvalid, type Part } from './validation.js';

/** Gives handlers the types of their schemas. */
export interface TypeBoxProvider extends FastifyTypeProvider {
  readonly validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  readonly serializer: unknown;
}

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxProvider
>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The types that a body may have, or null where the method is refused. Default: JSON where it changes something.
     */
    readonly mediaTypes?: readonly string[] | null;
    /** How the body is checked: against its schema (default), the same or nothing at all, or by the handler. */
    readonly body?: 'required' | 'optional' | 'own';
    /**
     * It is about the topology in its path: the host that runs it answers, and this one instead when that cannot be
     * reached (`preferred`), or nobody (`known`, for what it knows at once; `always`, for what takes its time); with
     * `awaited` one that is about to run is waited for. Default: this one.
     */
    readonly forward?: 'preferred' | 'known' | 'always' | 'awaited';
  }
}

/** What may go wrong with every request of a method that changes something. */
const REQUEST_ERRORS: readonly ErrorCode[] = [
  'MILLRACE_REQUEST_INVALID',
  'MILLRACE_REQUEST_MALFORMED',
  'MILLRACE_REQUEST_HOST',
  'MILLRACE_REQUEST_ORIGIN',
  'MILLRACE_REQUEST_TIMEOUT',
  'MILLRACE_API_INTERNAL',
  'MILLRACE_API_CLOSING',
];

/**
 * The replies of a route: its successes, and for each status of these errors and of those of every route, what it says.
 */
export function replies(
  successes: Readonly<Record<number, TSchema>>,
  errors: readonly ErrorCode[] = [],
): Record<string, TSchema> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of [...errors, ...REQUEST_ERRORS]) {
    const { status } = catalogue[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const failures = [...byStatus].map(([status, codes]) => [
    String(status),
    { ...errorReply, description: codes.join(', ') },
  ]);
  return {
    ...(Object.fromEntries(failures) as Record<string, TSchema>),
    '4xx': errorReply,
    '5xx': errorReply,
    ...successes,
  };
}

/**
 * Checks a request against the schemas of its route.
 *
 * @throws MILLRACE_REQUEST_INVALID with every problem
 */
export async function checkRequest(request: FastifyRequest): Promise<void> {
  const { schema, config, url, method } = request.routeOptions;
  if (schema === undefined || url === undefined || 'hide' in schema) return;
  const parts: Part[] = [
    { schema: schema.params ?? nothing, value: request.params, path: 'params' },
    { schema: schema.querystring ?? nothing, value: request.query, path: 'query' },
  ];
  const isLeftOut = config.body === 'optional' && request.body === undefined;
  if (schema.body !== undefined && config.body !== 'own' && !isLeftOut) {
    parts.push({ schema: schema.body as TSchema, value: request.body, path: '' });
  }
  const problems = problemsOf(parts);
  if (problems.length > 0) throw requestInvalid(String(method), url, problems);
}
