// What stands in the simulated store, read from the changes at its leader: the rules look here, and never ask a server
// that may be behind.

import { childOf } from '../../coordination/store/node-path.js';
import type { Change } from '../../coordination/store/simulated/leader.js';

export interface MirrorNode {
  readonly data: Uint8Array;
  /** The session that it goes with. */
  readonly owner: string | null;
}

/** A change of one node. */
export interface NodeChange {
  readonly type: 'create' | 'set' | 'delete';
  readonly path: string;
  readonly directory: string;
  readonly name: string;
  /** As it is now; of one that was deleted, as it was. */
  readonly node: MirrorNode;
}

export class Mirror {
  revision = 0;
  private readonly nodes = new Map<string, MirrorNode>();
  private readonly names = new Map<string, Set<string>>();

  /** Takes a change over, and calls for each of its nodes. */
  apply({ revision, effects }: Change, changed: (change: NodeChange) => void): void {
    this.revision = revision;
    for (const effect of effects) {
      if (effect.type === 'boot' || effect.type === 'access') continue;
      const { type, path } = effect;
      const at = path.lastIndexOf('/');
      const directory = path.slice(0, at);
      const name = path.slice(at + 1);
      const before = this.nodes.get(path);
      if (type === 'delete') {
        this.nodes.delete(path);
        this.names.get(directory)?.delete(name);
        if (before !== undefined) changed({ type, path, directory, name, node: before });
        continue;
      }
      const owner = type === 'create' ? effect.owner : (before?.owner ?? null);
      const node: MirrorNode = { data: effect.data, owner };
      this.nodes.set(path, node);
      if (!this.names.has(directory)) this.names.set(directory, new Set());
      this.names.get(directory)!.add(name);
      changed({ type, path, directory, name, node });
    }
  }

  children(directory: string): readonly string[] {
    return [...(this.names.get(directory) ?? [])];
  }

  get(path: string): MirrorNode | undefined {
    return this.nodes.get(path);
  }

  /** What is in a node that holds JSON. */
  read<T>(path: string): T | null {
    const node = this.nodes.get(path);
    return node === undefined ? null : jsonOf<T>(node);
  }

  readAll<T>(directory: string): readonly { readonly name: string; readonly value: T }[] {
    return this.children(directory).map((name) => ({
      name,
      value: jsonOf<T>(this.nodes.get(childOf(directory, name))!),
    }));
  }
}

export function jsonOf<T>({ data }: MirrorNode): T {
  return JSON.parse(Buffer.from(data).toString('utf8')) as T;
}
