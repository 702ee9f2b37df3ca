// Copies what stands below /settings in ZooKeeper to /copy, and each change of it: `millrace run
// examples/settings-mirror.ts`, with an ensemble that `millrace zookeeper start --servers 1 --port 2181 --data
// ensemble` runs, or one that the variable MILLRACE_ZOOKEEPER names.
//
//   changes ──fields(path)──► copy
//      └──────shuffle───────► shown
//
// A change is acked when its copy is acknowledged by ZooKeeper and its line is printed. What is written while the
// topology is away is copied when it starts again; what is deleted then stays in the copy.

import { Bolt, topology } from 'millrace';
import type { BoltContext, Tuple } from 'millrace';
import { zookeeperChanges, zookeeperWriter, type ChangeValues } from 'millrace/connect/zookeeper';

const servers = process.env['MILLRACE_ZOOKEEPER'] ?? '127.0.0.1:2181';

/** Prints what became of a node. */
class Show extends Bolt {
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  override async execute(tuple: Tuple<ChangeValues>): Promise<void> {
    const [path, kind, data, version] = tuple.values;
    await this.context.print(kind === 'deleted' ? `${path} is gone` : `${path} = ${String(data)} (version ${version})`);
  }
}

export default topology('settings-mirror', (t) => {
  const changes = t.spout('changes', zookeeperChanges({ servers, path: '/settings', data: 'text' }));
  t.bolt('copy', zookeeperWriter({ servers, base: '/copy', actionField: 'kind' })).fields(changes, 'path');
  t.bolt('shown', Show).shuffle(changes);
});
