// What a host tells of topologies when something is missing, over a cluster whose runs do what the test says.

import t from 'tap';
import type { Artifacts } from '../../../coordination/artifacts/artifacts.js';
import type { EngineRunner } from '../../../api/host/engine-runner.js';
import type { LiveTopology } from '../../../coordination/topologies.js';
import { replacementOf } from '../../../api/host/replacement.js';
import { LocalService } from '../../../api/host/local-service.js';
import { Strangers } from '../../../api/host/strangers.js';
import type { Submissions } from '../../../api/host/submissions.js';
import { silentLogger } from '../../../engine/log.js';
import { KILL_WAIT_DEFAULT_MS } from '../../../engine/limits.js';
import { Cluster, described, settle, topology, type Member } from '../../coordination/cluster.js';

function serviceOf({ host }: Member): LocalService {
  return new LocalService({
    name: 'a',
    cluster: host,
    runner: { doneOf: () => null, metricsOf: () => null, planOf: () => null } as unknown as EngineRunner,
    artifacts: {} as Artifacts,
    submissions: {} as Submissions,
    peers: null,
    strangers: new Strangers(silentLogger, () => 0),
    wallMs: () => 0,
  });
}

void t.test('a topology whose definition is gone is named', async (t) => {
  const cluster = await Cluster.open();
  const member = await cluster.host('a', 1);
  const { id } = await member.host.topologies.submit(topology('words', { active: false }));
  await settle();
  const session = await cluster.store.connect();
  await session.delete(`/payloads/${id}/0`, null);
  const error = { code: 'MILLRACE_STORE_CONTENT', message: new RegExp(`/payloads/${id}`) };
  await t.rejects(serviceOf(member).describe('words'), error);
  await member.host.close();
});

void t.test('nothing is measured of what does not run here', async (t) => {
  const cluster = await Cluster.open();
  const member = await cluster.host('a', 1);
  await member.host.topologies.submit(topology('words', { active: false }));
  await settle();
  const service = serviceOf(member);
  await t.rejects(service.metrics('words'), { code: 'MILLRACE_METRICS_NONE', message: /"words" is inactive/ });
  await t.rejects(service.metrics('other'), { code: 'MILLRACE_TOPOLOGY_UNKNOWN' });
  t.match(await service.measured(), {
    host: 'a',
    slots: { total: 1 },
    topologies: [{ name: 'words', state: 'inactive', metrics: null }],
  });
  await member.host.close();
});

void t.test('without timeouts of messages, a kill still gives bolts some time', async (t) => {
  const cluster = await Cluster.open();
  const member = await cluster.host('a', 1);
  const { config, ...rest } = described('words');
  const description = { ...rest, config: { ...config, messageTimeoutMs: null } };
  await member.host.topologies.submit(topology('words', { description }));
  await settle();
  await serviceOf(member).kill('words', {});
  await settle();
  t.strictSame(member.runner.run('words').told, [`kill ${KILL_WAIT_DEFAULT_MS}`]);
  await member.host.close();
});

void t.test('where it runs and what it waits for is told to whoever asks', async (t) => {
  const cluster = await Cluster.open();
  const member = await cluster.host('a', 2);
  await member.host.topologies.submit(topology('words'));
  await member.host.topologies.submit(topology('large', { workers: 3 }));
  await settle();
  const service = serviceOf(member);
  t.match(await service.describe('words'), { state: 'active', places: [{ host: 'a', slot: 0 }], waiting: null });
  const waiting = /3 workers; 3 slots asked for, 1 free \(a 1 of 2\)$/;
  t.match(await service.describe('large'), { state: 'waiting', places: [], waiting });
  t.match(await service.list(), [
    { name: 'large', waiting },
    { name: 'words', places: [{ host: 'a' }], waiting: null },
  ]);
  await member.host.close();
});

void t.test('how far a replacement is, and why the last one was refused', async (t) => {
  const cluster = await Cluster.open();
  const member = await cluster.host('a', 3);
  const { topologies, replacements } = member.host;
  const version = (text: string, workers = 1) =>
    topology('words', { description: { ...described('words'), version: text }, workers });
  const { id: oldId } = await topologies.submit(version('1'));
  await settle();
  const service = serviceOf(member);
  const shown = async () => (await service.list())[0]!;
  t.match(await shown(), { id: oldId, version: '1', replaces: null, replacement: null, refused: null });
  const large = await replacements.submit(version('2', 3));
  await settle();
  const refused = { id: large, error: { code: 'MILLRACE_REPLACE_ROOM', stack: null } };
  t.match(await shown(), { id: oldId, replacement: null, refused });
  const id = await replacements.submit(version('3', 2));
  await settle();
  const { wish } = (await topologies.get('words')) as LiveTopology;
  const placing = { id, version: '3', submittedAtMs: 5, workers: 2, tasks: 1, places: [], stage: 'placing' };
  t.strictSame(replacementOf({ wish, assignment: null }), placing, 'before the master has placed it');
  const places = [1, 2].map((slot) => ({ host: 'a', slot }));
  t.match(await shown(), { id: oldId, refused: null, replacement: { id, stage: 'preparing', places } });
  const [old, next] = member.runner.runs;
  next!.listener.stage('standby');
  await settle();
  t.match(await shown(), { replacement: { stage: 'releasing' } });
  old!.listener.stage('aside');
  await settle();
  t.match(await shown(), { replacement: { stage: 'opening' } });
  old!.holds = true;
  next!.listener.stage('open');
  await settle();
  const draining = await service.describe('words');
  t.match(draining, { id: oldId, state: 'active', replacement: { stage: 'draining' } });
  old!.end({ status: 'killed', error: null, final: null });
  await settle();
  t.match(await shown(), { id, version: '3', replaces: oldId, replacement: null, refused: null, workers: 2 });
  await member.host.close();
});
