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
} as const satisfies Record<string, Entry>;
