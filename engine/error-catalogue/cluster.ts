// What can go wrong with the hosts of a cluster: who they are, whether they are drained, and a cluster for trying it
// out on one machine. Part of the catalogue in errors.ts, which says how an entry is written. Pure data, any thread.

import type { Entry } from './entry.js';

export const clusterErrors = {
  MILLRACE_DATA_NEWER: {
    status: 500,
    message: 'the data of the cluster has format {format}; this version of Millrace reads up to format {formatMax}',
    hint: 'nothing was changed: install the version that the other hosts have, or name another path behind the servers',
  },
  MILLRACE_HOST_ADDRESS_TAKEN: {
    status: 409,
    message: 'host "{other}" of the cluster is at {address} already, so host "{host}" cannot be there',
    hint: 'give each host an address of its own (--listen); one that was killed keeps its address for its session timeout',
  },
  MILLRACE_HOST_UNKNOWN: {
    status: 404,
    message: 'there is no host "{host}" in the cluster',
    hint: 'its hosts: {known}',
  },
  MILLRACE_DRAIN_LAST: {
    status: 409,
    message: 'host "{host}" cannot be drained: no other host takes workers',
    hint: 'start another host first, or undrain one; to stop everything, end the hosts: what is wished goes on when they are back',
  },
  MILLRACE_DRAIN_TAKEN_BACK: {
    status: 409,
    message: 'host "{host}" is drained no more: somebody took that back before it was without workers',
    hint: 'millrace hosts shows how it is; drain it again if it is to be without workers',
  },
  MILLRACE_CLUSTER_DIRECTORY: {
    status: 409,
    message: 'directory "{directory}" cannot hold a cluster: {reason}',
    hint: 'name another directory (--data), or remove this one if nothing in it is needed',
  },
  MILLRACE_CLUSTER_UNKNOWN: {
    status: 404,
    message: 'there is no cluster in directory "{directory}"',
    hint: 'millrace cluster up starts one; check the path (--data), it is taken from the current directory',
  },
  MILLRACE_CLUSTER_RUNNING: {
    status: 409,
    message: 'the cluster in directory "{directory}" runs already: {what}',
    hint: 'millrace cluster status shows it; millrace cluster down ends it, or name another directory (--data)',
  },
  MILLRACE_CLUSTER_PORT: {
    status: 409,
    message: 'port {port} of 127.0.0.1 for host "{host}" cannot be used: {reason}',
    hint: 'end the program that listens there, or give another port (--port); nothing was left running',
  },
  MILLRACE_CLUSTER_DIED: {
    status: 500,
    message: 'host "{host}" ended while it started: {reason}',
    hint: 'nothing was left running; its log says more: {log}',
  },
  MILLRACE_CLUSTER_LATE: {
    status: 504,
    message: 'the hosts of the cluster in directory "{directory}" do not take requests after {ms} ms: {states}',
    hint: 'nothing was left running; the machine may be busy: try again; the logs in {logs} say more',
  },
  MILLRACE_CLUSTER_STUCK: {
    status: 500,
    message: 'process {pid} of host "{host}" does not end',
    hint: 'the kernel does not let go of it: look at it with ps; millrace cluster down goes on when it is gone',
  },
} as const satisfies Record<string, Entry>;
