// A watch of a simulated session, at the client: lives over connections, asks each for the state, and tells what
// differs from what it told last. It never goes back, because no server takes a session that saw more than itself.

import { reasonOf } from '../../../engine/errors.js';
import type { Logger } from '../../../engine/log.js';
import type { StoreUser } from '../access.js';
import type { StoreNode } from '../contract.js';
import { watchedChildren, watchedNode } from '../embedded/reads.js';
import type { Tree } from '../embedded/tree.js';
import type { Connection } from './connection.js';

export interface ClientWatch {
  readonly path: string;
  /** Follows over that connection. */
  begin(connection: Connection): void;
  close(): void;
}

interface Followed<T> {
  readonly kind: 'node' | 'children';
  readonly path: string;
  readonly read: (tree: Tree) => T;
  /** What tells one state from another. */
  readonly key: (state: T) => string;
  readonly listener: (state: T) => void;
  readonly logger: Logger;
}

export function nodeWatch(
  path: string,
  users: readonly StoreUser[],
  listener: (node: StoreNode | null) => void,
  logger: Logger,
): ClientWatch {
  const key = (node: StoreNode | null): string => (node === null ? '' : String(node.stat.modifyRevision));
  const read = (tree: Tree): StoreNode | null => watchedNode(tree, users, path);
  return new Watch({ kind: 'node', path, read, key, listener, logger });
}

export function childrenWatch(
  path: string,
  users: readonly StoreUser[],
  listener: (names: readonly string[] | null) => void,
  logger: Logger,
): ClientWatch {
  const key = (names: readonly string[] | null): string => JSON.stringify(names);
  const read = (tree: Tree): readonly string[] | null => watchedChildren(tree, users, path);
  return new Watch({ kind: 'children', path, read, key, listener, logger });
}

class Watch<T> implements ClientWatch {
  readonly path: string;
  private readonly followed: Followed<T>;
  private told: string | null = null;
  private end: () => void = () => undefined;
  private closed = false;

  constructor(followed: Followed<T>) {
    this.followed = followed;
    this.path = followed.path;
  }

  begin(connection: Connection): void {
    const { kind, path, read } = this.followed;
    this.end();
    this.end = connection.watch({ kind, path }, read, (state) => this.tell(state as T));
  }

  close(): void {
    this.closed = true;
    this.end();
  }

  private tell(state: T): void {
    const { key, listener, logger, path } = this.followed;
    const now = key(state);
    if (this.closed || now === this.told) return;
    this.told = now;
    try {
      listener(state);
    } catch (error) {
      logger.error(`a listener of node "${path}" threw: ${reasonOf(error)}`);
    }
  }
}
