// Requests about a topology that another host runs: that one answers, and what happens when it cannot.

import t from 'tap';
import { FORWARDED } from '../../../api/forwarded.js';
import { INGESTING } from '../fake-host.js';
import { ask, post, serve } from './served.js';

const NAME = INGESTING.name;
const PATH = `/api/v1/topologies/${NAME}`;
/** Nobody listens there. */
const GONE = { host: 'gone', url: 'http://127.0.0.1:1' };

t.test('the host that runs a topology answers for it', async (t) => {
  const [asked, owner] = [await serve(t), await serve(t)];
  t.equal((await post(owner, '/api/v1/topologies', INGESTING)).status, 201);
  asked.host.owner = { host: 'owner', url: owner.url };
  const described = await ask(asked, PATH);
  t.match(described, { status: 200, json: { name: NAME, state: 'active' } });
  t.strictSame(described.json, (await ask(owner, PATH)).json, 'the same as there');
  t.match(described.headers['content-type'], /application\/json/);
  t.match(await ask(asked, `${PATH}/metrics`), { status: 200, json: { state: 'active' } });
  t.match(await post(asked, `${PATH}/ingest/in`, { text: 'a' }), { status: 204, text: '' });
  t.match(await post(asked, `${PATH}/deactivate`), { status: 200, json: { state: 'inactive' } });
  t.match(await post(asked, `${PATH}/kill`, { wait: 0, reason: 'enough' }), { status: 200 });
  t.match(await post(asked, `${PATH}/rebalance`, { workers: 2 }), { status: 409 }, 'and its errors are its own');
  t.strictSame(asked.host.calls, [], 'the host that was asked did nothing');
  const other = 'topology';
  t.strictSame(asked.host.ownersAsked, [other, other, 'records', other, other, other], 'records go to who takes them');
});

t.test('a bad request goes nowhere', async (t) => {
  const [asked, owner] = [await serve(t), await serve(t)];
  asked.host.owner = { host: 'owner', url: owner.url };
  t.match(await post(asked, `${PATH}/rebalance`, { worker: 2 }), { status: 400 });
  t.strictSame(owner.host.calls, []);
});

t.test('a request is passed on once', async (t) => {
  const [asked, owner] = [await serve(t), await serve(t)];
  await post(asked, '/api/v1/topologies', INGESTING);
  asked.host.owner = { host: 'owner', url: owner.url };
  owner.host.owner = { host: 'asked', url: asked.url };
  t.match(await ask(asked, PATH), { status: 404 }, 'the other one answers, though it thinks that this one runs it');
  t.match(await ask(asked, PATH, { headers: { [FORWARDED]: '1' } }), { status: 200 });
});

t.test('the host that runs it is gone', async (t) => {
  const asked = await serve(t);
  await post(asked, '/api/v1/topologies', INGESTING);
  asked.host.owner = GONE;
  t.match(await ask(asked, PATH), { status: 200, json: { name: NAME } }, 'what the store knows is told');
  t.match(await post(asked, `${PATH}/kill`), { status: 200 }, 'a wish is kept');
  const refused = { status: 503, json: { code: 'MILLRACE_HOST_UNREACHABLE', message: /host "gone" at .*"records"/ } };
  t.match(await post(asked, `${PATH}/rebalance`, { workers: 2 }), refused);
  t.match(await post(asked, `${PATH}/ingest/in`, { text: 'a' }), refused);
  asked.host.calls.length = 0;
  t.match(await ask(asked, `${PATH}/metrics`), refused, 'nobody else has measured it');
  t.strictSame(asked.host.calls, []);
});

t.test('a caller that goes away gives up what was passed on', async (t) => {
  const [asked, owner] = [await serve(t), await serve(t)];
  await post(owner, '/api/v1/topologies', INGESTING);
  asked.host.owner = { host: 'owner', url: owner.url };
  const gone = new AbortController();
  const sent = fetch(`${asked.url}${PATH}/ingest/in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'wait' }),
    signal: gone.signal,
  });
  await owner.host.untilWaiting(1);
  gone.abort();
  await t.rejects(sent);
  const { signal } = owner.host.waiting[0]!;
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  t.ok(signal.aborted);
});
