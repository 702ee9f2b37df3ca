// `millrace hosts`: the hosts of a cluster, one a line, as any of them knows it; with `--json` each line is an object.
// Main thread.

import { printable } from '../../engine/model/names.js';
import type { HostSummary } from '../host/service.js';
import { formatCount } from './numbers.js';
import { runRemote, type RemoteEnvironment, type RemoteOptions } from './remote.js';
import { alignRows } from './table.js';
import { EXIT_OK } from './exit.js';

const COLUMNS = ['host', 'state', 'slots used', 'address', 'door', 'labels', 'version', 'protocol', ''] as const;
const TEXT_LENGTH_MAX = 200;

export async function hostsCommand(options: RemoteOptions, environment: RemoteEnvironment): Promise<number> {
  return await runRemote(options, environment, async ({ client, output, json, signal }) => {
    const hosts = await client.hosts({ signal });
    if (json) for (const host of hosts) await output.data(host);
    else await output.print(formatHosts(hosts));
    if (!json) for (const note of notesOn(hosts)) output.say(note);
    return EXIT_OK;
  });
}

function formatHosts(hosts: readonly HostSummary[]): string {
  const rows = hosts.map(({ host, state, slots, url, door, labels, version, protocol, master }) => [
    host,
    state,
    state === 'away' ? '-' : `${formatCount(slots.used)} of ${formatCount(slots.total)}`,
    url ?? '-',
    door ?? '-',
    labels.length === 0 ? '-' : printable(labels.join(' '), TEXT_LENGTH_MAX),
    version ?? '-',
    state === 'away' ? '-' : String(protocol),
    master ? 'master' : '',
  ]);
  return alignRows([COLUMNS, ...rows], COLUMNS.length).join('\n');
}

/** What is to be said of them besides. */
function notesOn(hosts: readonly HostSummary[]): readonly string[] {
  const there = hosts.filter(({ state }) => state !== 'away');
  const protocols = [...new Set(there.map(({ protocol }) => protocol))].sort((a, b) => a - b);
  if (protocols.length < 2) return [];
  const groups = protocols.map((protocol) => {
    const names = there.filter((each) => each.protocol === protocol).map(({ host }) => host);
    return `${names.join(', ')} (protocol ${protocol})`;
  });
  return [`these run no topology together until they have one version: ${groups.join('; ')}`];
}
