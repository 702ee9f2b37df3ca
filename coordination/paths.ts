// Where what stands in the store; this comment is the schema. Every node is JSON of the shape named here
// (topology-records.ts; the epoch in recipes/election.ts), but for the pieces, which are parts of a longer text.
//
//   /version                      Version      the format of all of it: hosts that know only older ones stay away
//   /epoch                        Epoch        its version fences every write of a master
//   /masters/ID_0000000007        host~boot    ephemeral, sequential: the queue of the election, the first is master
//   /hosts/HOST~BOOT              HostRecord   ephemeral: who is there, with how many slots
//   /refused/HOST~BOOT            Refusal      a host that was not taken, and why; for people, a bounded number
//   /drains/HOST                  Drain        that host, by its name, gets no workers, and those it has are moved away
//   /reports/HOST~BOOT            Report       what a host runs, and what ended there; a master reads it before it goes
//   /topologies/NAME              Wish         what a user asked for; written by any host, deleted by the master
//   /payloads/ID/0…               pieces       definition and description of the topology with that id
//   /assignments/NAME             Assignment   where it runs; written by the master alone
//   /checkpoints/ID               Claim        its version fences those who write progress
//   /checkpoints/ID/0…15          Progress     of the partitions of its spouts
//   /parameters/cluster           Parameters   what components of all topologies see, and hosts heed; by any host
//   /parameters/ID                Parameters   what components of the topology with that id see; goes with it
//   /finals/ID                    Final        how it ended and its last counts, until the master makes history of it
//   /history/h_0000000042         Ended        the last ended topologies
//
// A submission is one wish and its payload; the master answers with an assignment, the host with reports and a final,
// and the master with a line of history. Who reads a node may meet any version of it, and who decides checks the
// version.

import { childOf } from './store/node-path.js';

export const VERSION = '/version';
export const EPOCH = '/epoch';
export const MASTERS = '/masters';
export const HOSTS = '/hosts';
export const REFUSED = '/refused';
export const DRAINS = '/drains';
export const REPORTS = '/reports';
export const TOPOLOGIES = '/topologies';
export const PAYLOADS = '/payloads';
export const ASSIGNMENTS = '/assignments';
export const CHECKPOINTS = '/checkpoints';
export const PARAMETERS = '/parameters';
export const FINALS = '/finals';
export const HISTORY = '/history';

/** The nodes that are always there, in the order in which they are created. */
export const LAYOUT = [
  MASTERS,
  HOSTS,
  REFUSED,
  DRAINS,
  REPORTS,
  TOPOLOGIES,
  PAYLOADS,
  ASSIGNMENTS,
  CHECKPOINTS,
  PARAMETERS,
  FINALS,
  HISTORY,
] as const;

/** One life of a host: a host that starts again is another member, so it never fights its own ghost. */
export function memberOf(host: string, boot: string): string {
  return `${host}~${boot}`;
}

export const hostPath = (member: string): string => childOf(HOSTS, member);
export const refusedPath = (member: string): string => childOf(REFUSED, member);
export const drainPath = (host: string): string => childOf(DRAINS, host);
export const reportPath = (member: string): string => childOf(REPORTS, member);
export const wishPath = (name: string): string => childOf(TOPOLOGIES, name);
export const payloadPath = (id: string): string => childOf(PAYLOADS, id);
export const assignmentPath = (name: string): string => childOf(ASSIGNMENTS, name);
export const checkpointsPath = (id: string): string => childOf(CHECKPOINTS, id);
export const CLUSTER_PARAMETERS = childOf(PARAMETERS, 'cluster');
export const parametersPath = (id: string): string => childOf(PARAMETERS, id);
export const finalPath = (id: string): string => childOf(FINALS, id);
export const historyPath = (entry: string): string => childOf(HISTORY, entry);

/** What a line of history is created as; the store ends it with a number. */
export const NEW_HISTORY = childOf(HISTORY, 'h_');
