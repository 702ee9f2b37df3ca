// npm run faults -- [zookeeper | cluster | moby-dick] [options]
//
// Brings faults upon real servers and hosts on this machine, and prints what became of it and how long it took; all
// three, one after the other, when none is named.

import { zookeeperFaults } from '../../coordination/store/zookeeper/fault-table.js';
import { clusterTable } from './fault-table.js';
import { mobyDickTable } from './moby-dick-table.js';

const TABLES: Readonly<Record<string, (args: string[]) => Promise<boolean>>> = {
  zookeeper: zookeeperFaults,
  cluster: clusterTable,
  'moby-dick': mobyDickTable,
};

const [name = '', ...args] = process.argv.slice(2);
const named = TABLES[name];
if (name !== '' && named === undefined) {
  console.error(`there are no faults "${name}", only ${Object.keys(TABLES).join(', ')}`);
  process.exitCode = 2;
} else {
  const isRight = named === undefined ? await all() : await named(args);
  process.exitCode = isRight ? 0 : 1;
}

async function all(): Promise<boolean> {
  let isRight = true;
  for (const [each, table] of Object.entries(TABLES)) {
    console.log(`\n${each}\n`);
    isRight = (await table([])) && isRight;
  }
  return isRight;
}
