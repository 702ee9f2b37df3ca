// Routes of topologies: submit, list, describe, activate, deactivate, rebalance, kill. What changes something answers
// with the details of the topology as it is then. Main thread.

import { readDurationMs } from '../../../engine/model/duration.js';
import { problem } from '../../../engine/errors.js';
import { DURATION_MAX_MS } from '../../../engine/limits.js';
import { shown } from '../../../engine/model/names.js';
import { replies, type App } from '../app.js';
import { untilGone } from '../caller.js';
import {
  killRequest,
  nameParams,
  nothing,
  rebalanceRequest,
  replacementBegun,
  submission,
  topologyDetails,
  topologyList,
} from '../schemas.js';
import { readSubmission } from '../submission.js';
import { requestInvalid } from '../validation.js';
import { BASE, type RouteOptions } from './options.js';

const TOPOLOGIES = `${BASE}/topologies`;
const ZERO = /^0+(?:\.0+)?[a-z]+$/;

export function topologyRoutes(app: App, options: RouteOptions): void {
  submitRoute(app, options);
  readRoutes(app, options);
  wishRoutes(app, options);
}

function submitRoute(app: App, { service }: RouteOptions): void {
  app.post(
    TOPOLOGIES,
    {
      config: { body: 'own' },
      schema: {
        tags: ['topologies'],
        summary: 'Submit a topology',
        body: submission,
        response: replies(
          {
            201: { ...topologyDetails, description: 'It is kept, and runs where there is room; or it has replaced.' },
            202: { ...replacementBegun, description: 'It is wished that it replaces; nobody waits until it has.' },
          },
          [
            'MILLRACE_TOPOLOGY_INVALID',
            'MILLRACE_TOPOLOGY_EXISTS',
            'MILLRACE_ARTIFACT_UNKNOWN',
            'MILLRACE_REPLACE_ACTIVE',
            'MILLRACE_REPLACE_UNKNOWN',
            'MILLRACE_REPLACE_BUSY',
            'MILLRACE_REPLACE_STATE',
            'MILLRACE_REPLACE_ROOM',
            'MILLRACE_REPLACE_FAILED',
            'MILLRACE_REPLACE_ENDED',
            'MILLRACE_REPLACE_HOST_LOST',
            'MILLRACE_REPLACE_LATE',
            'MILLRACE_REQUEST_TOO_LARGE',
            'MILLRACE_REQUEST_MEDIA_TYPE',
          ],
        ),
      },
    },
    async (request, reply) => {
      const { submission, wait } = readSubmission(request.body, 'POST', TOPOLOGIES);
      if (submission.replace === true && !wait) {
        const begun = await service.beginReplacement(submission);
        return await reply.code(202).header('location', locationOf(begun)).send(begun);
      }
      const { signal, settle } = untilGone(reply);
      // The steps of a replacement are waited for. Node sets it again for the next request on this connection.
      if (submission.replace === true) request.raw.socket.setTimeout(0);
      const details = await service.submit(submission, signal).finally(settle);
      return await reply.code(201).header('location', locationOf(details)).send(details);
    },
  );
}

function locationOf({ name }: { readonly name: string }): string {
  return `${TOPOLOGIES}/${encodeURIComponent(name)}`;
}

function readRoutes(app: App, { service }: RouteOptions): void {
  app.get(
    TOPOLOGIES,
    {
      schema: {
        tags: ['topologies'],
        summary: 'List topologies',
        response: replies({ 200: { ...topologyList, description: 'All that there are.' } }),
      },
    },
    async () => ({ topologies: await service.list() }),
  );
  app.get(
    `${TOPOLOGIES}/:name`,
    {
      config: { forward: 'preferred' },
      schema: {
        tags: ['topologies'],
        summary: 'Describe a topology',
        params: nameParams,
        response: replies({ 200: { ...topologyDetails, description: 'How it goes.' } }, ['MILLRACE_TOPOLOGY_UNKNOWN']),
      },
    },
    async ({ params }) => await service.describe(params.name),
  );
}

function wishRoutes(app: App, { service }: RouteOptions): void {
  const response = replies({ 200: { ...topologyDetails, description: 'The wish is kept; it is carried out soon.' } }, [
    'MILLRACE_TOPOLOGY_UNKNOWN',
    'MILLRACE_REQUEST_MEDIA_TYPE',
  ]);
  const schema = { tags: ['topologies'], params: nameParams, response };
  const config = { body: 'optional', forward: 'preferred' } as const;
  app.post(
    `${TOPOLOGIES}/:name/activate`,
    { config, schema: { ...schema, summary: 'Let its spouts emit', body: nothing } },
    async ({ params }) => await service.activate(params.name),
  );
  app.post(
    `${TOPOLOGIES}/:name/deactivate`,
    { config, schema: { ...schema, summary: 'Let its spouts rest', body: nothing } },
    async ({ params }) => await service.deactivate(params.name),
  );
  app.post(
    `${TOPOLOGIES}/:name/rebalance`,
    {
      config: { forward: 'always' },
      schema: {
        tags: ['topologies'],
        summary: 'Spread it anew while it goes on',
        params: nameParams,
        body: rebalanceRequest,
        response: replies({ 200: { ...topologyDetails, description: 'It is carried out.' } }, [
          'MILLRACE_TOPOLOGY_UNKNOWN',
          'MILLRACE_REBALANCE_COMPONENT',
          'MILLRACE_REBALANCE_WORKERS',
          'MILLRACE_REBALANCE_PARALLELISM',
          'MILLRACE_REBALANCE_TASKS',
          'MILLRACE_REBALANCE_SLOTS',
          'MILLRACE_REBALANCE_STATE',
          'MILLRACE_HOST_UNREACHABLE',
          'MILLRACE_REQUEST_MEDIA_TYPE',
        ]),
      },
    },
    async ({ params, body, raw }, reply) => {
      const { signal, settle } = untilGone(reply);
      // Trees of spouts that move are waited for. Node sets it again for the next request on this connection.
      raw.socket.setTimeout(0);
      try {
        return await service.rebalance(params.name, body, signal);
      } finally {
        settle();
      }
    },
  );
  app.post(
    `${TOPOLOGIES}/:name/kill`,
    { config, schema: { ...schema, summary: 'End it', body: killRequest } },
    async ({ params, body, routeOptions }) => {
      // A body that may be left out is there only where it was sent.
      const { wait, reason } = (body as typeof body | undefined) ?? {};
      const waitMs = wait === undefined ? undefined : readWait(wait, routeOptions.url ?? '');
      return await service.kill(params.name, {
        ...(waitMs === undefined ? {} : { waitMs }),
        ...(reason === undefined ? {} : { reason }),
      });
    },
  );
}

/** No wait at all is a wait, too. */
function readWait(wait: string | number, route: string): number {
  const waitMs = wait === 0 || (typeof wait === 'string' && ZERO.test(wait)) ? 0 : readDurationMs(wait);
  if (waitMs !== null) return waitMs;
  const expected = `a duration of whole milliseconds up to ${DURATION_MAX_MS} ms`;
  const description = 'write "500ms", "10s" or "2m", or milliseconds as a number';
  const details = { what: 'wait', expected, actual: shown(wait), description };
  throw requestInvalid('POST', route, [problem('MILLRACE_REQUEST_VALUE', 'wait', details)]);
}
