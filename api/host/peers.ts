// What a host needs of the other hosts of its cluster, over their HTTP interfaces: which of them runs a topology, and
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
import { CLIENT_TIMEOUT_MS, FORWARD_TIMEOUT_MS, OWNER_LOOK_MS } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import { artifactAddress, FORWARDED } from '../forwarded.js';

export interface PeersOptions {
  readonly name: string;
  readonly cluster: ClusterHost;
  readonly artifacts: Artifacts;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Another host, and where it is. */
export interface Peer {
  readonly host: string;
  readonly url: string;
}

export class Peers {
  private readonly options: PeersOptions;

  constructor(options: PeersOptions) {
    this.options = options;
  }

  /**
   * The other host that runs the topology; null when this one does, nobody does, or it cannot be asked.
   *
   * @param waitMs - how long one is waited for that is about to run somewhere
   */
  async ownerOf(name: string, waitMs: number, signal: AbortSignal): Promise<Peer | null> {
    const { cluster, clock } = this.options;
    for (const untilMs = clock.now() + waitMs; ; await pause(clock, OWNER_LOOK_MS, signal)) {
      const known = await cluster.topologies.get(name).catch((error: unknown) => {
        // Whoever answers the request says so.
        if (hasCode(error, 'MILLRACE_TOPOLOGY_UNKNOWN')) return null;
        throw error;
      });
      if (known?.kind !== 'live') return null;
      const place = known.assignment?.places[0];
      if (place !== undefined && this.isOwn(place)) return null;
      const record = place === undefined ? null : await cluster.hosts.at(place);
      if (record !== null) return record.url === undefined ? null : { host: record.host, url: record.url };
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
      for (const { host, url } of await this.others()) {
        try {
          await this.fetch(sha256, url);
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
    for (const { host, url } of others) {
      try {
        const body = createReadStream(await artifacts.fileOf(sha256));
        await exchange(artifactAddress(url, sha256), {
          method: 'PUT',
          headers: { 'content-type': 'application/javascript', [FORWARDED]: '1' },
          body,
          duplex: 'half',
          timeoutMs: FORWARD_TIMEOUT_MS,
        });
        return;
      } catch (error) {
        logger.debug(`artifact "${sha256}" is not kept by host "${host}": ${reasonOf(error)}`);
      }
    }
    if (others.length > 0) logger.warn(`artifact "${sha256}" is kept by this host alone: no other one took it`);
  }

  private async fetch(sha256: string, url: string): Promise<void> {
    const response = await exchange(artifactAddress(url, sha256), { headers: { [FORWARDED]: '1' } });
    await this.options.artifacts.put(sha256, response.body ?? empty());
  }

  /** The other hosts that can be asked. */
  private async others(): Promise<readonly Peer[]> {
    const hosts = await this.options.cluster.hosts.list();
    return hosts.flatMap((each) =>
      each.url === undefined || this.isOwn(each) ? [] : { host: each.host, url: each.url },
    );
  }

  private isOwn({ host, boot }: { readonly host: string; readonly boot: string }): boolean {
    const { name, cluster } = this.options;
    return memberOf(host, boot) === memberOf(name, cluster.boot);
  }
}

interface Exchange extends RequestInit {
  readonly duplex?: 'half';
  readonly timeoutMs?: number;
}

async function exchange(url: string, { timeoutMs = CLIENT_TIMEOUT_MS, ...init }: Exchange): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
  if (response.ok) return response;
  await response.body?.cancel();
  throw new Error(`it answers with status ${response.status}`);
}

async function* empty(): AsyncGenerator<Uint8Array> {
  // Nothing: its hash will not fit.
}
