// `millrace cluster`: an ensemble and hosts on this machine, from their start to their end. Standard output carries
// what scripts want (a line a part), standard error the rest. Main thread.

import { serves, type ServerStatus } from '../../coordination/ensemble/ensemble.js';
import { RealClock } from '../../engine/clock.js';
import {
  clusterStatus,
  isUp,
  stopCluster,
  type LocalClusterEnd,
  type LocalClusterStatus,
} from '../local-cluster/local-cluster.js';
import { startCluster, type LocalClusterOptions } from '../local-cluster/start.js';
import { CLUSTER_DIRECTORY, DEFAULT_HOST_URL } from './default-host.js';
import { EXIT_OK, EXIT_UNREACHABLE } from './exit.js';
import { runPlain, type PlainEnvironment } from './plain.js';
import { listenForSignals } from './signals.js';
import { counted } from './summary.js';
import { alignRows } from './table.js';

export type UpRequest = Pick<
  LocalClusterOptions,
  'directory' | 'hosts' | 'servers' | 'port' | 'slots' | 'filesDirectory'
>;

const COLUMNS = ['part', 'state', 'address', 'pid'] as const;

/** The environment of this process. */
export function clusterEnvironment(): PlainEnvironment {
  const { stdout, stderr, env } = process;
  return { stdout, stderr, env, clock: new RealClock(), onSignal: listenForSignals };
}

/** Starts it; a signal meanwhile ends all of it again. */
export async function upCommand(request: UpRequest, json: boolean, environment: PlainEnvironment): Promise<number> {
  return await runPlain(json, environment, async ({ output, clock, signal }) => {
    const { env } = environment;
    const say = (text: string): void => output.say(text);
    const status = await startCluster({ ...request, env, clock, signal, say });
    if (json) await output.data(status);
    else await output.print(formatStatus(status));
    output.say(nextSteps(request.directory, status));
    return EXIT_OK;
  });
}

/** Shows its parts; whether it takes requests is the exit code. */
export async function statusCommand(directory: string, json: boolean, environment: PlainEnvironment): Promise<number> {
  return await runPlain(json, environment, async ({ output, clock }) => {
    const status = await clusterStatus(directory, clock);
    if (json) await output.data(status);
    else await output.print(formatStatus(status));
    if (isUp(status)) return EXIT_OK;
    const isDown = [...status.servers, ...status.hosts].every(({ state }) => state === 'down');
    const first = isDown ? '' : `${ofCluster('down', directory)}, then `;
    output.say(`it takes no requests; ${first}${ofCluster('up', directory)} starts all of it again`);
    return EXIT_UNREACHABLE;
  });
}

/** Ends it; its data stays. */
export async function downCommand(directory: string, json: boolean, environment: PlainEnvironment): Promise<number> {
  return await runPlain(json, environment, async ({ output, clock, signal }) => {
    const end = await stopCluster(directory, clock, signal);
    await output.data({ ...end });
    for (const sentence of sentencesOn(end, directory)) output.say(sentence);
    return EXIT_OK;
  });
}

function formatStatus({ connectString, servers, hosts }: LocalClusterStatus): string {
  const rows = [
    ...servers.map((server) => [
      `zookeeper-${server.id}`,
      stateOf(server),
      `127.0.0.1:${server.clientPort}`,
      pidOf(server.pid),
    ]),
    ...hosts.map(({ name, state, url, pid }) => [name, state, url, pidOf(pid)]),
  ];
  const shown = alignRows([COLUMNS, ...rows], COLUMNS.length - 1);
  return [...shown, '', `ensemble: ${connectString ?? 'none'}`].join('\n');
}

function stateOf({ state }: ServerStatus): string {
  return serves(state) ? `up (${state})` : state;
}

function pidOf(pid: number | null): string {
  return pid === null ? '-' : String(pid);
}

/** What to type next. */
function nextSteps(directory: string, { hosts, connectString }: LocalClusterStatus): string {
  const [first] = hosts;
  const url = first?.url ?? DEFAULT_HOST_URL;
  const lines = [
    ...(url === DEFAULT_HOST_URL ? [] : [`export MILLRACE_HOST=${url}`]),
    'millrace hosts',
    'millrace submit FILE',
    `millrace zk tree --zookeeper ${connectString ?? ''}`,
    `${ofCluster('status', directory)}   (its logs are in ${directory}/hosts)`,
    ofCluster('down', directory),
  ];
  return ['the cluster is up; what to type next:', ...lines.map((line) => `  ${line}`)].join('\n');
}

function sentencesOn({ hosts, servers, notRunning }: LocalClusterEnd, directory: string): readonly string[] {
  const ended = [
    ...(hosts.length === 0 ? [] : [counted(hosts.length, 'host')]),
    ...(servers === 0 ? [] : [counted(servers, 'ZooKeeper server')]),
  ];
  const missing = notRunning.length === 0 ? [] : [`not running before: ${notRunning.join(', ')}`];
  if (ended.length === 0) return ['nothing of it was running'];
  return [`ended ${ended.join(' and ')}; what they kept stays in ${directory}`, ...missing];
}

function ofCluster(command: string, directory: string): string {
  return directory === CLUSTER_DIRECTORY
    ? `millrace cluster ${command}`
    : `millrace cluster ${command} --data ${directory}`;
}
