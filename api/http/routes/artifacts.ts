// The route that keeps bundles of user code: the body goes to the service as it comes, never whole in memory. In a
// context of its own, because no other route takes these types of body. Main thread.

import type { IncomingMessage } from 'node:http';
import { failure } from '../../../engine/errors.js';
import { ARTIFACT_BYTES_MAX } from '../../../engine/limits.js';
import { replies, type App } from '../app.js';
import { artifactInfo, artifactParams } from '../schemas.js';
import { FORWARDED } from '../../forwarded.js';
import { BASE, type RouteOptions } from './options.js';

const bundle = { type: 'string', format: 'binary', description: 'One bundled ES module.' };

const MEDIA_TYPES = ['application/javascript', 'text/javascript', 'application/octet-stream'];

export function artifactRoutes(app: App, options: RouteOptions): void {
  putRoute(app, options);
  getRoute(app, options);
}

function getRoute(app: App, { service }: RouteOptions): void {
  app.get(
    `${BASE}/artifacts/:sha256`,
    {
      schema: {
        tags: ['artifacts'],
        summary: 'The bundle with that hash',
        description: 'The bundle itself, as it was put: for the other hosts of the cluster.',
        params: artifactParams,
      },
    },
    async ({ params: { sha256 } }, reply) => reply.type(MEDIA_TYPES[0]!).send(await service.artifact(sha256)),
  );
}

function putRoute(app: App, { service }: RouteOptions): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(MEDIA_TYPES, (_request, payload, done) => done(null, payload));
  app.put(
    `${BASE}/artifacts/:sha256`,
    {
      config: { mediaTypes: MEDIA_TYPES, body: 'own' },
      schema: {
        tags: ['artifacts'],
        summary: 'Keep a bundle under its hash',
        params: artifactParams,
        body: { content: Object.fromEntries(MEDIA_TYPES.map((type) => [type, { schema: bundle }])) },
        response: replies(
          {
            200: { ...artifactInfo, description: 'It was there already.' },
            201: { ...artifactInfo, description: 'It is kept.' },
          },
          [
            'MILLRACE_ARTIFACT_HASH',
            'MILLRACE_ARTIFACT_TOO_LARGE',
            'MILLRACE_ARTIFACT_INVALID',
            'MILLRACE_REQUEST_MEDIA_TYPE',
          ],
        ),
      },
    },
    async ({ params: { sha256 }, raw }, reply) => {
      if (Number(raw.headers['content-length'] ?? 0) > ARTIFACT_BYTES_MAX) {
        throw failure('MILLRACE_ARTIFACT_TOO_LARGE', { sha256, bytesMax: ARTIFACT_BYTES_MAX });
      }
      const info = await service.putArtifact(sha256, chunksOf(raw), raw.headers[FORWARDED] !== undefined);
      return await reply.code(info.created ? 201 : 200).send(info);
    },
  );
}

/** The body; who stops reading it early can still be answered. */
function chunksOf(raw: IncomingMessage): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => raw.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array> };
}
