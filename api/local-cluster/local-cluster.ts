// A cluster on this machine for trying things out, as it is found in its directory: an ensemble and hosts on it. Who
// started it does not matter; processes are looked up anew for every call. Main thread.
//
//   down ─ up (start.ts) ─► up: the ensemble serves, every host takes requests
//    ▲                       │  hosts and servers may die, be stopped or killed: that is what it is for
//    └──────── down ─────────┘  hosts first, so that they say goodbye, then the ensemble

import { resolve } from 'node:path';
import { Ensemble, serves, type ServerStatus } from '../../coordination/ensemble/ensemble.js';
import { pause } from '../../coordination/store/signals.js';
import { hasCode } from '../../coordination/store/store-errors.js';
import type { Clock } from '../../engine/clock.js';
import { failure } from '../../engine/errors.js';
import { CLUSTER_ANSWER_MS, CLUSTER_KILL_MS, CLUSTER_LOOK_MS, CLUSTER_STOP_MS } from '../../engine/limits.js';
import { MillraceClient } from '../client/client.js';
import { endHost, killHost, processesOf, type HostMark } from './host-processes.js';
import {
  dataDirectory,
  logFile,
  readState,
  urlOf,
  zookeeperDirectory,
  type ClusterState,
  type HostPlace,
} from './state.js';

/** How a host is: it takes requests, it does not answer, it is not there. */
export interface LocalHost {
  readonly name: string;
  readonly state: 'up' | 'silent' | 'down';
  readonly url: string;
  /** Of its parent process; null when that is gone. */
  readonly pid: number | null;
  /** Where what it says is kept. */
  readonly log: string;
}

export interface LocalClusterStatus {
  /** Absolute. */
  readonly directory: string;
  /** Where the ensemble takes clients; null when there is none. */
  readonly connectString: string | null;
  readonly servers: readonly ServerStatus[];
  readonly hosts: readonly LocalHost[];
}

/** What `down` ended, and what was not there to be ended. */
export interface LocalClusterEnd {
  readonly hosts: readonly string[];
  readonly servers: number;
  /** Hosts that did not run, by their names. */
  readonly notRunning: readonly string[];
}

/**
 * How the cluster in that directory is.
 *
 * @throws MILLRACE_CLUSTER_UNKNOWN, MILLRACE_CLUSTER_DIRECTORY
 */
export async function clusterStatus(directory: string, clock: Clock): Promise<LocalClusterStatus> {
  const path = resolve(directory);
  const { hosts } = await knownState(path);
  const ensemble = await ensembleOf(path, clock);
  const [servers, found] = await Promise.all([
    ensemble === null ? [] : ensemble.status(),
    Promise.all(hosts.map(async (host) => await lookAtHost(path, host))),
  ]);
  return { directory: path, connectString: ensemble?.connectString ?? null, servers, hosts: found };
}

/**
 * Ends what runs of the cluster in that directory; its data stays.
 *
 * @throws MILLRACE_CLUSTER_UNKNOWN, MILLRACE_CLUSTER_DIRECTORY, MILLRACE_CLUSTER_STUCK; the reason of the signal, with
 * what has not ended yet still there
 */
export async function stopCluster(directory: string, clock: Clock, signal: AbortSignal): Promise<LocalClusterEnd> {
  const path = resolve(directory);
  const { hosts } = await knownState(path);
  const running = hosts.filter((host) => processesOf(markOf(path, host)).length > 0);
  await endHosts(path, running, CLUSTER_STOP_MS, clock, signal);
  signal.throwIfAborted();
  const servers = (await (await ensembleOf(path, clock))?.stop()) ?? 0;
  const notRunning = hosts.filter((host) => !running.includes(host)).map(({ name }) => name);
  return { hosts: running.map(({ name }) => name), servers, notRunning };
}

/**
 * Asks hosts to end, all at once, and kills those that have not ended after that time.
 *
 * @throws MILLRACE_CLUSTER_STUCK
 */
export async function endHosts(
  directory: string,
  hosts: readonly HostPlace[],
  withinMs: number,
  clock: Clock,
  signal: AbortSignal,
  kill: (mark: HostMark) => void = killHost,
): Promise<void> {
  for (const host of hosts) endHost(markOf(directory, host));
  if (await areGone(directory, hosts, withinMs, clock, signal)) return;
  signal.throwIfAborted();
  for (const host of hosts) kill(markOf(directory, host));
  if (await areGone(directory, hosts, CLUSTER_KILL_MS, clock, signal)) return;
  signal.throwIfAborted();
  const left = hosts.find((host) => processesOf(markOf(directory, host)).length > 0)!;
  throw failure('MILLRACE_CLUSTER_STUCK', {
    host: left.name,
    pid: processesOf(markOf(directory, left))[0] ?? left.pid,
  });
}

/** What runs of it, in words; null when nothing does. */
export async function whatRuns(directory: string, hosts: readonly HostPlace[], clock: Clock): Promise<string | null> {
  const names = hosts.filter((host) => processesOf(markOf(directory, host)).length > 0).map(({ name }) => name);
  const servers = await (await ensembleOf(directory, clock))?.status();
  const ids = (servers ?? []).filter(({ state }) => state !== 'down').map(({ id }) => `ZooKeeper server ${id}`);
  const all = [...names, ...ids];
  return all.length === 0 ? null : all.join(', ');
}

/** Whether it has hosts or servers that answer. */
export function isUp({ servers, hosts }: LocalClusterStatus): boolean {
  return servers.some(({ state }) => serves(state)) && hosts.some(({ state }) => state === 'up');
}

export function markOf(directory: string, { name, pid }: HostPlace): HostMark {
  return { pid, dataDirectory: dataDirectory(directory, name) };
}

/** How that host is now. */
export async function lookAtHost(directory: string, host: HostPlace): Promise<LocalHost> {
  const [pid] = processesOf(markOf(directory, host));
  const about = { name: host.name, url: urlOf(host), log: logFile(directory, host.name) };
  if (pid === undefined) return { ...about, state: 'down', pid: null };
  return { ...about, state: (await answers(host)) ? 'up' : 'silent', pid: pid === host.pid ? pid : null };
}

/** Whether that host takes requests there, and no other program. */
export async function answers(host: HostPlace): Promise<boolean> {
  const client = new MillraceClient({ url: urlOf(host), timeoutMs: CLUSTER_ANSWER_MS });
  const health = await client.health().catch(() => null);
  return health?.status === 'ok' && health.host === host.name;
}

async function areGone(
  directory: string,
  hosts: readonly HostPlace[],
  withinMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  for (const untilMs = clock.now() + withinMs; ; await pause(clock, CLUSTER_LOOK_MS, signal)) {
    if (hosts.every((host) => processesOf(markOf(directory, host)).length === 0)) return true;
    if (clock.now() >= untilMs || signal.aborted) return false;
  }
}

async function knownState(directory: string): Promise<ClusterState> {
  const state = await readState(directory);
  if (state === null) throw failure('MILLRACE_CLUSTER_UNKNOWN', { directory });
  return state;
}

async function ensembleOf(directory: string, clock: Clock): Promise<Ensemble | null> {
  try {
    return await Ensemble.open(zookeeperDirectory(directory), clock);
  } catch (error) {
    if (hasCode(error, 'MILLRACE_ENSEMBLE_UNKNOWN')) return null;
    throw error;
  }
}
