// `millrace hosts`: the hosts of a cluster, one a line, as any of them knows it; with `--json` each line is an object.
// Main thread.

import type { HostSummary } from '../host/service.js';
import { formatCount } from './numbers.js';
import { runRemote, type RemoteEnvironment, type RemoteOptions } from './remote.js';
import { alignRows } from './table.js';
import { EXIT_OK } from './exit.js';

const COLUMNS = ['host', 'slots', 'used', 'address', ''] as const;

export async function hostsCommand(options: RemoteOptions, environment: RemoteEnvironment): Promise<number> {
  return await runRemote(options, environment, async ({ client, output, json, signal }) => {
    const hosts = await client.hosts({ signal });
    if (json) for (const host of hosts) await output.data(host);
    else await output.print(formatHosts(hosts));
    return EXIT_OK;
  });
}

function formatHosts(hosts: readonly HostSummary[]): string {
  const rows = hosts.map(({ host, slots, url, master }) => [
    host,
    formatCount(slots.total),
    formatCount(slots.used),
    url ?? 'does not listen',
    master ? 'master' : '',
  ]);
  return alignRows([COLUMNS, ...rows], 2).join('\n');
}
