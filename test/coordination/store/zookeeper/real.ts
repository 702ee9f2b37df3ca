// Sessions on a real ensemble for the tests of gaps and faults, and waiting for what happens to them.

import type { Test } from 'tap';
import type { Ensemble } from '../../../../coordination/ensemble/ensemble.js';
import type { Session, SessionEvent, StoreNode } from '../../../../coordination/store/contract.js';
import {
  ZookeeperStore,
  type ZookeeperStoreOptions,
} from '../../../../coordination/store/zookeeper/zookeeper-store.js';
import type { ZookeeperSession } from '../../../../coordination/store/zookeeper/zookeeper-session.js';

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
export const textOf = (data: Uint8Array): string => new TextDecoder().decode(data);

let chroots = 0;

/** A session in a directory of its own, closed with the test. */
export async function sessionOn(
  t: Test,
  ensemble: Ensemble,
  options: Partial<ZookeeperStoreOptions> = {},
): Promise<ZookeeperSession> {
  const store = new ZookeeperStore({ servers: ensemble.connectString, ...options });
  const session = await store.connect();
  t.teardown(() => session.end(1_000));
  return session;
}

/** The name of a directory that no other test has. */
export function freshPath(name: string): string {
  return `/${name}-${chroots++}`;
}

/** Every event of a session from now on, and waiting for one. */
export class Events {
  readonly seen: SessionEvent['type'][] = [];
  private readonly waiting: (() => void)[] = [];

  constructor(session: Session) {
    session.onEvent(({ type }) => {
      this.seen.push(type);
      for (const wake of this.waiting.splice(0)) wake();
    });
  }

  /** Resolves when so many of them have come. */
  async until(type: SessionEvent['type'], count = 1): Promise<void> {
    while (this.seen.filter((each) => each === type).length < count) {
      if (type !== 'lost' && this.seen.includes('lost')) throw new Error(`the session was lost before "${type}"`);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }
}

/** Resolves when the node is as wanted. */
export async function untilNode(
  session: Session,
  path: string,
  wanted: (node: StoreNode | null) => boolean,
): Promise<void> {
  await new Promise<void>((resolve) => {
    const following = session.watchNode(path, (node) => {
      if (!wanted(node)) return;
      resolve();
      setImmediate(() => following.close());
    });
  });
}

/** What a call came to: its error's code, or its value. */
export async function outcome(call: Promise<unknown>): Promise<unknown> {
  return await call.catch((error: unknown) => (error as { readonly code?: string }).code ?? error);
}
