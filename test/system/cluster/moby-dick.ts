// Has three hosts read a book together, fed at a rate, while one host after the other is killed, the master's and those
// of the spouts among them: for the tests, and for `npm run faults -- moby-dick`.

import { poll } from '../host-command.js';
import type { HostCluster } from './hosts.js';
import { Load, type Processed } from './load.js';

/** A host process that was killed. */
export interface Death {
  readonly host: string;
  readonly wasMaster: boolean;
  readonly wasLead: boolean;
  /** How many hosts it ran on. */
  readonly hosts: number;
  /** Tasks of the spout that ran there. */
  readonly spouts: number;
  /** From its death to the first line that was delivered again. */
  readonly redeliveredMs: number;
}

export interface Reading extends Processed {
  readonly deaths: readonly Death[];
}

export interface ReadingOptions {
  /** The file. */
  readonly text: string;
  /** Lines a second. */
  readonly rate: number;
  /** How many lines it has. */
  readonly lines: number;
  /** Resolves when the next host is to be killed, unless all is over by then; given how many lines were seen. */
  readonly next: (seen: () => number) => Promise<void>;
}

export async function readTogether(cluster: HostCluster, options: ReadingOptions): Promise<Reading> {
  const { text, rate, lines, next } = options;
  const load = await Load.start(cluster, { text, rate: rate / 2, stops: false, spreads: true });
  await load.spread();
  const deaths: Death[] = [];
  for (let turn = 0; ; turn++) {
    await next(() => load.seen);
    // Nothing has to be delivered again of who dies behind the last line.
    if (load.seen >= lines - rate) break;
    deaths.push(await kill(cluster, load, cluster.names[turn % cluster.names.length]!));
  }
  return { ...(await load.finish()), deaths };
}

async function kill(cluster: HostCluster, load: Load, name: string): Promise<Death> {
  const { command } = cluster.host(name);
  // It may be starting again.
  await poll(() => command.childPid !== null);
  const pid = command.childPid!;
  const { places } = await load.assignment();
  const master = await cluster.master();
  const spouts = load.tasks('lines').filter((task) => task.pid === pid).length;
  const atMs = await cluster.killProcess(name);
  return {
    host: name,
    wasMaster: master.host === name,
    wasLead: places[0]!.host === name,
    hosts: new Set(places.map((place) => place.host)).size,
    spouts,
    redeliveredMs: (await load.redelivered(atMs)) - atMs,
  };
}
