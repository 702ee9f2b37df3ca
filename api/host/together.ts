// Runs topologies together with other hosts of the cluster: leads those whose first worker is here, with a pool whose
// places the master decides, and takes part in those that others lead. Hosts find each other by what they registered in
// the store. Main thread.
//
//   lead: its door ◄──── joins ──── member: looks for the lead, serves it, looks again … until its part ends

import type { JoinOrder, Membership, RunOrder } from '../../coordination/host/runner.js';
import { memberOf } from '../../coordination/paths.js';
import { pause } from '../../coordination/store/signals.js';
import { hasCode } from '../../coordination/store/store-errors.js';
import type { HostRecord, WorkerPlace } from '../../coordination/topology-records.js';
import type { Clock } from '../../engine/clock.js';
import { failure, reasonOf } from '../../engine/errors.js';
import { HOST_AWAY_MS, HOST_COMING_MS, MEMBER_RETRY_MAX_MS, MEMBER_RETRY_MIN_MS } from '../../engine/limits.js';
import type { TcpAddress } from '../../engine/link/tcp/tcp-wire.js';
import type { Logger } from '../../engine/log.js';
import type { TopologySource } from '../../engine/worker/module.js';
import type { Door } from '../../engine/worker/remote/door.js';
import { Member } from '../../engine/worker/remote/member.js';
import { ProcessPool } from '../../engine/worker/remote/process-pool.js';
import type { SpareThreads } from '../../engine/worker/spare-threads.js';
import type { Reach } from '../../engine/worker/remote/reach.js';
import { AwayHosts } from './away-hosts.js';

/** What a lead says that has not heard of the assignment yet, or not of the end of who was there before. */
const NOT_YET = ['MILLRACE_MEMBER_RUN', 'MILLRACE_MEMBER_UNKNOWN', 'MILLRACE_MEMBER_TAKEN'] as const;

export interface TogetherOptions {
  /** This life of the host, as `host~boot`. */
  readonly member: () => string;
  readonly door: Door;
  readonly reach: Reach;
  /** What a host registered; null when it is gone. */
  readonly hostAt: (place: WorkerPlace) => Promise<HostRecord | null>;
}

/** What all that runs on a host shares. */
export interface Surroundings {
  readonly slots: number;
  /** Threads that stand by. */
  readonly spares: SpareThreads | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface LeadSurroundings extends Surroundings {
  /** Told which hosts cannot be reached, as `host~boot`. */
  readonly away: (hosts: readonly string[]) => void;
}

export interface MemberSurroundings extends Surroundings {
  readonly source: () => Promise<TopologySource>;
  readonly filesRoot: string | null;
}

/** The workers of a topology that is led here. */
export interface Led {
  readonly pool: ProcessPool;
  /** Says where they are from now on, and gives those that are to move. */
  place(places: readonly WorkerPlace[]): readonly number[];
}

/** Who serves the lead at present. */
interface Serving {
  member: Member | null;
}

export class Together {
  private readonly options: TogetherOptions;

  constructor(options: TogetherOptions) {
    this.options = options;
  }

  /** A pool for a topology that this host leads. */
  lead(order: RunOrder, { slots, spares, clock, logger, away }: LeadSurroundings): Led {
    const { member, door, reach } = this.options;
    const hosts = new AwayHosts(clock, away);
    const pool = new ProcessPool({
      ...{
        lead: member(),
        places: order.places.map(nameOf),
        workersMax: null,
        members: null,
        slots,
        spares,
        door,
        reach,
      },
      ...{ run: runOf(order), config: order.description.config, hash: order.id, clock },
      ...{ awayMs: HOST_AWAY_MS, comingMs: HOST_COMING_MS },
      say: (line) => logger.debug(`${order.name}: ${line}`),
      onAway: (host, isAway) => hosts.set(host, isAway),
      onDestroyed: () => hosts.close(),
    });
    return { pool, place: (places) => pool.place(places.map(nameOf)) };
  }

  /** Takes part in a topology that another host leads, until it is ended. */
  join(order: JoinOrder, surroundings: MemberSurroundings): Membership {
    const ending = new AbortController();
    const serving: Serving = { member: null };
    const over = this.serve(order, surroundings, ending.signal, serving);
    return {
      get workers() {
        return serving.member?.workers ?? 0;
      },
      end: async () => {
        await serving.member?.stopWorkers();
        ending.abort(failure('MILLRACE_HOST_PART_ENDED', { topology: order.name }));
        await over;
      },
    };
  }

  /** Never rejects; resolves when it is ended and its workers are gone. */
  private async serve(
    order: JoinOrder,
    surroundings: MemberSurroundings,
    signal: AbortSignal,
    serving: Serving,
  ): Promise<void> {
    const { clock, logger } = surroundings;
    let told = '';
    for (let waitMs = MEMBER_RETRY_MIN_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, MEMBER_RETRY_MAX_MS)) {
      try {
        await this.serveOnce(order, surroundings, signal, serving, () => (waitMs = MEMBER_RETRY_MIN_MS));
      } catch (error) {
        const isUsual = signal.aborted || hasCode(error, ...NOT_YET);
        const line = `${order.name}: host "${order.lead.host}" is joined later: ${reasonOf(error)}`;
        if (isUsual || line === told) logger.debug(line);
        else logger.warn(line);
        told = line;
      }
      await pause(clock, waitMs, signal);
    }
  }

  private async serveOnce(
    order: JoinOrder,
    { slots, spares, clock, logger, source, filesRoot }: MemberSurroundings,
    signal: AbortSignal,
    serving: Serving,
    joined: () => void,
  ): Promise<void> {
    const { member, reach, hostAt } = this.options;
    const { name, id, lead } = order;
    const record = await hostAt(lead);
    const address = readDoor(record?.door);
    if (address === null) throw failure('MILLRACE_HOST_UNREACHED', { host: lead.host, topology: name });
    const say = (line: string): void => {
      joined();
      logger.debug(`${name}: ${line}`);
    };
    serving.member = new Member({
      ...{
        name: member(),
        slots,
        spares,
        lead: address,
        run: runOf(order),
        reach,
        hash: id,
        filesRoot,
        clock,
        say,
        signal,
      },
      source: await source(),
    });
    await serving.member.serve();
  }
}

/** What members call a run at the door of its lead: that of another revision is another one. */
function runOf({ id, revision }: { readonly id: string; readonly revision: number }): string {
  return `${id} ${revision}`;
}

function nameOf({ host, boot }: WorkerPlace): string {
  return memberOf(host, boot);
}

/** The address of a door as a host registers it; null for what cannot be read, as of a host that has none. */
export function readDoor(door: string | undefined): TcpAddress | null {
  const [, host, port] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(door ?? '') ?? [];
  return host === undefined ? null : { host, port: Number(port) };
}
