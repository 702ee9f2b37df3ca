// The interface described as OpenAPI 3.1, made from the schemas of the routes, and a page at /docs that shows it and
// tries it out. Registered before the routes, which it listens for. Main thread.

import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { App } from './app.js';

/** The page runs what it brings along and nothing else, and talks to nobody else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function addDocumentation(app: App, version: string): void {
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Millrace',
        version,
        description:
          'Submit topologies to this host, look at them, feed them and end them. Every reply that is not a success is ' +
          '`{ code, message, hint, problems }`. Nothing is coerced, and fields that are not known are refused.',
      },
      tags: [
        { name: 'topologies', description: 'What runs here.' },
        { name: 'artifacts', description: 'Bundles of user code by their hash.' },
        { name: 'host', description: 'The host itself.' },
      ],
    },
  });
  void app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: POLICY,
    uiConfig: { docExpansion: 'list', deepLinking: false },
  });
}
