// A topology over three hosts is replaced, also while the host that leads the one version or the other dies: every line
// is seen, nobody decides anything by halves, and the next replacement is carried out.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { TopologySummary } from '../../../api/client/index.js';
import type { Assignment } from '../../../coordination/topology-records.js';
import { isMillraceError } from '../../../engine/errors.js';
import { runningEnsemble } from '../../coordination/ensemble/running.js';
import { poll } from '../host-command.js';
import { HOSTS } from './book.js';
import { HostCluster } from './hosts.js';
import { Load } from './load.js';

t.setTimeout(400_000);

const LINES = Array.from({ length: 100 }, (_, n) => `line ${n}`);

const ensemble = await runningEnsemble(t);
const directory = t.testdir({});
const text = join(directory, 'text');
writeFileSync(text, LINES.join('\n'));
const cluster = await HostCluster.start(t, ensemble, directory, HOSTS, '/replace');

/** What runs, once no replacement is under way, as hosts tell that may be about to go. */
async function decided(): Promise<TopologySummary> {
  let found: TopologySummary | undefined;
  await poll(async () => {
    try {
      [found] = await cluster.client().list();
    } catch (error) {
      if (!isMillraceError(error)) throw error;
      return false;
    }
    return found?.replacement === null && found.state === 'active';
  });
  return found!;
}

async function replaces(t: Test, load: Load): Promise<string> {
  const begun = await load.replace();
  const { id, replaces, refused } = await decided();
  t.match({ id, replaces, refused }, { id: begun.id, replaces: begun.replaces, refused: null });
  await load.flows();
  return id;
}

async function ends(t: Test, load: Load): Promise<void> {
  const { records, duplicates, twice, ...outcome } = await load.finish();
  t.match(outcome, { state: 'completed', lost: 0, told: [] });
  // Bolts of versions that did not come about have no say.
  t.strictSame(
    twice.filter((name) => name.startsWith('twice.lines')),
    [],
  );
  t.comment(`${duplicates} of ${records} lines came again`);
}

const isComing = ({ next }: Assignment): boolean => next !== undefined;

/** Has another host lead it, and the one that did be the emptiest: there the next version is led. */
async function moveLead(load: Load): Promise<void> {
  const { places } = await load.spread();
  const { host } = places[0]!;
  await cluster.client().drain(host);
  await load.assignment((found) => found.places.length > 0 && found.places.every((place) => place.host !== host));
  await cluster.client().undrain(host);
  await load.flows();
}

const CASES = [
  ['the old version', 'preparing'],
  ['the new version', 'preparing'],
  ['the new version', 'releasing or later'],
] as const;

for (const [whose, when] of CASES) {
  await t.test(`the lead of ${whose} dies when the new one is ${when}`, async (t) => {
    const load = await Load.start(cluster, { text, rate: 250, stops: true });
    await moveLead(load);
    const begun = await load.replace();
    const known = await load.assignment(
      (found) => (isComing(found) && (when === 'preparing' || found.aside === true)) || found.id === begun.id,
    );
    const next = known.next ?? known;
    const lead = (whose === 'the old version' ? known : next).places[0]!.host;
    if (known.next !== undefined) t.not(known.places[0]!.host, next.places[0]!.host, 'they have leads of their own');
    await cluster.killProcess(lead);
    const { id, refused } = await decided();
    await cluster.complete();
    await load.flows();
    t.ok(id === begun.id || (id === begun.replaces && refused?.id === begun.id), 'it is the one or the other');
    t.comment(`${lead} died: ${id === begun.id ? 'replaced' : `refused, ${refused?.error.code}`}`);
    await replaces(t, load);
    await ends(t, load);
  });
}

await t.test('records wait for the next version, wherever that is led, and whoever is asked', async (t) => {
  const records = (version: string): object => ({
    name: 'records',
    version,
    spouts: { in: { type: 'ingest', config: { fields: ['n'] } } },
    bolts: { out: { type: 'log', inputs: [{ from: 'in', grouping: 'shuffle' }] } },
  });
  const clients = cluster.names.map((name) => cluster.host(name).command.client);
  await clients[0]!.submit({ document: records('1') });
  const { places } = await cluster.assignment('records', (found) => found.places.length > 0);
  let [given, refused] = [0, 0];
  const give = async (): Promise<unknown> => {
    const client = clients[given++ % clients.length]!;
    for (const n = given; ;) {
      const error: unknown = await client.ingest('records', 'in', [n]).catch((thrown: unknown) => thrown);
      // Nothing was emitted: it came when its version let go, and the next one is led elsewhere.
      if (!isMillraceError(error) || error.code !== 'MILLRACE_INGEST_INACTIVE') return error;
      refused++;
    }
  };
  t.equal(await give(), undefined);
  let isOver = false;
  const over = (): void => void (isOver = true);
  const replaced = clients[1]!.submit({ document: records('2'), replace: true });
  replaced.then(over, over);
  const waiting: Promise<unknown>[] = [];
  while (!isOver) {
    waiting.push(give());
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { version, places: now } = await replaced;
  t.equal(version, '2');
  t.not(now[0]!.host, places[0]!.host);
  for (let more = 0; more < clients.length; more++) waiting.push(give());
  t.strictSame([...new Set(await Promise.all(waiting))], [undefined]);
  t.comment(`${given} records, ${refused} of them refused and sent again`);
  await clients[0]!.kill('records', { waitMs: 0 });
});
