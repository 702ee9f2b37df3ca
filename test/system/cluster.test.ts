// Three hosts as processes on a real ensemble, as `millrace host --zookeeper` starts them: asked anywhere, killed one
// after the other, without ZooKeeper for a while, and stopped for longer than their session.

import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isPiece } from '../../coordination/checkpoints.js';
import type { Ensemble } from '../../coordination/ensemble/ensemble.js';
import { startEnsemble } from '../../coordination/ensemble/start.js';
import { CHECKPOINTS, checkpointsPath } from '../../coordination/paths.js';
import type { Session } from '../../coordination/store/contract.js';
import { fromNode } from '../../coordination/store/json-node.js';
import { ZookeeperStore } from '../../coordination/store/zookeeper/zookeeper-store.js';
import { unpack } from '../../engine/codec/pack.js';
import { runningEnsemble } from '../coordination/ensemble/running.js';
import { millrace } from '../api/cli/command.js';
import { codeOf } from '../api/host/hosts.js';
import { blocksOf, pageOf } from '../docs/blocks.js';
import { HostCommand, poll, untilState } from './host-command.js';
import { SHOUT } from './host-topologies.js';

t.setTimeout(150_000);

const NAMES = ['a', 'b', 'c'] as const;
const LINES = 4000;

const TICKS = {
  name: 'ticks',
  spouts: { ticks: { type: 'generator', config: { rate: 200, template: { n: { sequence: 1 } } } } },
  bolts: { out: { type: 'log', inputs: [{ from: 'ticks', grouping: 'shuffle' }] } },
};

const COPY = {
  name: 'copy',
  spouts: { lines: { type: 'file-lines', config: { path: 'in.txt', follow: true } } },
  bolts: {
    out: { type: 'file-sink', config: { path: 'out.jsonl' }, inputs: [{ from: 'lines', grouping: 'global' }] },
  },
};

const ensemble = await runningEnsemble(t);
let clusters = 0;

interface Cluster {
  readonly hosts: Record<string, HostCommand>;
  readonly directory: string;
  /** A session with its store. */
  session(): Promise<Session>;
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
  const store = new ZookeeperStore({ servers: `${ensemble.connectString}${chroot}` });
  const session = async (): Promise<Session> => {
    const opened = await store.connect();
    t.teardown(() => opened.close());
    return opened;
  };
  return { hosts, directory, session, placeOf, other };
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

/** Where in the input the only spout would go on, once there is such a place. */
async function keptOffset(session: Session): Promise<number> {
  let offset = 0;
  await poll(async () => {
    await session.sync(CHECKPOINTS);
    const [id] = await session.children(CHECKPOINTS);
    if (id === undefined) return false;
    const path = checkpointsPath(id);
    for (const piece of await session.children(path)) {
      const entries = fromNode(await session.get(`${path}/${piece}`), isPiece);
      for (const [, , progress] of entries) {
        // Beside that of the file there is one that says that the spout has begun.
        const kept = unpack(Buffer.from(progress, 'base64')) as { readonly offset?: number };
        offset = Math.max(offset, kept.offset ?? 0);
      }
    }
    return offset > 0;
  });
  return offset;
}

t.test('hosts die, and what they ran goes on elsewhere from where it was', async (t) => {
  const { hosts, directory, session, placeOf, other } = await clusterOf(t);
  const [input, output] = ['in.txt', 'out.jsonl'].map((name) => join(directory, 'files', name)) as [string, string];
  const linesFrom = (begin: number): string =>
    Array.from({ length: LINES / 2 }, (_, number) => `line ${begin + number}\n`).join('');
  const copied = (): ReadonlyMap<string, number> => {
    const counts = new Map<string, number>();
    // What stands behind the last line end was torn by a kill, or is being written.
    for (const line of readFileSync(output, 'utf8').split('\n').slice(0, -1)) {
      const { line: text } = JSON.parse(line) as { readonly line: string };
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    return counts;
  };
  writeFileSync(input, linesFrom(0));
  await hosts['a']!.client.submit({ document: COPY });
  const first = await placeOf();
  const kept =
    linesFrom(0)
      .slice(0, await keptOffset(await session()))
      .split('\n').length - 1;
  await hosts[first]!.killChild();
  appendFileSync(input, linesFrom(LINES / 2));
  await poll(() => copied().has(`line ${LINES / 2}`));
  const second = await placeOf(first);
  await hosts[second]!.killBoth();
  await poll(() => copied().size === LINES);
  const counts = copied();
  const twice = [...counts.values()].reduce((sum, count) => sum + count - 1, 0);
  t.comment(`host processes of ${first} and ${second} were killed; ${twice} of ${LINES} lines came again`);
  const again = Array.from({ length: kept }, (_, number) => counts.get(`line ${number}`)).filter((each) => each !== 1);
  t.strictSame(again, [], `none of the ${kept} that were kept as done came again`);
  await other(first, second).client.kill('copy', { waitMs: 0 });
  await untilState(other(first, second).client, 'copy', ['killed']);
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
  t.match(stdout, new RegExp(`one .* ${urls[0]!} +master\n`));
  t.match(stdout, new RegExp(`two .* ${urls[1]!}`));
});

t.test('without ZooKeeper for a while everything goes on', async (t) => {
  const { hosts, placeOf } = await clusterOf(t);
  await hosts['a']!.client.submit({ document: TICKS });
  const place = hosts[await placeOf()]!;
  await place.says(/"n":20\b/);
  for (const { id } of ensemble.servers) await ensemble.kill(id);
  const before = place.stdout.length;
  await poll(() => place.stdout.length > before + 20_000);
  t.pass('its tuples go on');
  await startEnsemble({ directory: ensemble.directory });
  // Until the host is connected again, it says that it cannot ask the store.
  const answers = async (): Promise<boolean> => {
    const code = await codeOf(place.client.describe('ticks'));
    if (code !== 'none') t.equal(code, 'MILLRACE_STORE_UNAVAILABLE');
    return code === 'none';
  };
  await poll(answers);
  t.match(await place.client.list(), [{ name: 'ticks', state: 'active' }]);
  t.notMatch(place.stderr, /started again/);
  await place.client.kill('ticks', { waitMs: 0 });
  await untilState(place.client, 'ticks', ['killed']);
});

t.test('a host that was stopped for longer than its session gives up what was moved', async (t) => {
  const { hosts, placeOf } = await clusterOf(t);
  await hosts['a']!.client.submit({ document: TICKS });
  const name = await placeOf();
  const stopped = hosts[name]!;
  await stopped.says(/"n":20\b/);
  const pid = stopped.childPid!;
  process.kill(pid, 'SIGSTOP');
  const [other] = NAMES.filter((each) => each !== name);
  await poll(async () => {
    const known = await hosts[other!]!.client.hosts();
    return known.some(({ host, slots }) => host !== name && slots.used === 1);
  });
  process.kill(pid, 'SIGCONT');
  await poll(async () => (await hosts[other!]!.client.hosts()).length === NAMES.length);
  await poll(async () => (await stopped.client.health()).slots.used === 0);
  const printed = stopped.stdout.length;
  t.match(await stopped.client.describe('ticks'), { state: 'active' }, 'it is asked where it runs now');
  await poll(async () => ((await stopped.client.describe('ticks')).components['ticks']?.acked ?? 0) > 50);
  t.equal(stopped.stdout.length, printed, 'it does nothing of it any more');
  for (const host of Object.values(hosts)) t.match(await host.stop(), { exitCode: 0 });
});
