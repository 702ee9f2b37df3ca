// Which ZooKeeper a component talks to, read from its settings: the servers and whom it speaks for. What is wrong with
// the servers themselves is told when the store is opened. Any thread.

import type { Settings } from '../../../engine/connect/settings.js';
import { ZOOKEEPER_USERS_MAX } from '../../../engine/limits.js';
import type { Credentials } from '../../store/contract.js';

/** Where a session leads to. */
export interface StorePlace {
  /** `zk1:2181,zk2:2181,zk3:2181/prod`. */
  readonly servers: string;
  readonly credentials: readonly Credentials[];
}

/** Reads `servers` and `users`. @throws MILLRACE_CONNECT_SETTING */
export function readPlace(settings: Settings): StorePlace {
  const servers = settings.text('servers');
  const users = settings.any('users') === undefined ? [] : settings.texts('users');
  if (users.length > ZOOKEEPER_USERS_MAX) throw settings.wrong('users', `must be at most ${ZOOKEEPER_USERS_MAX}`);
  const credentials = users.map((text) => {
    const colon = text.indexOf(':');
    // Nothing of a password may be repeated.
    if (colon < 1) throw settings.wrong('users', 'must be texts such as "user:password"');
    return { user: text.slice(0, colon), password: text.slice(colon + 1) };
  });
  return { servers, credentials };
}
