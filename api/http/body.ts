// How bodies are read. JSON is read by the parser of topology documents, which tells line and column, refuses a key
// that stands twice, and bounds depth and size; keys such as `__proto__` come out as plain keys. Other types have no
// parser, so Fastify refuses them. Main thread.

import { failure } from '../../engine/errors.js';
import { parseDocument } from '../../engine/model/json-text.js';
import type { App } from './app.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Takes JSON bodies, and no others. An empty one is `undefined`. */
export function readJsonBodies(app: App): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, bytes, done) => {
    try {
      done(null, parseJson(bytes as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}

function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  return parseDocument(decode(bytes), 'the body');
}

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw failure(
      'MILLRACE_REQUEST_MALFORMED',
      { reason: 'its body is not UTF-8', advice: 'JSON is sent in UTF-8' },
      { cause: error },
    );
  }
}
