// Routes of parameters: those of the cluster, and those of a topology. Any host answers, because the store has them;
// who sets them may name the version that they have, and is refused when somebody else was quicker. Main thread.

import { replies, type App } from '../app.js';
import { keptParameters, nameParams, parametersRequest } from '../schemas.js';
import { BASE, type RouteOptions } from './options.js';

export function parameterRoutes(app: App, { service }: RouteOptions): void {
  const got = { ...keptParameters, description: 'As they are set.' };
  const set = { ...keptParameters, description: 'They are kept; running components are told.' };
  const refused = ['MILLRACE_PARAMETERS_INVALID', 'MILLRACE_PARAMETERS_VERSION'] as const;
  app.get(
    `${BASE}/parameters`,
    {
      schema: {
        tags: ['parameters'],
        summary: 'What components of all topologies see',
        response: replies({ 200: got }),
      },
    },
    async () => await service.parameters(null),
  );
  app.put(
    `${BASE}/parameters`,
    {
      schema: {
        tags: ['parameters'],
        summary: 'Replace what components of all topologies see',
        body: parametersRequest,
        response: replies({ 200: set }, [...refused, 'MILLRACE_REQUEST_MEDIA_TYPE']),
      },
    },
    async ({ body }) => await service.setParameters(null, body.values, body.version ?? null),
  );
  app.get(
    `${BASE}/topologies/:name/parameters`,
    {
      schema: {
        tags: ['parameters'],
        summary: 'What is set for the components of a topology',
        params: nameParams,
        response: replies({ 200: got }, ['MILLRACE_TOPOLOGY_UNKNOWN', 'MILLRACE_PARAMETERS_ENDED']),
      },
    },
    async ({ params }) => await service.parameters(params.name),
  );
  app.put(
    `${BASE}/topologies/:name/parameters`,
    {
      schema: {
        tags: ['parameters'],
        summary: 'Replace what is set for the components of a topology',
        params: nameParams,
        body: parametersRequest,
        response: replies({ 200: set }, [
          ...refused,
          'MILLRACE_TOPOLOGY_UNKNOWN',
          'MILLRACE_PARAMETERS_ENDED',
          'MILLRACE_REQUEST_MEDIA_TYPE',
        ]),
      },
    },
    async ({ params, body }) => await service.setParameters(params.name, body.values, body.version ?? null),
  );
}
