// Hosts of a cluster as processes with their parents, on a real ensemble, for tests and commands that bring faults upon
// them. Each reaches the ensemble through proxies of its own, so that it can be cut off; each may have a clock that is
// wrong, and code that is changed before it is loaded.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { MillraceClient } from '../../../api/client/client.js';
import type { Ensemble } from '../../../coordination/ensemble/ensemble.js';
import { assignmentPath, EPOCH } from '../../../coordination/paths.js';
import { isEpoch } from '../../../coordination/recipes/election.js';
import type { Session } from '../../../coordination/store/contract.js';
import { fromNode } from '../../../coordination/store/json-node.js';
import { ZookeeperStore } from '../../../coordination/store/zookeeper/zookeeper-store.js';
import { isAssignment, type Assignment } from '../../../coordination/topology-records.js';
import { Proxy } from '../../coordination/store/zookeeper/proxy.js';
import { HostCommand, poll, type Ending } from '../host-command.js';
import { nowMs } from './sightings.js';

export const SESSION_TIMEOUT_MS = 2_000;
/** Workers of two hosts find room on one. */
const SLOTS = 4;

export interface HostPlan {
  readonly name: string;
  /** Hours that its wall clock is ahead. Default 0. */
  readonly aheadHours?: number;
  /** Speaks another protocol. Default false. */
  readonly isForeign?: boolean;
}

/** A host of the cluster, whichever process it is at present. */
export interface ClusterHost {
  readonly plan: HostPlan;
  readonly directory: string;
  readonly proxies: readonly Proxy[];
  command: HostCommand;
}

const moduleUrl = (name: string): string => new URL(`./${name}.js`, import.meta.url).href;

export class HostCluster {
  readonly ensemble: Ensemble;
  readonly directory: string;
  readonly hosts = new Map<string, ClusterHost>();
  private readonly t: Ending;
  private readonly chroot: string;

  private constructor(t: Ending, ensemble: Ensemble, directory: string, chroot: string) {
    this.t = t;
    this.ensemble = ensemble;
    this.directory = directory;
    this.chroot = chroot;
  }

  /** Starts these hosts, in a directory that is there, below a path of their own in the ensemble. */
  static async start(
    t: Ending,
    ensemble: Ensemble,
    directory: string,
    plans: readonly HostPlan[],
    chroot = '/faults',
  ): Promise<HostCluster> {
    const cluster = new HostCluster(t, ensemble, directory, chroot);
    await Promise.all(plans.map((plan) => cluster.add(plan)));
    await cluster.complete();
    return cluster;
  }

  get names(): readonly string[] {
    return [...this.hosts.keys()].sort();
  }

  host(name: string): ClusterHost {
    return this.hosts.get(name)!;
  }

  /** Starts one more. */
  async add(plan: HostPlan): Promise<void> {
    const directory = join(this.directory, plan.name);
    mkdirSync(directory);
    const ports = this.ensemble.servers.map(({ clientPort }) => clientPort);
    const proxies = await Promise.all(ports.map((port) => Proxy.before(this.t, port)));
    const command = await this.launch(plan, directory, proxies);
    this.hosts.set(plan.name, { plan, directory, proxies, command });
  }

  /** Starts it again, after it was ended. */
  async startAgain(name: string): Promise<void> {
    const host = this.host(name);
    host.command = await this.launch(host.plan, host.directory, host.proxies);
  }

  /** kill -9 of its process, which its parent starts again; gives when. */
  async killProcess(name: string): Promise<number> {
    const atMs = nowMs();
    await this.host(name).command.killChild();
    return atMs;
  }

  /** Ends it in good order: it is no host of the cluster any more. */
  async remove(name: string): Promise<void> {
    await this.host(name).command.stop();
    this.hosts.delete(name);
  }

  /** A host of the cluster that is none of these. */
  client(...except: readonly string[]): MillraceClient {
    const name = this.names.find((each) => !except.includes(each))!;
    return new MillraceClient({ url: this.host(name).command.url, timeoutMs: 5_000 });
  }

  /** Where the topology runs, once that is so. */
  async assignment(topology: string, isSo: (found: Assignment) => boolean): Promise<Assignment> {
    return await this.inStore(async (session) => {
      let found: Assignment | null = null;
      await poll(async () => {
        const path = assignmentPath(topology);
        await session.sync(path);
        if ((await session.exists(path)) === null) return false;
        found = fromNode(await session.get(path), isAssignment);
        return isSo(found);
      });
      return found!;
    });
  }

  /** Who became master last, by its name, and in which epoch. */
  async master(): Promise<{ readonly host: string; readonly epoch: number }> {
    return await this.inStore(async (session) => {
      const { member, epoch } = fromNode(await session.get(EPOCH), isEpoch);
      return { host: member.split('~')[0]!, epoch };
    });
  }

  /** Has another host be master, if this one is: it is ended in good order, and started again. */
  async unseat(name: string): Promise<void> {
    while ((await this.master()).host === name) {
      await this.host(name).command.stop();
      await this.startAgain(name);
      await this.complete();
    }
  }

  /** Resolves when all hosts are there and all of them name the same one as the only master; gives its name. */
  async complete(): Promise<string> {
    let named = '';
    await poll(async () => {
      const views = await Promise.all(this.names.map((name) => this.viewOf(name)));
      const masters = new Set(views.flatMap((view) => view?.masters ?? ['?']));
      named = [...masters][0] ?? '';
      return masters.size === 1 && views.every((view) => view?.hosts === this.names.join());
    });
    return named;
  }

  /** Does something with a session of its own. */
  async inStore<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = await new ZookeeperStore({ servers: `${this.ensemble.connectString}${this.chroot}` }).connect();
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  }

  /** Null while it does not answer. */
  private async viewOf(name: string): Promise<{ readonly hosts: string; readonly masters: readonly string[] } | null> {
    try {
      const known = await this.host(name).command.client.hosts();
      const masters = known.flatMap(({ host, master }) => (master ? [host] : []));
      return { hosts: known.map(({ host }) => host).join(), masters };
    } catch {
      return null;
    }
  }

  private async launch(
    { name, aheadHours = 0, isForeign = false }: HostPlan,
    directory: string,
    proxies: readonly Proxy[],
  ): Promise<HostCommand> {
    const servers = `${proxies.map(({ address }) => address).join()}${this.chroot}`;
    const args = ['--zookeeper', servers, '--name', name, '--data', 'data', '--slots', String(SLOTS), '--verbose'];
    const preloaded = [
      'leash',
      'off-network',
      ...(aheadHours === 0 ? [] : ['ahead']),
      ...(isForeign ? ['foreign'] : []),
    ];
    return await HostCommand.listening(this.t, directory, [...args, '--session-timeout', `${SESSION_TIMEOUT_MS}ms`], {
      NODE_OPTIONS: preloaded.map((each) => `--import ${moduleUrl(each)}`).join(' '),
      MILLRACE_TEST_AHEAD_HOURS: String(aheadHours),
      MILLRACE_TEST_NETWORK: join(directory, 'network'),
      MILLRACE_TEST_STORE_PORTS: proxies.map(({ port }) => port).join(),
    });
  }
}
