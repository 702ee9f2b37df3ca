// The route that feeds a spout: one record in, answered when its tuple tree is done. A caller that goes away gives up
// its record; one that waits may wait as long as the topology allows. Main thread.

import { Type } from 'typebox';
import { replies, type App } from '../app.js';
import { untilGone } from '../caller.js';
import { record, spoutParams } from '../schemas.js';
import { BASE, type RouteOptions } from './options.js';

export function ingestRoutes(app: App, { service }: RouteOptions): void {
  app.post(
    `${BASE}/topologies/:name/ingest/:spout`,
    {
      config: { forward: 'awaited' },
      schema: {
        tags: ['topologies'],
        summary: 'Give a record to a spout',
        params: spoutParams,
        body: record,
        response: replies({ 204: { ...Type.Null(), description: 'Its tuple tree is done.' } }, [
          'MILLRACE_TOPOLOGY_UNKNOWN',
          'MILLRACE_INGEST_SPOUT',
          'MILLRACE_INGEST_RECORD',
          'MILLRACE_INGEST_INACTIVE',
          'MILLRACE_INGEST_FULL',
          'MILLRACE_INGEST_FAILED',
          'MILLRACE_INGEST_TIMEOUT',
          'MILLRACE_INGEST_LOST',
          'MILLRACE_HOST_UNREACHABLE',
          'MILLRACE_REQUEST_TOO_LARGE',
          'MILLRACE_REQUEST_MEDIA_TYPE',
        ]),
      },
    },
    async ({ params, body, raw }, reply) => {
      const { signal, settle } = untilGone(reply);
      // Node sets it again for the next request on this connection.
      raw.socket.setTimeout(0);
      try {
        await service.ingest(params.name, params.spout, body, signal);
      } finally {
        settle();
      }
      return await reply.code(204).send();
    },
  );
}
