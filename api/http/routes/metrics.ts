// Routes of what is measured: all of one topology as JSON, and all of the host as Prometheus reads it. On the main
// thread.

import { replies, type App } from '../app.js';
import { topologyMetrics } from '../metrics-schemas.js';
import { PROMETHEUS_TYPE, prometheusText } from '../prometheus.js';
import { nameParams } from '../schemas.js';
import { BASE, type RouteOptions } from './options.js';

export function metricsRoutes(app: App, { service }: RouteOptions): void {
  app.get(
    `${BASE}/topologies/:name/metrics`,
    {
      config: { forward: 'known' },
      schema: {
        tags: ['topologies'],
        summary: 'What is measured of a topology, by component and task',
        params: nameParams,
        response: replies({ 200: { ...topologyMetrics, description: 'As it is now, or was when it ended.' } }, [
          'MILLRACE_TOPOLOGY_UNKNOWN',
          'MILLRACE_METRICS_NONE',
          'MILLRACE_HOST_UNREACHABLE',
        ]),
      },
    },
    async ({ params }) => await service.metrics(params.name),
  );
  app.get(
    '/metrics',
    {
      schema: {
        tags: ['host'],
        summary: 'What is measured of all topologies that run, for Prometheus',
        description: 'The text format of Prometheus, version 0.0.4.',
      },
    },
    async (_request, reply) => reply.type(PROMETHEUS_TYPE).send(prometheusText(await service.measured())),
  );
}
