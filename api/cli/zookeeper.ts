// `millrace zookeeper`: a real ensemble on this machine, from its start to its end. Standard output carries what
// scripts want (where clients connect to, a line a server), standard error the rest. Main thread.

import { Ensemble, serves, type ServerChoice, type ServerStatus } from '../../coordination/ensemble/ensemble.js';
import type { EnsembleOptions } from '../../coordination/ensemble/options.js';
import { startEnsemble } from '../../coordination/ensemble/start.js';
import { RealClock } from '../../engine/clock.js';
import { EXIT_OK, EXIT_UNREACHABLE } from './exit.js';
import { formatCount } from './numbers.js';
import { runPlain, type PlainEnvironment } from './plain.js';
import { listenForSignals } from './signals.js';
import { alignRows } from './table.js';

const COLUMNS = ['server', 'state', 'address', 'pid', 'zxid', 'connections'] as const;

/** The environment of this process. */
export function zooKeeperEnvironment(): PlainEnvironment {
  const { stdout, stderr, env } = process;
  return { stdout, stderr, env, clock: new RealClock(), onSignal: listenForSignals };
}

/** Starts what is down; a signal meanwhile stops it again. */
export async function startCommand(
  request: Pick<EnsembleOptions, 'directory' | 'servers' | 'port'>,
  json: boolean,
  environment: PlainEnvironment,
): Promise<number> {
  return await runPlain(json, environment, async ({ output, clock, signal }) => {
    const { ensemble, started } = await startEnsemble({ ...request, env: environment.env, clock, signal });
    const { directory, connectString } = ensemble;
    if (json) await output.data({ connectString, directory, started, servers: await ensemble.status() });
    else await output.print(connectString);
    const did = started.length === 0 ? 'all servers ran already' : `started ${servers(started.length)}`;
    output.say(`${did}; millrace zookeeper stop --data ${request.directory} ends them`);
    return EXIT_OK;
  });
}

/** Ends all servers. */
export async function stopCommand(directory: string, json: boolean, environment: PlainEnvironment): Promise<number> {
  return await runPlain(json, environment, async ({ output, clock }) => {
    const stopped = await (await Ensemble.open(directory, clock)).stop();
    await output.data({ stopped });
    output.say(stopped === 0 ? 'no server was running' : `stopped ${servers(stopped)}`);
    return EXIT_OK;
  });
}

/** Shows the servers; whether they serve clients is the exit code. */
export async function statusCommand(directory: string, json: boolean, environment: PlainEnvironment): Promise<number> {
  return await runPlain(json, environment, async ({ output, clock }) => {
    const ensemble = await Ensemble.open(directory, clock);
    const status = await ensemble.status();
    if (json) for (const server of status) await output.data(server);
    else await output.print(formatStatus(status));
    const serving = status.filter(({ state }) => serves(state)).length;
    if (serving > 0) return EXIT_OK;
    output.say(`no server serves clients; millrace zookeeper start --data ${directory} starts those that are down`);
    return EXIT_UNREACHABLE;
  });
}

/** Kills one server. */
export async function killServerCommand(
  directory: string,
  which: ServerChoice,
  json: boolean,
  environment: PlainEnvironment,
): Promise<number> {
  return await runPlain(json, environment, async ({ output, clock }) => {
    const killed = await (await Ensemble.open(directory, clock)).kill(which);
    await output.data({ killed });
    const role = typeof which === 'number' ? '' : `, the ${which}`;
    output.say(`killed server ${killed}${role}; millrace zookeeper start --data ${directory} brings it back`);
    return EXIT_OK;
  });
}

function formatStatus(status: readonly ServerStatus[]): string {
  const rows = status.map(({ id, state, clientPort, pid, zxid, connections }) => [
    String(id),
    state,
    `127.0.0.1:${clientPort}`,
    pid === null ? '-' : String(pid),
    zxid ?? '-',
    connections === null ? '-' : formatCount(connections),
  ]);
  return alignRows([COLUMNS, ...rows], 3).join('\n');
}

function servers(count: number): string {
  return count === 1 ? '1 server' : `${count} servers`;
}
