// All routes, each under the methods that it has; the other methods of its path are refused by name. Main thread.

import type { App } from '../app.js';
import { METHODS, methodRefused } from '../guard.js';
import { aboutRoutes } from './about.js';
import { artifactRoutes } from './artifacts.js';
import { hostRoutes } from './hosts.js';
import { ingestRoutes } from './ingest.js';
import { metricsRoutes } from './metrics.js';
import type { RouteOptions } from './options.js';
import { parameterRoutes } from './parameters.js';
import { topologyRoutes } from './topologies.js';

export function addRoutes(app: App, options: RouteOptions): void {
  void app.register(async (routes: App) => {
    const taken = new Map<string, string[]>();
    routes.addHook('onRoute', ({ url, method }) => {
      taken.set(url, [...(taken.get(url) ?? []), ...(Array.isArray(method) ? method : [method])]);
    });
    aboutRoutes(routes, options);
    hostRoutes(routes, options);
    topologyRoutes(routes, options);
    ingestRoutes(routes, options);
    metricsRoutes(routes, options);
    parameterRoutes(routes, options);
    await routes.register(async (artifacts: App) => artifactRoutes(artifacts, options));
    for (const [url, methods] of [...taken]) refuseOthers(routes, url, methods);
  });
}

function refuseOthers(app: App, url: string, methods: readonly string[]): void {
  const others = METHODS.filter((method) => !methods.includes(method));
  app.route({
    method: others,
    url,
    exposeHeadRoute: false,
    config: { mediaTypes: null },
    schema: { hide: true },
    // Before its body is looked at.
    onRequest: async (request, reply) => {
      void reply.header('allow', methods.join(', '));
      throw methodRefused(request.raw, methods);
    },
    handler: async () => undefined,
  });
}
