// Three hosts as processes on a real ensemble, as `millrace host --zookeeper` starts them: asked anywhere, and with
// code of hosts that are gone. What follows when hosts and servers fail is in cluster/faults.test.ts.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Ensemble } from '../../coordination/ensemble/ensemble.js';
import { runningEnsemble } from '../coordination/ensemble/running.js';
import { millrace } from '../api/cli/command.js';
import { blocksOf, pageOf } from '../docs/blocks.js';
import { HostCommand, poll, untilState } from './host-command.js';
import { SHOUT } from './host-topologies.js';

t.setTimeout(150_000);

const NAMES = ['a', 'b', 'c'] as const;

const TICKS = {
  name: 'ticks',
  spouts: { ticks: { type: 'generator', config: { rate: 200, template: { n: { sequence: 1 } } } } },
  bolts: { out: { type: 'log', inputs: [{ from: 'ticks', grouping: 'shuffle' }] } },
};

const ensemble = await runningEnsemble(t);
let clusters = 0;

interface Cluster {
  readonly hosts: Record<string, HostCommand>;
  readonly directory: string;
  /** The name of the host where something runs, as one tells that is none of these. */
  placeOf(...except: readonly string[]): Promise<string>;
  /** A host that is none of these. */
  other(...than: readonly string[]): HostCommand;
}

async function clusterOf(t: Test): Promise<Cluster> {
  const directory = t.testdir({ files: {} });
  const chroot = `/cluster-${clusters++}`;
  const hosts: Record<string, HostCommand> = {};
  await Promise.all(NAMES.map(async (name) => (hosts[name] = await startHost(t, directory, name, chroot, ensemble))));
  const other = (...than: readonly string[]): HostCommand => hosts[NAMES.find((name) => !than.includes(name))!]!;
  const placeOf = async (...except: readonly string[]): Promise<string> => {
    let place: string | undefined;
    await poll(async () => {
      const known = await other(...except).client.hosts();
      place = known.find(({ slots }) => slots.used > 0)?.host;
      return place !== undefined;
    });
    return place!;
  };
  return { hosts, directory, placeOf, other };
}

async function startHost(
  t: Test,
  directory: string,
  name: string,
  chroot: string,
  { connectString }: Ensemble,
): Promise<HostCommand> {
  const own = join(directory, name);
  mkdirSync(own);
  const files = join(directory, 'files');
  const args = ['--name', name, '--data', 'data', '--files', files, '--session-timeout', '2s', '--verbose'];
  return await HostCommand.listening(t, own, ['--zookeeper', `${connectString}${chroot}`, ...args]);
}

t.test('any host takes any request', async (t) => {
  const { hosts, placeOf } = await clusterOf(t);
  const clients = NAMES.map((name) => hosts[name]!.client);
  const known = await clients[1]!.hosts();
  t.strictSame(
    known.map(({ host, url }) => [host, url]),
    NAMES.map((name) => [name, hosts[name]!.url]),
  );
  t.equal(known.filter(({ master }) => master).length, 1, 'one of them decides');
  await clients[0]!.submit({ document: TICKS });
  for (const client of clients) {
    await poll(async () => ((await client.describe('ticks')).components['ticks']?.acked ?? 0) > 0);
    t.ok((await client.metrics('ticks')).components['out'], 'measured, wherever it runs');
  }
  const place = await placeOf();
  const [other] = NAMES.filter((name) => name !== place);
  t.match(await hosts[other!]!.client.deactivate('ticks'), { state: 'inactive' });
  t.match(await hosts[place]!.client.describe('ticks'), { state: 'inactive' });
  await hosts[other!]!.client.kill('ticks', { waitMs: 0 });
  t.match(await untilState(clients[0]!, 'ticks', ['killed']), { state: 'killed' });
  for (const name of NAMES) t.match(await hosts[name]!.stop(), { exitCode: 0 });
});

t.test('code that was submitted to a host that is gone is there all the same', async (t) => {
  const { hosts, directory, placeOf, other } = await clusterOf(t);
  const file = join(directory, 'shout.ts');
  writeFileSync(file, SHOUT);
  const submitted = await millrace(directory, ['submit', file, '--host', hosts['a']!.url]);
  t.equal(submitted.exitCode, 0, submitted.stderr);
  // At once, before anybody knows where it will run.
  for (const name of [...NAMES].reverse()) await hosts[name]!.client.ingest('shout', 'words', { text: `from ${name}` });
  const first = await placeOf();
  await hosts[first]!.says(/FROM C!/);
  await hosts[first]!.killBoth();
  const given = async (): Promise<boolean> => {
    // Until the cluster knows that its host is gone, nobody answers.
    const error: unknown = await other(first)
      .client.ingest('shout', 'words', { text: 'again' })
      .catch((thrown: unknown) => thrown);
    if (error === undefined) return true;
    t.equal((error as { readonly code?: string }).code, 'MILLRACE_HOST_UNREACHABLE');
    return false;
  };
  await poll(given);
  const second = await placeOf(first);
  t.not(second, first);
  await hosts[second]!.says(/AGAIN!/);
});

t.test('whoever is refused shows in the list of hosts', async (t) => {
  const directory = t.testdir({
    ours: 'the secret of this cluster',
    theirs: 'the secret of another cluster',
    'words.ts': SHOUT,
  });
  const args = (name: string, secret: string): string[] => [
    ...['--zookeeper', `${ensemble.connectString}/refused`, '--name', name],
    ...['--secret-file', join(directory, secret), '--session-timeout', '2s', '--verbose'],
  ];
  const start = async (own: string, ...given: Parameters<typeof args>): Promise<HostCommand> => {
    const at = join(directory, own);
    mkdirSync(at);
    return await HostCommand.listening(t, at, args(...given));
  };
  const a = await start('a', 'a', 'ours');
  const twinAt = join(directory, 'twin');
  mkdirSync(twinAt);
  const twin = new HostCommand(t, twinAt, ['--listen', '127.0.0.1:0', ...args('a', 'ours')]);
  const refusals = async (): Promise<Awaited<ReturnType<typeof a.client.refusals>>> => await a.client.refusals();
  await poll(async () => (await refusals()).length > 0);
  t.match(await refusals(), [{ host: 'a', code: 'MILLRACE_HOST_NAME_TAKEN', address: /^http:/, by: null }]);
  await twin.killBoth();
  t.equal((await refusals()).length, 1, 'also when it is gone');
  // It asks the others to keep the code that it is given.
  const b = await start('b', 'b', 'theirs');
  const submitted = await millrace(directory, ['submit', join(directory, 'words.ts'), '--host', b.url]);
  t.equal(submitted.exitCode, 0, submitted.stderr);
  await poll(async () => (await refusals()).some(({ by }) => by === 'a'));
  t.match(
    (await refusals()).find(({ by }) => by === 'a'),
    { host: null, address: '127.0.0.1', reason: /secret/ },
  );
  const { stdout, stderr } = await millrace(directory, ['hosts', '--host', a.url]);
  t.match(stdout, /^a .*\nb /m);
  t.match(stderr, /^refused: a at http:\/\/[\d.:]+: another host of the cluster is called "a"/m);
  t.match(stderr, /^refused: somebody at 127\.0\.0\.1: .*secret of this cluster.*at the door of a\)$/m);
});

t.test('the commands of docs/cluster.md', async (t) => {
  const block = blocksOf(pageOf('docs/cluster.md'), 'sh').find((code) => code.includes('zookeeper start'));
  const directory = t.testdir({});
  const servers = `${ensemble.connectString}/page`;
  const commands = block!
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').slice(2));
  t.strictSame(
    commands.map(([name]) => name),
    ['zookeeper', 'host', 'host', 'hosts'],
  );
  const urls: string[] = [];
  for (const [, ...flags] of commands.slice(1, 3)) {
    const own = flags.map((flag) => (flag.startsWith('zk1:') ? servers : flag.replace(/^127.*/, '127.0.0.1:0')));
    urls.push((await HostCommand.listening(t, directory, own)).url);
  }
  const { stdout } = await millrace(directory, [...commands[3]!, '--host', urls[1]!]);
  t.match(stdout, /^host +state +slots used +address +door +labels +version +protocol\n/);
  t.match(stdout, new RegExp(`one .* ${urls[0]!} .* master\n`));
  t.match(stdout, new RegExp(`two .* ${urls[1]!}`));
});
