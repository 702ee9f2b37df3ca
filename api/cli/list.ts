// `millrace list`: the topologies of a host, one a line, newest first; with `--json` each line is an object. Main
// thread.

import { printable } from '../../engine/model/names.js';
import type { TopologySummary } from '../host/service.js';
import { formatCount, formatSeconds } from './numbers.js';
import { formatRefused, formatReplacement } from './replacing.js';
import { runRemote, type RemoteEnvironment, type RemoteOptions } from './remote.js';
import { alignRows } from './table.js';
import { EXIT_OK } from './exit.js';

const COLUMNS = ['topology', 'state', 'workers', 'tasks', 'time', 'id', 'on'] as const;

const WAITING_LENGTH_MAX = 300;

export async function listCommand(options: RemoteOptions, environment: RemoteEnvironment): Promise<number> {
  return await runRemote(options, environment, async ({ client, output, json, signal }) => {
    const topologies = await client.list({ signal });
    if (json) for (const topology of topologies) await output.data(topology);
    else if (topologies.length === 0) output.say(`no topology at ${client.url}; millrace submit FILE starts one`);
    else await output.print(formatList(topologies));
    return EXIT_OK;
  });
}

function formatList(topologies: readonly TopologySummary[]): string {
  const rows = topologies.map((topology) => {
    const { name, state, workers, tasks, seconds, id, places, waiting } = topology;
    return [
      name,
      state,
      formatCount(workers),
      formatCount(tasks),
      formatSeconds(seconds),
      id,
      [whereOf(places, waiting), changeOf(topology)].filter((text) => text !== '').join('; '),
    ];
  });
  return alignRows([COLUMNS, ...rows], 2, 1).join('\n');
}

/** What is about to replace it, or did not. */
function changeOf({ replacement, refused }: TopologySummary): string {
  if (replacement !== null) return formatReplacement(replacement);
  return refused === null ? '' : formatRefused(refused);
}

/** Its hosts, the one that leads first, and what it waits for. */
function whereOf(places: TopologySummary['places'], waiting: string | null): string {
  const hosts = [...new Set(places.map(({ host }) => host))].join(', ');
  if (waiting === null) return hosts;
  const waits = `waits: ${printable(waiting, WAITING_LENGTH_MAX)}`;
  return hosts === '' ? waits : `${hosts}; ${waits}`;
}
