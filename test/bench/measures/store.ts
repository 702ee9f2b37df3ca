// The store on ZooKeeper beside the client that its codec comes from, as that comes: guarded writes (a transaction that
// checks one node and sets another, as a master writes), plain ones, and reads, with so many calls under way. Both talk
// to the same server of an ensemble of three, in turns.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import zookeeper from 'node-zookeeper-client';
import { startEnsemble } from '../../../coordination/ensemble/start.js';
import type { Session } from '../../../coordination/store/contract.js';
import { ZookeeperStore } from '../../../coordination/store/zookeeper/zookeeper-store.js';
import type { Timing } from '../measured.js';
import { spreadOf, type TableReport } from '../report.js';
import type { Table } from '../tables.js';

const CALLS = ['guarded write', 'write', 'read'] as const;
type CallName = (typeof CALLS)[number];

/** Makes one call of that kind, and resolves when it is answered. */
type Side = Readonly<Record<CallName, () => Promise<unknown>>>;

const UNDER_WAY = [1, 100, 1000];
const ROUNDS = 3;
const GUARD = '/bench/guard';
const NODE = '/bench/node';
const data = Buffer.alloc(100, 'x');

export const storeTables: readonly Table[] = [{ label: 'calls', measure: onEnsemble }];

async function onEnsemble(timing: Timing): Promise<TableReport> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const { ensemble } = await startEnsemble({ directory: join(directory, 'ensemble'), servers: 3, tickMs: 500 });
  try {
    return await storeTable(ensemble.connectString.split(',')[0]!, UNDER_WAY, ROUNDS, timing);
  } finally {
    await ensemble.destroy();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Measures on that server, in which nothing is yet. */
export async function storeTable(
  server: string,
  underWay: readonly number[],
  rounds: number,
  { warmUpMs, measureMs }: Timing,
): Promise<TableReport> {
  const session = await new ZookeeperStore({ servers: server }).connect();
  for (const path of ['/bench', GUARD, NODE]) await session.create(path, data);
  // Version 1: what the other client takes version 0 for guards nothing.
  await session.set(GUARD, data, 0);
  const raw = await rawSide(server);
  const sides = [raw, ourSide(session)];
  for (const side of sides) await rateOf(side.read, 100, warmUpMs);
  const rows: (string | number)[][] = [];
  for (const call of CALLS) {
    for (const count of underWay) {
      const rates = sides.map((): number[] => []);
      for (let round = 0; round < rounds; round++) {
        for (const [index, side] of sides.entries()) rates[index]!.push(await rateOf(side[call], count, measureMs));
      }
      const ratios = rates[1]!.map((rate, index) => rate / rates[0]![index]!);
      const [theirs, ours, ratio] = [spreadOf(rates[0]!), spreadOf(rates[1]!), spreadOf(ratios)];
      rows.push([call, count, theirs.median, ours.median, ratio.min, ratio.median, ratio.max]);
    }
  }
  raw.close();
  await session.close();
  const columns = ['', 'under way', 'raw /s', 'store /s', 'ratio min', 'median', 'max'];
  return { kind: 'table', benchmark: 'store', title: 'Calls of the store on ZooKeeper', columns, rows, flags: [] };
}

function ourSide(session: Session): Side {
  return {
    'guarded write': () =>
      session.multi([
        { type: 'check', path: GUARD, version: 1 },
        { type: 'set', path: NODE, data, version: null },
      ]),
    write: () => session.set(NODE, data, null),
    read: () => session.get(NODE),
  };
}

async function rawSide(server: string): Promise<Side & { close(): void }> {
  const client = zookeeper.createClient(server, { retries: 0 });
  const connected = new Promise<void>((resolve) => client.once('connected', resolve));
  client.connect();
  await connected;
  const promised = (call: (callback: (error: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) =>
      call((error) => (error === null || error === undefined ? resolve() : reject(error))),
    );
  return {
    'guarded write': () =>
      promised((callback) => client.transaction().check(GUARD, 1).setData(NODE, data, -1).commit(callback)),
    write: () => promised((callback) => client.setData(NODE, data, -1, callback)),
    read: () => promised((callback) => client.getData(NODE, callback)),
    close: () => client.close(),
  };
}

/** Calls a second with that many under way at any moment. */
async function rateOf(call: () => Promise<unknown>, underWay: number, forMs: number): Promise<number> {
  const startMs = performance.now();
  let calls = 0;
  const one = async (): Promise<void> => {
    while (performance.now() - startMs < forMs) {
      await call();
      calls++;
    }
  };
  await Promise.all(Array.from({ length: underWay }, one));
  return (calls * 1000) / (performance.now() - startMs);
}
