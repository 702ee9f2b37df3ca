// The routes of parameters: what they answer, and which requests they refuse.

import t from 'tap';
import { INGESTING } from '../fake-host.js';
import { ask, post, serve } from './served.js';

t.test('they are read and replaced, of the cluster and of a topology', async (t) => {
  const served = await serve(t);
  await post(served, '/api/v1/topologies', INGESTING);
  for (const path of ['/api/v1/parameters', '/api/v1/topologies/records/parameters']) {
    const none = { version: 0, values: {}, problem: null };
    t.match(await ask(served, path), { status: 200, json: none });
    const values = { factor: 1.5, nested: { list: [null, 'a', { b: true }] } };
    const set = await ask(served, path, { method: 'PUT', body: { values, version: 0 } });
    t.equal(set.status, 200);
    t.strictSame(set.json, { version: 1, values, problem: null });
    t.strictSame((await ask(served, path)).json, set.json);
    t.match(await ask(served, path, { method: 'PUT', body: { values, version: 0 } }), {
      status: 409,
      json: { code: 'MILLRACE_PARAMETERS_VERSION' },
    });
    t.match(await ask(served, path, { method: 'PUT', body: { values: {} } }), { status: 200, json: { version: 2 } });
    const refused: readonly (readonly [body: unknown, code: string])[] = [
      [{}, 'MILLRACE_REQUEST_INVALID'],
      [{ values: [] }, 'MILLRACE_REQUEST_INVALID'],
      [{ values: {}, version: -1 }, 'MILLRACE_REQUEST_INVALID'],
      [{ values: {}, version: '1' }, 'MILLRACE_REQUEST_INVALID'],
      [{ values: {}, more: 1 }, 'MILLRACE_REQUEST_INVALID'],
      [{ values: { 'a b': 1 } }, 'MILLRACE_PARAMETERS_INVALID'],
      [{ values: { text: 'x'.repeat(70_000) } }, 'MILLRACE_PARAMETERS_INVALID'],
      ['{"values":', 'MILLRACE_DOCUMENT_SYNTAX'],
    ];
    for (const [body, code] of refused) {
      t.match(await ask(served, path, { method: 'PUT', body }), { status: 400, json: { code } }, code);
    }
    t.match(await post(served, path, {}), { status: 405, headers: { allow: /PUT/ } });
    t.match((await ask(served, path)).json, { version: 2 }, 'what is refused changes nothing');
  }
  t.match(await ask(served, '/api/v1/topologies/nobody/parameters'), { status: 404 });
  t.match(await ask(served, '/api/v1/topologies/nobody/parameters', { method: 'PUT', body: { values: {} } }), {
    status: 404,
    json: { code: 'MILLRACE_TOPOLOGY_UNKNOWN' },
  });
});
