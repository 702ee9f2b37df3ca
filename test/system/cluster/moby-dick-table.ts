// npm run faults -- moby-dick [--rate n] [--every seconds]
//
// Every line of Moby-Dick, fed at a rate, goes through a topology on three hosts, one of which is killed every ten
// seconds in turn. Prints each death, and whether every line number has reached the sink.

import { parseArgs } from 'node:util';
import { BOOK, bookLines, startCluster } from './book.js';
import { Endings } from './endings.js';
import { readTogether, type Death } from './moby-dick.js';

/** Prints what happens; gives whether all came out right. */
export async function mobyDickTable(args: string[]): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: { rate: { type: 'string', default: '250' }, every: { type: 'string', default: '10' } },
  });
  const [rate, everyMs] = [Number(values.rate), Number(values.every) * 1000];
  const lines = bookLines().length;
  return await Endings.around(async (endings) => {
    const cluster = await startCluster(endings);
    console.log(`${lines} lines at ${rate} a second; a host process dies every ${values.every} s\n`);
    const { records, lost, duplicates, twice, state, deaths } = await readTogether(cluster, {
      text: BOOK,
      rate,
      lines,
      next: () => new Promise((resolve) => setTimeout(resolve, everyMs)),
    });
    console.log('host  first delivered again, ms');
    for (const death of deaths) console.log(line(death));
    console.log(`\nthe topology is ${state}: ${records} line numbers, ${lost} lost, ${duplicates} seen again`);
    for (const task of twice) console.log(`WRONG: ${task}: a task ran twice in one incarnation`);
    return lost === 0 && twice.length === 0 && state === 'completed' && records === lines;
  });
}

function line({ host, wasMaster, wasLead, hosts, spouts, redeliveredMs }: Death): string {
  const parts = [
    ...(wasMaster ? ['master'] : []),
    ...(wasLead ? ['lead'] : []),
    ...(spouts > 0 ? [`${spouts} of 2 spout tasks`] : []),
  ];
  return `${host.padEnd(5)} ${String(Math.round(redeliveredMs)).padEnd(6)} on ${hosts} hosts${parts.map((part) => `, ${part}`).join('')}`;
}
