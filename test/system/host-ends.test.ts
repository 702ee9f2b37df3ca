// How `millrace host` ends, and what outlives its two processes: signals to one of them or both, the death of the
// parent, and that of the host process.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { millrace } from '../api/cli/command.js';
import { identity, stranger } from '../engine/link/tcp/certificates.js';
import { HostCommand, isAlive, poll, untilState } from './host-command.js';
import { SHOUT, STUCK, TICKS } from './host-topologies.js';

t.setTimeout(120_000);

t.test('SIGTERM ends it with 0, Ctrl-C with 130, and nothing is left', async (t) => {
  for (const [signal, exitCode] of [
    ['SIGTERM', 0],
    ['SIGINT', 130],
  ] as const) {
    const directory = t.testdir({});
    const host = await HostCommand.listening(t, directory);
    await host.says(/nothing is kept when this command ends/);
    await host.client.submit({ document: { ...TICKS, config: { workers: 2 } } });
    await host.says(/^\{"n":1\}$/m);
    const child = host.childPid!;
    if (signal === 'SIGINT') host.signalGroup(signal);
    else host.signal(signal);
    t.match(await host.exited, { exitCode }, signal);
    await host.gone;
    // A process closes what it has open some time before it is dead.
    await poll(() => !isAlive(child));
    t.strictSame(host.leftovers, [], 'and its temporary files');
  }
});

t.test('a certificate that no other host would take ends the start, before the cluster is asked', async (t) => {
  const directory = t.testdir({ key: identity.key, cert: identity.cert, ca: identity.ca, other: stranger.ca });
  const tls = ['--tls-key', 'key', '--tls-cert', 'cert', '--tls-ca', 'other'];
  // Nobody is there.
  const { exitCode, stdout, stderr } = await millrace(directory, ['host', '--zookeeper', '127.0.0.1:1', ...tls]);
  t.equal(exitCode, 1);
  t.equal(stdout, '');
  t.match(
    stderr,
    /^error MILLRACE_HOST_CERTIFICATE: the certificate "CN=host" .* no authority .* has signed it\nhint: /,
  );
});

t.test('a second signal does not wait', async (t) => {
  const directory = t.testdir({ 'stuck.ts': STUCK });
  const host = await HostCommand.listening(t, directory, ['--data', 'data']);
  await millrace(directory, ['submit', 'stuck.ts', '--host', host.url]);
  await host.client.ingest('stuck', 'words', ['x']);
  host.signalGroup('SIGINT');
  await host.says(/closing the host/);
  host.signalGroup('SIGINT');
  t.match(await host.exited, { exitCode: 130 });
  await host.gone;
  const next = await HostCommand.listening(t, directory, ['--data', 'data']);
  t.match(await next.client.describe('stuck'), { state: /^(active|waiting)$/ }, 'what was wished stands');
  await next.client.ingest('stuck', 'words', ['y']);
});

t.test('the parent dies: its host process ends, and nothing is left', async (t) => {
  const directory = t.testdir({});
  const host = await HostCommand.listening(t, directory);
  await host.client.submit({ document: TICKS });
  await host.says(/^\{"n":1\}$/m);
  const child = host.childPid!;
  host.signal('SIGKILL');
  t.match(await host.exited, { signal: 'SIGKILL' });
  await host.gone;
  await poll(() => !isAlive(child));
  t.strictSame(host.leftovers, []);
});

t.test('the host process dies: it comes back on its port, with all that was wished', async (t) => {
  const directory = t.testdir({ 'shout.ts': SHOUT, files: { 'lines.txt': 'a\nb\n' } });
  const host = await HostCommand.listening(t, directory, ['--files', 'files', '--json']);
  const { client, port } = host;
  await client.submit({
    document: {
      name: 'short',
      spouts: { lines: { type: 'file-lines', config: { path: 'lines.txt' } } },
      bolts: { out: { type: 'log', inputs: [{ from: 'lines', grouping: 'shuffle' }] } },
    },
  });
  await untilState(client, 'short', ['completed']);
  t.match(await millrace(directory, ['submit', 'shout.ts', '--host', host.url]), { exitCode: 0 });
  await client.ingest('shout', 'words', ['before']);
  await client.submit({ document: { ...TICKS, name: 'asleep' }, active: false });
  for (let time = 1; time <= 2; time++) {
    const dead = await host.killChild();
    await host.says(/the host is back at/, time);
    t.not(host.childPid, dead);
    t.equal(host.port, port);
    t.match(await client.describe('short'), { state: 'completed', components: { lines: { acked: 2 } } });
    t.match(await client.describe('asleep'), { state: 'inactive' });
    // From its artifact, when it has started again.
    await poll(async () => (await client.describe('shout')).components['words'] !== undefined);
    await poll(() => client.ingest('shout', 'words', [`after ${time}`]).then(() => true, isNotThereYet));
    await host.says(new RegExp(`AFTER ${time}!`));
  }
  t.match(await client.activate('asleep'), { state: /^(active|waiting)$/ });
  await host.says(/"\{\\"n\\":1\}"/);
  t.match(await host.stop(), { exitCode: 0 });
  t.match(host.stderr, /warning: the host process ended with SIGKILL; starting it again in 100 ms/);
  t.notOk(existsSync(join(directory, 'data')));
  t.strictSame(host.leftovers, []);
});

function isNotThereYet(error: unknown): boolean {
  const { code } = error as { readonly code?: string };
  if (code === 'MILLRACE_INGEST_INACTIVE') return false;
  throw error;
}
