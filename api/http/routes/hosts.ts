// Routes of the hosts of a cluster: list them, drain one and take that back. Any host answers for all, from the store.
// Main thread.

import { replies, type App } from '../app.js';
import { hostList, hostParams, hostSummary, nothing } from '../schemas.js';
import { BASE, type RouteOptions } from './options.js';

export function hostRoutes(app: App, { service }: RouteOptions): void {
  app.get(
    `${BASE}/hosts`,
    {
      schema: {
        tags: ['host'],
        summary: 'List the hosts of the cluster',
        description: 'Beside them, who was refused: by the cluster, and at the door of the host that answers.',
        response: replies({ 200: { ...hostList, description: 'All that are there, and those that are drained.' } }),
      },
    },
    async () => ({ hosts: await service.hosts(), refused: await service.refusals() }),
  );
  app.put(
    `${BASE}/hosts/:name/drain`,
    {
      config: { body: 'optional' },
      schema: {
        tags: ['host'],
        summary: 'Drain a host: its workers are moved away, and it gets no new ones',
        params: hostParams,
        body: nothing,
        response: replies({ 200: { ...hostSummary, description: 'The wish is kept; it is carried out soon.' } }, [
          'MILLRACE_HOST_UNKNOWN',
          'MILLRACE_DRAIN_LAST',
          'MILLRACE_REQUEST_MEDIA_TYPE',
        ]),
      },
    },
    async ({ params }) => await service.drain(params.name),
  );
  app.delete(
    `${BASE}/hosts/:name/drain`,
    {
      config: { body: 'optional' },
      schema: {
        tags: ['host'],
        summary: 'Let a host have workers again',
        params: hostParams,
        body: nothing,
        response: replies({ 200: { ...hostSummary, description: 'It is drained no more.' } }, [
          'MILLRACE_HOST_UNKNOWN',
          'MILLRACE_REQUEST_MEDIA_TYPE',
        ]),
      },
    },
    async ({ params }) => await service.undrain(params.name),
  );
}
