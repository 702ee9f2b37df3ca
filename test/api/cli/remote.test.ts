// The commands that talk to a host, against a server over a fake one: what they print where, and their exit codes.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { MillraceClient } from '../../../api/client/client.js';
import { describeCommand, formatDetails } from '../../../api/cli/describe.js';
import { listCommand } from '../../../api/cli/list.js';
import { submitCommand, type SubmitRequest } from '../../../api/cli/submit.js';
import { parseWait } from '../../../api/cli/wait.js';
import { activateCommand, deactivateCommand, killCommand, rebalanceCommand } from '../../../api/cli/wishes.js';
import { INGESTING, type FakeHost } from '../fake-host.js';
import { serve } from '../http/served.js';
import { NUMBERS } from '../modules.js';
import { passUntil, Place } from './place.js';

interface Run {
  readonly place: Place;
  readonly host: FakeHost;
  readonly url: string;
}

async function start(t: Test): Promise<Run> {
  const { host, url } = await serve(t);
  return { host, url, place: new Place(url) };
}

const plain = { host: null, json: false };
const json = { host: null, json: true };
const INACTIVE: Omit<SubmitRequest, 'file'> = { settings: {}, active: false, wait: false, replace: false };
const ACTIVE = { ...INACTIVE, active: true };
const WAITING = { ...ACTIVE, wait: true };

function fileWith(t: Test, document: unknown, name = 'records.json'): string {
  const file = join(t.testdirName, name);
  mkdirSync(t.testdirName, { recursive: true });
  writeFileSync(file, typeof document === 'string' ? document : JSON.stringify(document));
  return file;
}

t.test('a document is submitted, listed, described, put to sleep, woken and killed', async (t) => {
  const { url } = await start(t);
  const file = fileWith(t, INGESTING);
  const done = async (call: (place: Place) => Promise<number>): Promise<Place> => {
    const place = new Place(url);
    t.equal(await call(place), 0);
    return place;
  };
  const empty = await done(async (place) => await listCommand(plain, place));
  t.strictSame(
    [empty.stdout.text, empty.stderr.text],
    ['', `no topology at ${url}; millrace submit FILE starts one\n`],
  );

  const settings = { 'out.parallelism': 2 };
  const submitted = await done(async (place) => await submitCommand({ ...INACTIVE, file, settings }, plain, place));
  t.equal(submitted.stdout.text, 'records\n');
  t.equal(submitted.stderr.text, 'records is inactive: 3 tasks on 1 worker; millrace activate records wakes it\n');

  const listed = await done(async (place) => await listCommand(plain, place));
  t.match(
    listed.stdout.text,
    /^topology +state +workers +tasks +time +id +on\nrecords +inactive +1 +3 +1\.50 s +records-1\n$/,
  );
  const woken = await done(async (place) => await activateCommand('records', plain, place));
  t.strictSame([woken.stdout.text, woken.stderr.text], ['', 'records is active\n']);
  const described = await done(async (place) => await describeCommand('records', plain, place));
  t.match(
    described.stdout.text,
    /^records is active: 3 tasks on 1 worker, 1\.50 s\nsubmitted 2025-06-15T.* as records-1\non fake, which leads: worker 0 in slot 0\n/,
  );
  t.match(described.stdout.text, /\nin +spout +1 +21,933 +- +21,930 +3 +1\.2k +0\.50 ms +3\.2 ms +1\n/);
  t.match(
    described.stdout.text,
    /\nin +blocked by out#\d \((its mailbox is full|no credit left)\), 90 % of the last 5 s +0 % +0 % +- +0 +90 % +0/,
  );
  t.match(described.stdout.text, /\nworkers busy in the last 10 s: 90 %\n/);
  t.match(
    described.stdout.text,
    '\nmeasured by its code:\n  out: seen 5\n  out: level 0.5\n  out: size 2 recorded, p50 4.095',
  );
  t.match(described.stdout.text, /\nlast errors:\n {2}2025-.* out \(task 1, 3 times\): RangeError: it is too long\n$/);
  const spread = await done(
    async (place) => await rebalanceCommand('records', { workers: 2, parallelism: { out: 4 } }, plain, place),
  );
  t.strictSame([spread.stdout.text, spread.stderr.text], ['', 'records is active: 5 tasks on 2 workers\n']);
  const asleep = await done(async (place) => await deactivateCommand('records', plain, place));
  t.match(asleep.stderr.text, /^records is inactive; millrace activate records/);
  const killed = await done(async (place) => await killCommand('records', { waitMs: 0, reason: 'done' }, plain, place));
  t.equal(killed.stderr.text, 'records is killed\n');
  t.match(
    (await done(async (place) => await describeCommand('records', plain, place))).stdout.text,
    /\nreason: done\n/,
  );
});

t.test('what the store knows is described, also when the host that runs it does not answer', async (t) => {
  const { place, host } = await start(t);
  await host.submit({ document: INGESTING });
  host.owner = { host: 'gone', url: 'http://127.0.0.1:1' };
  t.equal(await describeCommand('records', plain, place), 0);
  t.match(place.stdout.text, /^records is active/);
  t.match(
    place.stderr.text,
    /^warning: what its tasks have done is not known: host "gone" at .* does not answer: .*\n$/,
  );
});

t.test('what is new was submitted; what goes on waiting says what for, and messages keep their lines', async (t) => {
  const { url, host } = await start(t);
  const submit = host.submit.bind(host);
  host.submit = async (submission) => ({ ...(await submit(submission)), state: 'waiting' });
  const place = new Place(url);
  await submitCommand({ ...ACTIVE, file: fileWith(t, INGESTING) }, plain, place);
  t.equal(
    place.stderr.text,
    'records is submitted: 2 tasks on 1 worker; millrace describe records shows how it goes\n',
  );

  const details = await host.describe('records');
  const reason = 'not enough free slots for its 3 workers';
  const waiting = formatDetails({ ...details, workers: 3, state: 'waiting', places: [], waiting: reason }).split('\n');
  t.equal(waiting[1], `it waits: ${reason}`);
  const places = [
    { host: 'b', slot: 1 },
    { host: 'a', slot: 0 },
    { host: 'b', slot: 0 },
  ];
  t.match(
    formatDetails({ ...details, places }),
    '\non b, which leads: workers 0, 2 in slots 1, 0\non a: worker 1 in slot 0\n',
  );
  host.list = async () => [
    { ...details, places },
    { ...details, name: 'short', places: places.slice(0, 1), waiting: 'more slots' },
    { ...details, name: 'none', places: [], waiting: reason },
  ];
  const listed = new Place(url);
  t.equal(await listCommand(plain, listed), 0);
  t.strictSame(
    listed.stdout.lines.map((line) => line.split('records-1  ')[1] ?? line.slice(-4)),
    ['  on', 'b, a', 'b; waits: more slots', `waits: ${reason}`],
  );

  const message = 'it does not go:\n  1 | n > \u001b2\n    | ^';
  const { out } = details.components;
  const [first] = out!.lastErrors;
  const lastErrors = [{ ...first!, error: { ...first!.error, message } }];
  const failed = formatDetails({
    ...details,
    state: 'failed',
    reason: message,
    components: { out: { ...out!, lastErrors } },
  });
  t.match(failed, '\nreason: it does not go:\n    1 | n > \u{fffd}2\n      | ^\n');
  t.match(failed, 'RangeError: it does not go:\n      1 | n > \u{fffd}2\n        | ^');

  const unnamed = { ...first!.error, code: 'MILLRACE_WORKER_DIED', message: 'nobody knows of what' };
  const restarted = formatDetails({
    ...details,
    workerDeaths: 3,
    workerErrors: [{ task: -1, count: 2, atMs: first!.atMs + 1, error: unnamed }],
    components: { out: { ...out!, restarts: 4 }, other: { ...out!, restarts: 1 } },
  });
  t.match(restarted, /; workers replaced: 3; tasks restarted: 5\n/);
  t.match(restarted, /\nlast errors:\n.* \(worker\) \(2 times\): MILLRACE_WORKER_DIED: nobody knows of what\n/);
});

t.test('with --json, standard output is JSON lines only', async (t) => {
  const { url, host } = await start(t);
  const file = fileWith(t, INGESTING);
  const calls: readonly (readonly [what: string, call: (place: Place) => Promise<number>])[] = [
    ['submit', async (place) => await submitCommand({ ...ACTIVE, file }, json, place)],
    ['describe', async (place) => await describeCommand('records', json, place)],
    ['deactivate', async (place) => await deactivateCommand('records', json, place)],
    ['activate', async (place) => await activateCommand('records', json, place)],
    ['rebalance', async (place) => await rebalanceCommand('records', { workers: 2 }, json, place)],
    ['kill', async (place) => await killCommand('records', { waitMs: 0 }, json, place)],
  ];
  for (const [what, call] of calls) {
    const place = new Place(url);
    t.equal(await call(place), 0, what);
    t.match(place.objects, [{ name: 'records', components: { in: {} } }], what);
    if (what === 'describe') t.match(place.objects, [{ measured: { components: { in: { emitted: 1000 } } } }]);
    t.equal(place.stderr.text, '', what);
  }
  await host.submit({ document: { ...INGESTING, name: 'more' } });
  const place = new Place(url);
  t.equal(await listCommand(json, place), 0);
  t.match(place.objects, [{ name: 'more' }, { name: 'records' }]);
});

t.test('a module is bundled, put under its hash and submitted', async (t) => {
  const { place, host } = await start(t);
  const file = fileWith(t, NUMBERS, 'numbers.ts');
  t.equal(await submitCommand({ ...ACTIVE, file }, plain, place), 0, place.stderr.text);
  t.strictSame(host.calls, ['putArtifact', 'submit']);
  t.equal(place.stdout.text, 'numbers\n');
  const again = new Place(place.env['MILLRACE_HOST']!);
  t.equal(await submitCommand({ ...ACTIVE, file }, json, again), 1);
  t.match(again.objects, [{ type: 'error', error: { code: 'MILLRACE_TOPOLOGY_EXISTS' } }]);
});

t.test('exit codes say what went wrong', async (t) => {
  const { url } = await start(t);
  const addon = fileWith(t, "import './addon.node';\nexport default 1;", 'addon.ts');
  const bad = fileWith(t, '{ "name": }', 'bad.json');
  const wrong = fileWith(t, { name: 'x', active: 1 }, 'wrong.json');
  const good = fileWith(t, INGESTING, 'good.json');
  const yaml = fileWith(t, 'name: x', 'x.yaml');
  const cases: readonly (readonly [code: string, exitCode: number, call: (place: Place) => Promise<number>])[] = [
    ['MILLRACE_TOPOLOGY_UNKNOWN', 3, async (place) => await describeCommand('nope', json, place)],
    ['MILLRACE_TOPOLOGY_UNKNOWN', 3, async (place) => await killCommand('nope', {}, json, place)],
    ['MILLRACE_TOPOLOGY_UNKNOWN', 3, async (place) => await rebalanceCommand('nope', { workers: 2 }, json, place)],
    ['MILLRACE_TOPOLOGY_UNKNOWN', 3, async (place) => await rebalanceCommand('nope', {}, json, place)],
    ['MILLRACE_REQUEST_INVALID', 2, async (place) => await activateCommand('no name', json, place)],
    ['MILLRACE_CLIENT_ADDRESS', 2, async (place) => await listCommand({ ...json, host: 'http://' }, place)],
    ['MILLRACE_CLIENT_UNREACHABLE', 4, async (place) => await listCommand({ ...json, host: '127.0.0.1:1' }, place)],
    [
      'MILLRACE_RUN_FILE_MISSING',
      3,
      async (place) => await submitCommand({ ...ACTIVE, file: 'missing.ts' }, json, place),
    ],
    ['MILLRACE_RUN_FILE_KIND', 2, async (place) => await submitCommand({ ...ACTIVE, file: yaml }, json, place)],
    ['MILLRACE_BUNDLE_ADDON', 1, async (place) => await submitCommand({ ...ACTIVE, file: addon }, json, place)],
    ['MILLRACE_DOCUMENT_SYNTAX', 1, async (place) => await submitCommand({ ...ACTIVE, file: bad }, json, place)],
    ['MILLRACE_REQUEST_INVALID', 2, async (place) => await submitCommand({ ...ACTIVE, file: wrong }, json, place)],
    [
      'MILLRACE_TOPOLOGY_INVALID',
      2,
      async (place) => await submitCommand({ ...ACTIVE, file: good, settings: { nope: 1 } }, json, place),
    ],
  ];
  for (const [code, exitCode, call] of cases) {
    const place = new Place(url);
    t.equal(await call(place), exitCode, code);
    t.match(place.objects, [{ type: 'error', error: { code } }], code);
    t.match(place.stderr.text, new RegExp(`^error ${code}: `), code);
  }
});

t.test('--wait follows it to its end', async (t) => {
  for (const [end, exitCode, reason] of [
    ['completed', 0, null],
    ['failed', 1, 'the disk is full'],
    ['killed', 1, null],
  ] as const) {
    const { place, host } = await start(t);
    const file = fileWith(t, INGESTING);
    place.stderr.isTTY = true;
    const ended = submitCommand({ ...WAITING, file }, json, place);
    let looks = 0;
    const describe = host.describe.bind(host);
    host.describe = async (name) => {
      looks++;
      if (looks === 5) host.end('records', end, reason);
      return await describe(name);
    };
    t.equal(await passUntil(place, ended), exitCode, end);
    const last = place.objects.at(-1);
    t.match(last, {
      type: 'summary',
      topology: 'records',
      status: end,
      seconds: 1.5,
      components: { in: { acked: 21_930 } },
    });
    t.match(last, { error: reason === null ? null : { message: reason } });
    t.match(place.objects[0], { type: 'progress', topology: 'records', state: 'active' });
    t.match(place.stderr.text, `records ${end} after 1.50 s on 1 worker`);
    if (reason !== null) t.match(place.stderr.text, `reason: ${reason}`);
  }
});

t.test('--wait outlives a host that is away for a while', async (t) => {
  const { place, host } = await start(t);
  const file = fileWith(t, INGESTING);
  let looks = 0;
  place.connect = (url) => {
    const client = new MillraceClient({ url });
    const away = new MillraceClient({ url: 'http://127.0.0.1:1' });
    const describe = client.describe.bind(client);
    client.describe = async (name, options) => {
      looks++;
      if (looks === 4) host.end('records', 'completed');
      return looks < 4 ? await away.describe(name, options) : await describe(name, options);
    };
    return client;
  };
  t.equal(await passUntil(place, submitCommand({ ...WAITING, file }, plain, place)), 0);
  t.match(place.stderr.text, /the host is away; waiting for it/);

  place.connect = (url) => {
    const client = new MillraceClient({ url });
    const away = new MillraceClient({ url: 'http://127.0.0.1:1' });
    client.describe = away.describe.bind(away);
    return client;
  };
  t.equal(await passUntil(place, submitCommand({ ...WAITING, file }, plain, place)), 4, 'but not for ever');
});

t.test('--wait does not take another topology of the same name for it', async (t) => {
  const { place, host } = await start(t);
  const file = fileWith(t, INGESTING);
  const ended = submitCommand({ ...WAITING, file }, json, place);
  const submit = host.submit.bind(host);
  host.submit = async (submission) => {
    const details = await submit(submission);
    host.submit = submit;
    host.end('records', 'completed');
    await host.submit(submission);
    return details;
  };
  t.equal(await passUntil(place, ended), 3);
  t.match(place.objects.at(-1), { type: 'error', error: { code: 'MILLRACE_TOPOLOGY_UNKNOWN', message: /records-1/ } });
});

t.test('a signal ends the command and not the topology', async (t) => {
  const { place, host } = await start(t);
  const file = fileWith(t, INGESTING);
  const describe = host.describe.bind(host);
  host.describe = async (name) => {
    place.signal('SIGINT');
    return await describe(name);
  };
  t.equal(await passUntil(place, submitCommand({ ...WAITING, file }, plain, place)), 130);
  t.match(place.stderr.text, /records goes on; millrace kill records ends it\n$/);
  t.match(await describe('records'), { state: 'active' });
  const terminated = new Place(place.env['MILLRACE_HOST']!);
  host.list = async () => {
    terminated.signal('SIGTERM');
    return await Promise.resolve([]);
  };
  t.equal(await listCommand(plain, terminated), 143);
});

t.test('a reader that leaves is no failure, a disk that is full is one', async (t) => {
  for (const [code, exitCode] of [
    ['EPIPE', 0],
    ['ENOSPC', 1],
  ] as const) {
    const { place, host } = await start(t);
    await host.submit({ document: INGESTING });
    host.list = async () => {
      place.stdout.fail(Object.assign(new Error(code), { code }));
      return await Promise.resolve([]);
    };
    t.equal(await listCommand(plain, place), exitCode, code);
  }
});

t.test('what --wait of kill may be', async (t) => {
  for (const [text, waitMs] of [
    ['0', 0],
    ['0s', 0],
    ['10s', 10_000],
    ['1500', 1500],
    ['1.5m', 90_000],
  ] as const) {
    t.equal(parseWait(text), waitMs, text);
  }
  for (const text of ['', 'x', '-1', '1.5', '0.1ms', '1y', '99999999999']) {
    t.throws(() => parseWait(text), { code: 'MILLRACE_CLI_USAGE' }, text);
  }
});
