// The assignments as a host follows them. One that cannot be read, because somebody wrote over it by hand, counts as it
// stood before: what runs is not ended by a slip, and the master writes it anew. Main thread.

import { reasonOf } from '../../engine/errors.js';
import type { Logger } from '../../engine/log.js';
import { fromNode } from '../store/json-node.js';
import type { StoreNode } from '../store/contract.js';
import { isAssignment } from '../topology-records.js';
import { versionsOf, type Version } from '../versions.js';

interface Good {
  readonly versions: readonly Version[];
  /** The last change of the node that was told of as one that cannot be read. */
  toldRevision: bigint | null;
}

export class Assigned {
  private readonly logger: Logger;
  private good = new Map<string, Good>();

  constructor(logger: Logger) {
    this.logger = logger;
  }

  /** What is assigned to any host. */
  read(nodes: ReadonlyMap<string, StoreNode>): readonly Version[] {
    const now = new Map<string, Good>();
    for (const [name, node] of nodes) now.set(name, this.readOne(name, node));
    this.good = now;
    return [...now.values()].flatMap(({ versions }) => versions);
  }

  private readOne(name: string, node: StoreNode): Good {
    try {
      return { versions: versionsOf(fromNode(node, isAssignment)), toldRevision: null };
    } catch (error) {
      const before = this.good.get(name) ?? { versions: [], toldRevision: null };
      const { modifyRevision } = node.stat;
      if (before.toldRevision !== modifyRevision) this.logger.error(reasonOf(error));
      return { ...before, toldRevision: modifyRevision };
    }
  }
}
