// An ensemble whose servers reach each other through proxies, so that a test can cut the network between them: one for
// each port that a server looks for another one at. It needs no rights of the machine, and nothing but loopback.

import type { Test } from 'tap';
import type { EnsembleRoute } from '../../../coordination/ensemble/configuration.js';
import type { Ensemble } from '../../../coordination/ensemble/ensemble.js';
import { startEnsemble } from '../../../coordination/ensemble/start.js';
import { Proxy } from '../store/zookeeper/proxy.js';
import { runningEnsemble } from './running.js';

export class PartitionedEnsemble {
  readonly ensemble: Ensemble;
  private readonly proxies: ReadonlyMap<string, readonly Proxy[]>;

  private constructor(ensemble: Ensemble, proxies: ReadonlyMap<string, readonly Proxy[]>) {
    this.ensemble = ensemble;
    this.proxies = proxies;
  }

  static async start(t: Test): Promise<PartitionedEnsemble> {
    // Its servers talk through this process: on a busy machine a second is too short for a follower to answer in, and a
    // majority that falls apart again and again serves nobody.
    const ensemble = await runningEnsemble(t, { syncMs: 4_000 });
    await ensemble.stop();
    const proxies = new Map<string, readonly Proxy[]>();
    const routes: Record<string, EnsembleRoute> = {};
    for (const from of ensemble.servers) {
      for (const to of ensemble.servers) {
        if (from.id === to.id) continue;
        const [quorum, election] = [await Proxy.before(t, to.quorumPort), await Proxy.before(t, to.electionPort)];
        proxies.set(`${from.id}>${to.id}`, [quorum, election]);
        routes[`${from.id}>${to.id}`] = { quorumPort: quorum.port, electionPort: election.port };
      }
    }
    await startEnsemble({ directory: ensemble.directory, routes });
    return new PartitionedEnsemble(ensemble, proxies);
  }

  /** Cuts a server off the others: what is sent between them vanishes, as when a cable is pulled. */
  isolate(server: number): void {
    for (const proxy of this.of(server)) proxy.rule('both', { swallow: true });
  }

  /** Joins it with the others again; connections that have lost something are over. */
  join(server: number): void {
    for (const proxy of this.of(server)) {
      proxy.cut();
      proxy.heal();
    }
  }

  private of(server: number): readonly Proxy[] {
    return [...this.proxies].flatMap(([pair, proxies]) => (pair.split('>').includes(String(server)) ? proxies : []));
  }
}
