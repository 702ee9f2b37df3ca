// What a host needs of the other hosts of its cluster, asked in by their doors: which of them leads a topology, and
// user code that it lacks. Code is named by its hash and checked on arrival, so it does not matter whom it comes from.
// Main thread.

import { createReadStream } from 'node:fs';
import type { Artifacts } from '../../coordination/artifacts/artifacts.js';
import type { ClusterHost } from '../../coordination/host/cluster-host.js';
import { memberOf } from '../../coordination/paths.js';
import { pause } from '../../coordination/store/signals.js';
import { hasCode } from '../../coordination/store/store-errors.js';
import type { Clock } from '../../engine/clock.js';
import { reasonOf } from '../../engine/errors.js';
import { ARRIVAL_WAIT_MS, CLIENT_TIMEOUT_MS, OWNER_LOOK_MS } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import type { Assignment, HostRecord, WorkerPlace } from '../../coordination/topology-records.js';
import type { Reach } from '../../engine/worker/remote/reach.js';
import { artifactPath, FORWARDED } from '../forwarded.js';
import { askPeer, type PeerQuestion } from './peer-call.js';
import { readDoor } from './together.js';

export interface PeersOptions {
  readonly name: string;
  readonly cluster: ClusterHost;
  readonly artifacts: Artifacts;
  readonly reach: Reach;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a host is looked for that leads a topology: while a version replaces another, two do. */
export type Asked = 'topology' | 'records';

/** Another host, and where it is. */
export interface Peer {
  readonly host: string;
  readonly url: string;
  /** Asks it, by a path behind its URL. */
  ask(path: string, question: PeerQuestion): Promise<Response>;
}

export class Peers {
  private readonly options: PeersOptions;

  constructor(options: PeersOptions) {
    this.options = options;
  }

  /**
   * The other host that leads the topology; null when this one does, nobody does, or it cannot be asked.
   *
   * @param what - for records one is waited for that is about to take them somewhere, for `ARRIVAL_WAIT_MS`
   */
  async ownerOf(name: string, what: Asked, signal: AbortSignal): Promise<Peer | null> {
    const { cluster, clock } = this.options;
    const waitMs = what === 'records' ? ARRIVAL_WAIT_MS : 0;
    for (const untilMs = clock.now() + waitMs; ; await pause(clock, OWNER_LOOK_MS, signal)) {
      const known = await cluster.topologies.get(name).catch((error: unknown) => {
        // Whoever answers the request says so.
        if (hasCode(error, 'MILLRACE_TOPOLOGY_UNKNOWN')) return null;
        throw error;
      });
      if (known?.kind !== 'live') return null;
      const place = leadOf(known.assignment, what);
      if (place !== undefined && this.isOwn(place)) return null;
      const record = place === undefined ? null : await cluster.hosts.at(place);
      if (record !== null) return this.peerOf(record);
      if (known.wish.wanted !== 'active' || clock.now() >= untilMs || signal.aborted) return null;
    }
  }

  /**
   * The file of an artifact, fetched from another host when it is not here.
   *
   * @throws MILLRACE_ARTIFACT_UNKNOWN when no host that answers has it
   */
  async fileOf(sha256: string): Promise<string> {
    const { artifacts, logger } = this.options;
    if (!(await artifacts.has(sha256))) {
      for (const peer of await this.others()) {
        const { host } = peer;
        try {
          await this.fetch(sha256, peer);
          break;
        } catch (error) {
          logger.debug(`artifact "${sha256}" does not come from host "${host}": ${reasonOf(error)}`);
        }
      }
    }
    return await artifacts.fileOf(sha256);
  }

  /** Has one more host keep that artifact, so that it is not lost with this one. */
  async keepElsewhere(sha256: string): Promise<void> {
    const { artifacts, logger } = this.options;
    const others = await this.others();
    for (const peer of others) {
      const { host } = peer;
      try {
        const reply = await peer.ask(artifactPath(sha256), {
          method: 'PUT',
          headers: { 'content-type': 'application/javascript', [FORWARDED]: '1' },
          body: createReadStream(await artifacts.fileOf(sha256)),
          signal: AbortSignal.timeout(CLIENT_TIMEOUT_MS),
        });
        await checkOk(reply);
        await reply.body?.cancel();
        return;
      } catch (error) {
        logger.debug(`artifact "${sha256}" is not kept by host "${host}": ${reasonOf(error)}`);
      }
    }
    if (others.length > 0) logger.warn(`artifact "${sha256}" is kept by this host alone: no other one took it`);
  }

  private async fetch(sha256: string, peer: Peer): Promise<void> {
    const signal = AbortSignal.timeout(CLIENT_TIMEOUT_MS);
    const reply = await peer.ask(artifactPath(sha256), { headers: { [FORWARDED]: '1' }, signal });
    await checkOk(reply);
    await this.options.artifacts.put(sha256, reply.body ?? empty());
  }

  /** The other hosts that can be asked. */
  private async others(): Promise<readonly Peer[]> {
    const hosts = await this.options.cluster.hosts.list();
    return hosts.filter((each) => !this.isOwn(each)).flatMap((each) => this.peerOf(each) ?? []);
  }

  /** Null for one that cannot be asked. */
  private peerOf({ host, url, door }: HostRecord): Peer | null {
    const address = readDoor(door);
    if (url === undefined || address === null) return null;
    const { reach } = this.options;
    return { host, url, ask: async (path, question) => await askPeer(address, reach, new URL(path, url), question) };
  }

  private isOwn({ host, boot }: { readonly host: string; readonly boot: string }): boolean {
    const { name, cluster } = this.options;
    return memberOf(host, boot) === memberOf(name, cluster.boot);
  }
}

async function checkOk(reply: Response): Promise<void> {
  if (reply.ok) return;
  await reply.body?.cancel();
  throw new Error(`it answers with status ${reply.status}`);
}

async function* empty(): AsyncGenerator<Uint8Array> {
  // Nothing: its hash will not fit.
}

/** Who takes records while one version replaces another: from when spouts let go until others are open, nobody. */
function leadOf(assignment: Assignment | null, what: Asked): WorkerPlace | undefined {
  if (assignment === null || what === 'topology' || assignment.aside !== true) return assignment?.places[0];
  return assignment.wanted === 'killed' ? assignment.next?.places[0] : undefined;
}
