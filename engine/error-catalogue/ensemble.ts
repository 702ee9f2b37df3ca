// What can go wrong with an ensemble of ZooKeeper servers on this machine. Part of the catalogue in errors.ts, which
// says how an entry is written. Pure data, any thread.

import type { Entry } from './entry.js';

export const ensembleErrors = {
  MILLRACE_ZOOKEEPER_MISSING: {
    status: 500,
    message: 'no ZooKeeper server can be started, because "{what}" is missing: {reason}',
    hint: 'on Debian: apt-get install -y --no-install-recommends zookeeper; elsewhere install Java 11 or later, unpack Apache ZooKeeper and set ZOOKEEPER_HOME to its directory',
  },
  MILLRACE_ENSEMBLE_OPTION: {
    status: 400,
    message: 'option "{option}" of the ensemble cannot be taken: {reason}',
    hint: '{advice}',
  },
  MILLRACE_ENSEMBLE_DIRECTORY: {
    status: 409,
    message: 'directory "{directory}" cannot hold the data of an ensemble: {reason}',
    hint: 'name another directory, or remove this one if nothing in it is needed',
  },
  MILLRACE_ENSEMBLE_UNKNOWN: {
    status: 404,
    message: 'there is no ensemble in directory "{directory}"',
    hint: 'millrace zookeeper start --data {directory} makes one; check the path, it is taken from the current directory',
  },
  MILLRACE_ENSEMBLE_PORT: {
    status: 409,
    message: 'port {port} of 127.0.0.1 for server {server} of the ensemble in "{directory}" cannot be used: {reason}',
    hint: 'end the program that listens there, or start an ensemble in another directory on other ports',
  },
  MILLRACE_ENSEMBLE_DIED: {
    status: 500,
    message: 'server {server} of the ensemble in "{directory}" ended while it started: {reason}',
    hint: 'its log says more: {log}',
  },
  MILLRACE_ENSEMBLE_LATE: {
    status: 504,
    message: 'the ensemble in "{directory}" does not serve after {ms} ms: {states}',
    hint: 'the machine may be busy: try again; the logs in that directory say more',
  },
  MILLRACE_ENSEMBLE_SERVER: {
    status: 404,
    message: 'the ensemble in "{directory}" has no {server} now: {states}',
    hint: 'millrace zookeeper status --data {directory} shows its servers; start brings back those that are down',
  },
} as const satisfies Record<string, Entry>;
