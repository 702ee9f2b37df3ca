// Routes about the host and about what it takes: health, and the JSON Schema of topology documents, which is sent as it
// stands. Main thread.

import { topologySchema } from '../../../engine/model/schema.js';
import { failure } from '../../../engine/errors.js';
import { replies, type App } from '../app.js';
import { hostHealth } from '../schemas.js';
import { BASE, type RouteOptions } from './options.js';

const schemaText = JSON.stringify(topologySchema);

export function aboutRoutes(app: App, { service }: RouteOptions): void {
  app.get(
    '/healthz',
    {
      schema: {
        tags: ['host'],
        summary: 'Whether the host takes requests',
        response: replies({ 200: { ...hostHealth, description: 'It does.' } }),
      },
    },
    async () => {
      const health = await service.health();
      if (health.status === 'closing') throw failure('MILLRACE_API_CLOSING', {});
      return health;
    },
  );
  app.get(
    `${BASE}/schemas/topology`,
    {
      schema: {
        tags: ['host'],
        summary: 'The JSON Schema of topology documents',
        description: 'For editors: name it as "$schema" in a document.',
      },
    },
    async (_request, reply) => reply.type('application/schema+json; charset=utf-8').send(schemaText),
  );
}
