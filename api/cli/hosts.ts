// `millrace hosts`: the hosts of a cluster, one a line, as any of them knows it; with `--json` each line is an object.
// Below them stands who was refused. Main thread.

import { printable } from '../../engine/model/names.js';
import type { HostSummary, RefusalSummary } from '../host/service.js';
import { formatCount } from './numbers.js';
import { runRemote, type RemoteEnvironment, type RemoteOptions } from './remote.js';
import { alignRows } from './table.js';
import { EXIT_OK } from './exit.js';

const COLUMNS = ['host', 'state', 'slots used', 'address', 'door', 'labels', 'version', 'protocol', ''] as const;
const TEXT_LENGTH_MAX = 200;
const NOTE_LENGTH_MAX = 1_000;

export async function hostsCommand(options: RemoteOptions, environment: RemoteEnvironment): Promise<number> {
  return await runRemote(options, environment, async ({ client, output, json, signal }) => {
    const hosts = await client.hosts({ signal });
    const refusals = await client.refusals({ signal });
    if (json) {
      for (const host of hosts) await output.data(host);
      for (const refusal of refusals) await output.data({ type: 'refused', ...refusal });
    } else {
      await output.print(formatHosts(hosts));
      for (const note of notesOn(hosts, refusals)) output.say(note);
    }
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

/** What is to be said of them besides: what keeps some apart, and who was not taken. */
function notesOn(hosts: readonly HostSummary[], refusals: readonly RefusalSummary[]): readonly string[] {
  const apart = new Map<string, string[]>();
  for (const { host, problem } of hosts) {
    if (problem !== null) apart.set(problem, [...(apart.get(problem) ?? []), host]);
  }
  const problems = [...apart].map(([problem, names]) => printable(`${names.join(', ')}: ${problem}`, NOTE_LENGTH_MAX));
  return [...problems, ...refusals.map(refusalLine)];
}

function refusalLine({ host, address, reason, count, by }: RefusalSummary): string {
  const who = host ?? 'somebody';
  const at = address === null ? '' : ` at ${address}`;
  const often = count === 1 ? '' : `${formatCount(count)} times `;
  const door = by === null ? '' : ` (${often}at the door of ${by})`;
  return printable(`refused: ${who}${at}: ${reason}${door}`, NOTE_LENGTH_MAX);
}
