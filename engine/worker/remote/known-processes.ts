// A lead and members that are written down beforehand (`millrace run --processes`): which process has how many workers
// is fixed, and a door of its own lets those members in. On the main thread of the lead.
//
//   workers 0 … of the lead │ … of the first member │ … of the second …

import type { Clock } from '../../clock.js';
import type { TopologyConfig } from '../../model/definition.js';
import { Door } from './door.js';
import { ProcessPool } from './process-pool.js';

/** A process and its part of the workers. */
export interface ProcessPart {
  readonly name: string;
  /** The address of its machine, on which it and its workers listen. */
  readonly host: string;
  readonly workers: number;
}

export interface KnownProcesses {
  readonly lead: ProcessPart;
  /** Where the lead listens for its members; 0 is a free port. */
  readonly port: number;
  readonly members: readonly ProcessPart[];
  /** What the topology says about memory. */
  readonly config: TopologyConfig;
  /** What all of them know. */
  readonly secret: string;
  /** The SHA-256 of the topology file. */
  readonly hash: string;
  readonly clock: Clock;
  /** Tells the user whom is waited for. */
  readonly say: (line: string) => void;
}

/** What members call the only run behind such a door. */
export const ONLY_RUN = 'run';

/** The pool of such processes. */
export interface KnownPool {
  readonly pool: ProcessPool;
  /** Of all processes together. */
  readonly workers: number;
  /** Where members find the lead. */
  readonly port: number;
}

/**
 * Listens for those members.
 *
 * @throws MILLRACE_PROCESSES_LISTEN
 */
export async function leadProcesses(options: KnownProcesses): Promise<KnownPool> {
  const { lead, port, members, config, secret, hash, clock, say } = options;
  const reach = { host: lead.host, ports: null, secret, tls: null };
  const door = new Door({ ...reach, ports: port === 0 ? null : [port, port], clock });
  const bound = await door.listen();
  const places = [lead, ...members].flatMap(({ name, workers }) => new Array<string>(workers).fill(name));
  const pool = new ProcessPool({
    ...{ lead: lead.name, places, workersMax: places.length, members: members.map(({ name }) => name) },
    ...{ slots: lead.workers, door, run: ONLY_RUN, reach, config, hash, clock, say },
    onDestroyed: () => door.close(),
  });
  return { pool, workers: places.length, port: bound.port };
}
