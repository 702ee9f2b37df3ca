// The file in the directory of a cluster that describes it, so that other commands find it: its hosts, their ports and
// the ids of their processes. It may be stale in every way: what it says of processes is checked against what they were
// started with (host-processes.ts). Written whole and renamed. Main thread.
//
//   DIR/cluster.json        this
//   DIR/zookeeper/          the ensemble (coordination/ensemble)
//   DIR/hosts/NAME/         what host NAME keeps
//   DIR/hosts/NAME.log      what it says; NAME.log.old, what it said before that was too long

import { join } from 'node:path';
import { StateFile } from '../../coordination/state-file.js';
import { failure, reasonOf } from '../../engine/errors.js';
import { CLUSTER_HOSTS_MAX, CLUSTER_STATE_BYTES_MAX } from '../../engine/limits.js';

const STATE_FILE = 'cluster.json';
const FORMAT = 1;
const OWN_NAMES = /^(?:zookeeper|hosts|(?:lock|claim)-\d.*)$/;

const file = new StateFile({ name: STATE_FILE, bytesMax: CLUSTER_STATE_BYTES_MAX, otherNames: OWN_NAMES, unusable });

/** A host of the cluster: where it listens, and its parent process, 0 while it was never started. */
export interface HostPlace {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

export interface ClusterState {
  readonly hosts: readonly HostPlace[];
}

export const zookeeperDirectory = (directory: string): string => join(directory, 'zookeeper');
export const hostsDirectory = (directory: string): string => join(directory, 'hosts');
export const dataDirectory = (directory: string, host: string): string => join(hostsDirectory(directory), host);
export const logFile = (directory: string, host: string): string => join(hostsDirectory(directory), `${host}.log`);
export const stateFile = (directory: string): string => file.at(directory);
export const urlOf = ({ port }: HostPlace): string => `http://127.0.0.1:${port}`;

/** The error of a directory that cannot be used. */
export function unusable(directory: string, reason: string): Error {
  return failure('MILLRACE_CLUSTER_DIRECTORY', { directory, reason });
}

/** Writes it. @throws MILLRACE_CLUSTER_DIRECTORY */
export function writeState(directory: string, state: ClusterState): void {
  try {
    file.write(directory, { format: FORMAT, ...state });
  } catch (error) {
    throw unusable(directory, reasonOf(error));
  }
}

/**
 * Reads it; null when there is none, nor anything in the directory that a cluster would not put there.
 *
 * @throws MILLRACE_CLUSTER_DIRECTORY when something else is there
 */
export async function readState(directory: string): Promise<ClusterState | null> {
  const value = await file.read(directory);
  if (value === null) return null;
  if (!isState(value)) throw unusable(directory, `its ${STATE_FILE} was not written by this version`);
  return value;
}

function isState(value: unknown): value is ClusterState {
  if (typeof value !== 'object' || value === null) return false;
  const { format, hosts } = value as { readonly format?: unknown; readonly hosts?: unknown };
  return format === FORMAT && Array.isArray(hosts) && isHosts(hosts);
}

function isHosts(hosts: readonly unknown[]): boolean {
  if (hosts.length < 1 || hosts.length > CLUSTER_HOSTS_MAX) return false;
  return hosts.every((host) => {
    if (typeof host !== 'object' || host === null) return false;
    const { name, port, pid } = host as Readonly<Record<string, unknown>>;
    const isNumbered = typeof name === 'string' && /^host-\d{1,2}$/.test(name);
    return isNumbered && isWithin(port, 1, 65_535) && isWithin(pid, 0, Number.MAX_SAFE_INTEGER);
  });
}

function isWithin(value: unknown, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}
