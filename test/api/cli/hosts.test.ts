// `millrace hosts`, `drain` and `undrain`, against a server over a fake host: what they print, and their exit codes.

import t, { type Test } from 'tap';
import { drainCommand, undrainCommand } from '../../../api/cli/drains.js';
import { hostsCommand } from '../../../api/cli/hosts.js';
import { parseLabel } from '../../../api/cli/arguments.js';
import { failure } from '../../../engine/errors.js';
import { INGESTING, type FakeHost } from '../fake-host.js';
import { serve } from '../http/served.js';
import { passUntil, Place } from './place.js';

const plain = { host: null, json: false };
const json = { host: null, json: true };

async function start(
  t: Test,
): Promise<{ readonly host: FakeHost; readonly place: Place; readonly again: () => Place }> {
  const { host, url } = await serve(t);
  return { host, place: new Place(url), again: () => new Place(url) };
}

t.test('every host is a line, with what there is to know of it', async (t) => {
  const { host, place, again } = await start(t);
  const slots = { total: 4, used: 3 };
  host.changeHost('other', { slots, labels: ['gpu', 'zone-a'], door: '127.0.0.1:9000', url: null, state: 'draining' });
  t.equal(await hostsCommand(plain, place), 0);
  t.equal(
    place.stdout.text,
    [
      'host   state     slots used  address                door            labels      version  protocol',
      'fake   up        0 of 1,000  http://127.0.0.1:7070  -               -           0.0.0    1         master',
      'other  draining  3 of 4      -                      127.0.0.1:9000  gpu zone-a  0.0.0    1',
      '',
    ].join('\n'),
  );
  t.equal(place.stderr.text, '');
  const lines = again();
  t.equal(await hostsCommand(json, lines), 0);
  t.match(lines.objects, [
    { host: 'fake', state: 'up' },
    { host: 'other', slots, labels: ['gpu', 'zone-a'] },
  ]);
  host.changeHost('other', { state: 'away', version: null });
  const away = again();
  t.equal(await hostsCommand(plain, away), 0);
  t.match(away.stdout.lines[2], /^other +away +- +- +127\.0\.0\.1:9000 +gpu zone-a +- +-$/);
});

t.test('what keeps hosts apart is told of, and who was refused', async (t) => {
  const { host, place, again } = await start(t);
  host.changeHost('fake', { problem: 'it speaks protocol 1, so it runs no topology with other (protocol 3)' });
  host.changeHost('other', { protocol: 3, problem: 'it has no slots' });
  const about = { code: null, count: 1, atMs: 1_750_000_000_000, by: null };
  host.refused = [
    {
      ...about,
      host: 'fake',
      address: 'http://127.0.0.1:7072',
      code: 'MILLRACE_HOST_NAME_TAKEN',
      reason: 'a\u001b[2Jb',
    },
    { ...about, host: 'far', address: null, reason: 'it is elsewhere', by: 'fake' },
    { ...about, host: null, address: '10.0.0.9', reason: 'it does not know the secret', count: 1200, by: 'fake' },
  ];
  t.equal(await hostsCommand(plain, place), 0);
  t.strictSame(place.stderr.lines.filter(Boolean), [
    'fake: it speaks protocol 1, so it runs no topology with other (protocol 3)',
    'other: it has no slots',
    'refused: fake at http://127.0.0.1:7072: a�[2Jb',
    'refused: far: it is elsewhere (at the door of fake)',
    'refused: somebody at 10.0.0.9: it does not know the secret (1,200 times at the door of fake)',
  ]);
  const lines = again();
  t.equal(await hostsCommand(json, lines), 0);
  t.match(lines.objects, [
    { host: 'fake', problem: /protocol 3/ },
    { host: 'other' },
    { type: 'refused', code: 'MILLRACE_HOST_NAME_TAKEN' },
    { type: 'refused', host: 'far' },
    { type: 'refused', host: null, count: 1200 },
  ]);
  t.equal(lines.stderr.text, '');
});

t.test('the store is away', async (t) => {
  const { host, place, again } = await start(t);
  const away = (): Error => failure('MILLRACE_STORE_UNAVAILABLE', { what: 'children', reason: 'no server answers' });
  host.nextError = away();
  t.equal(await hostsCommand(plain, place), 4);
  t.match(place.stderr.text, /^error MILLRACE_STORE_UNAVAILABLE: .*no server answers/);
  host.nextError = away();
  const drained = again();
  t.equal(await drainCommand('other', false, json, drained), 4);
  t.match(drained.objects, [{ type: 'error', error: { code: 'MILLRACE_STORE_UNAVAILABLE' } }]);
});

t.test('a host is drained, and takes workers again', async (t) => {
  const { host, place, again } = await start(t);
  host.changeHost('other', { slots: { total: 4, used: 2 } });
  t.equal(await drainCommand('other', false, plain, place), 0);
  t.equal(place.stdout.text, '');
  t.equal(place.stderr.text, 'other is draining: 2 workers still there; millrace hosts shows when none is\n');
  const said = async (change: Parameters<FakeHost['changeHost']>[1]): Promise<string> => {
    const drain = host.drain.bind(host);
    host.drain = async () => await Promise.resolve(host.changeHost('other', change));
    const there = again();
    t.equal(await drainCommand('other', true, plain, there), 0);
    host.drain = drain;
    return there.stderr.text;
  };
  const back = 'millrace undrain other lets it have workers again\n';
  t.equal(await said({ state: 'drained' }), `other is drained: nothing runs there; ${back}`);
  t.equal(await said({ state: 'away' }), `other is not there; when it comes it is drained: ${back}`);
  t.equal(await said({ state: 'leaving' }), 'other is on its way out\n');
  t.equal(await said({ state: 'away', drainedSinceMs: null }), 'other is not there; it takes workers when it comes\n');
  const undrained = again();
  t.equal(await undrainCommand('other', plain, undrained), 0);
  t.equal(undrained.stderr.text, 'other takes workers\n');
  const object = again();
  t.equal(await drainCommand('other', false, json, object), 0);
  t.match(object.objects, [{ host: 'other', state: 'draining', drainedSinceMs: 1_750_000_000_000 }]);
  const objectAgain = again();
  t.equal(await undrainCommand('other', json, objectAgain), 0);
  t.match(objectAgain.objects, [{ host: 'other', state: 'up', drainedSinceMs: null }]);
  for (const command of [
    undrainCommand,
    async (name: string, ...rest: [typeof plain, Place]) => await drainCommand(name, true, ...rest),
  ]) {
    const unknown = again();
    t.equal(await command('nobody', plain, unknown), 3);
    t.match(
      unknown.stderr.text,
      /MILLRACE_HOST_UNKNOWN: there is no host "nobody" in the cluster\nhint: .*fake, other/,
    );
  }
});

t.test('--wait stays until nothing runs there, also while the host that is asked is away', async (t) => {
  const { host, place } = await start(t);
  place.stderr.isTTY = true;
  host.changeHost('other', { slots: { total: 4, used: 2 } });
  let looks = 0;
  const hosts = host.hosts.bind(host);
  host.hosts = async () => {
    looks++;
    if (looks === 2 || looks === 3) throw failure('MILLRACE_API_CLOSING', {});
    if (looks === 4) host.changeHost('other', { slots: { total: 4, used: 0 } });
    if (looks === 5) host.changeHost('other', { state: 'drained' });
    return await hosts();
  };
  t.equal(await passUntil(place, drainCommand('other', true, plain, place)), 0);
  t.equal(looks, 5);
  const said = place.stderr.text
    .replaceAll('\r\u001b[K', '\n')
    .split('\n')
    .filter((line) => line !== '');
  t.strictSame(said, [
    'other is draining: 2 workers still there; waiting until none is (Ctrl-C leaves it draining)',
    '2 workers left',
    `the host at ${place.env['MILLRACE_HOST']} is away; waiting for it`,
    '0 workers left',
    '0 workers left',
    'other is drained: nothing runs there; millrace undrain other lets it have workers again',
  ]);
});

t.test('--wait says once what cannot leave', async (t) => {
  const { host, place } = await start(t);
  await host.submit({ document: INGESTING });
  host.changeHost('other', { slots: { total: 4, used: 1 } });
  const [records] = await host.list();
  const stuck = { ...records!, places: [{ host: 'other', slot: 0 }], waiting: 'no room elsewhere' };
  host.list = async () =>
    await Promise.resolve([stuck, { ...stuck, name: 'free', places: [{ host: 'fake', slot: 0 }] }]);
  let looks = 0;
  const hosts = host.hosts.bind(host);
  host.hosts = async () => {
    if (++looks === 4) host.changeHost('other', { state: 'drained' });
    return await hosts();
  };
  t.equal(await passUntil(place, drainCommand('other', true, plain, place)), 0);
  t.strictSame(place.stderr.lines.slice(1, -1), ['records cannot leave yet: no room elsewhere']);
});

t.test('--wait ends when somebody takes it back, when the host stays away, and by Ctrl-C', async (t) => {
  const { host, place, again } = await start(t);
  const hosts = host.hosts.bind(host);
  host.hosts = async () => {
    host.changeHost('other', { state: 'up', drainedSinceMs: null });
    return await hosts();
  };
  t.equal(await passUntil(place, drainCommand('other', true, plain, place)), 1);
  t.match(place.stderr.text, /MILLRACE_DRAIN_TAKEN_BACK: host "other" is drained no more/);
  host.hosts = async () => {
    throw failure('MILLRACE_STORE_UNAVAILABLE', { what: 'children', reason: 'no server answers' });
  };
  const unreachable = again();
  t.equal(await passUntil(unreachable, drainCommand('other', true, plain, unreachable)), 4);
  const interrupted = again();
  host.hosts = async () => {
    interrupted.signal('SIGINT');
    return await hosts();
  };
  t.equal(await passUntil(interrupted, drainCommand('other', true, plain, interrupted)), 130);
  host.hosts = hosts;
  t.match(await host.hosts(), [{}, { state: 'draining' }], 'it stays so');
});

t.test('what a label may be', (t) => {
  t.strictSame(parseLabel('zone-a', parseLabel('gpu')), ['gpu', 'zone-a']);
  for (const text of ['', 'zone a', '-x', 'a=b', 'x'.repeat(129), 'ü']) {
    t.throws(
      () => parseLabel(text),
      { code: 'MILLRACE_CLI_USAGE', message: /--label is ".*", which is no label/ },
      text,
    );
  }
  t.end();
});
