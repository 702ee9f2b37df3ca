// What the errors of ZooKeeper are called here. A server that answers with an error has changed nothing. Numbers that
// neither the package nor this file knows are errors like others: servers grow new ones. Pure, any thread.

import exceptions from 'node-zookeeper-client/lib/Exception.js';
import { failure, type MillraceError } from '../../../engine/errors.js';

/** What a request was, as far as its errors name it. */
export interface Subject {
  /** `get "/one"`. */
  readonly what: string;
  /** `read`, `set`, …: what the session may not do with the node. */
  readonly doing: string;
  readonly path: string;
  /** The node that is missing when the server says that one is: the parent of one that is to be created. */
  readonly missing: string;
  readonly version: number | null;
}

/** Numbers of newer servers, which the package lacks. */
const newer: Readonly<Record<string, number>> = {
  SESSION_MOVED: -118,
  NOT_READ_ONLY: -119,
  EPHEMERAL_ON_LOCAL_SESSION: -120,
  NO_WATCHER: -121,
  REQUEST_TIMEOUT: -122,
  RECONFIG_IN_PROGRESS: -123,
  SESSION_CLOSED_REQUIRE_SASL_AUTH: -124,
  QUOTA_EXCEEDED: -125,
  THROTTLED_OPERATION: -127,
};

const names = new Map<number, string>();
for (const [name, number] of [...Object.entries(exceptions), ...Object.entries(newer)]) {
  if (typeof number === 'number') names.set(number, name);
}

/** The name of an error number, as ZooKeeper has it. */
export function errorName(number: number): string {
  return names.get(number) ?? 'unknown here';
}

/** Whether a number has that name. */
export function isError(number: number, ...anyOf: readonly string[]): boolean {
  return anyOf.includes(errorName(number));
}

/** The error of a request that a server refused with that number. */
export function refusal(number: number, subject: Subject): MillraceError {
  const { what, path, missing } = subject;
  const name = errorName(number);
  switch (name) {
    case 'NO_NODE':
      return failure('MILLRACE_STORE_NO_NODE', { path: missing });
    case 'NODE_EXISTS':
      return failure('MILLRACE_STORE_NODE_EXISTS', { path });
    case 'BAD_VERSION':
      return failure('MILLRACE_STORE_BAD_VERSION', { path, expected: subject.version ?? 'any' });
    case 'NOT_EMPTY':
      return failure('MILLRACE_STORE_NOT_EMPTY', { path });
    case 'NO_CHILDREN_FOR_EPHEMERALS':
      return failure('MILLRACE_STORE_EPHEMERAL_PARENT', { path });
    case 'NO_AUTH':
      return failure('MILLRACE_STORE_FORBIDDEN', { what: subject.doing, path });
    case 'INVALID_ACL':
      return failure('MILLRACE_STORE_ACCESS', { path, reason: 'ZooKeeper does not take them' });
    case 'QUOTA_EXCEEDED':
      return failure('MILLRACE_STORE_FULL', { what, reason: 'a quota of ZooKeeper is used up' });
    case 'SESSION_MOVED':
    case 'NOT_READ_ONLY':
    case 'REQUEST_TIMEOUT':
    case 'THROTTLED_OPERATION':
      return failure('MILLRACE_STORE_UNAVAILABLE', { what, reason: `ZooKeeper answered ${name}` });
    default:
      return failure('MILLRACE_ZOOKEEPER_REFUSED', { what, number, name });
  }
}
