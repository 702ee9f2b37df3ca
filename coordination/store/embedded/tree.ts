// The tree of the embedded store in memory, and the effects that change it. An effect is what a checked operation comes
// to: it cannot fail, and the log holds nothing else, so reading the log again gives the same tree. Each effect gives
// back how to undo it, for a transaction that fails in its middle and for a group that did not reach the disk. Pure,
// the host's main thread.

import { accessBytes, OPEN_ACCESS, type GrantedRule } from '../access.js';
import type { Stat, StoreNode } from '../contract.js';
import { childOf, nameOf, parentOf } from '../node-path.js';

/** One change of the tree. */
export type Effect =
  | {
      readonly type: 'create';
      readonly path: string;
      readonly data: Uint8Array;
      readonly owner: string | null;
      /** The store chose the end of the name. */
      readonly sequential: boolean;
      readonly access: readonly GrantedRule[];
    }
  | { readonly type: 'access'; readonly path: string; readonly access: readonly GrantedRule[] }
  | { readonly type: 'set'; readonly path: string; readonly data: Uint8Array }
  | { readonly type: 'delete'; readonly path: string }
  /** A process opened the store: sessions of earlier ones are gone. */
  | { readonly type: 'boot' };

/** A node; its place in the tree is the key it is found by. */
export interface TreeNode {
  data: Uint8Array;
  version: number;
  readonly createRevision: number;
  modifyRevision: number;
  readonly owner: string | null;
  access: readonly GrantedRule[];
  readonly children: Set<string>;
  nextSequence: number;
}

/** What a node costs beside its path and data: an estimate of its objects. */
const NODE_BYTES = 200;

export class Tree {
  readonly nodes = new Map<string, TreeNode>();
  /** Paths of ephemeral nodes by the session that they go with. */
  readonly owned = new Map<string, Set<string>>();
  /** Counts processes that opened this store: makes the ids of sessions unlike all before. */
  boots = 0;
  /** An estimate of the memory that it takes. */
  bytes = 0;

  constructor() {
    this.put('/', { data: new Uint8Array(), owner: null, createRevision: 0, access: OPEN_ACCESS });
  }

  /** Carries it out; calling what comes back makes it undone, as long as nothing was done since. */
  apply(effect: Effect, revision: number): () => void {
    switch (effect.type) {
      case 'create':
        return this.create(effect, revision);
      case 'access':
        return this.setAccess(effect.path, effect.access);
      case 'set':
        return this.set(effect.path, effect.data, revision);
      case 'delete':
        return this.delete(effect.path);
      case 'boot':
        this.boots++;
        for (const path of this.ephemerals()) this.delete(path);
        return () => undefined;
    }
  }

  /** The node as callers see it, or null. */
  read(path: string): StoreNode | null {
    const node = this.nodes.get(path);
    return node === undefined ? null : { path, data: Uint8Array.from(node.data), stat: statOf(node) };
  }

  /** The names of the children, sorted, or null when there is no such node. */
  childNames(path: string): readonly string[] | null {
    const node = this.nodes.get(path);
    return node === undefined ? null : [...node.children].sort();
  }

  /** Puts a node back that a snapshot had; parents come first, the root before all. */
  restore(path: string, node: Omit<TreeNode, 'children'>): void {
    if (path === '/') this.bytes = 0;
    const put = this.put(path, node);
    put.version = node.version;
    put.modifyRevision = node.modifyRevision;
    put.nextSequence = node.nextSequence;
  }

  private ephemerals(): string[] {
    return [...this.owned.values()].flatMap((paths) => [...paths]);
  }

  private create(effect: Extract<Effect, { readonly type: 'create' }>, revision: number): () => void {
    const { path, data, owner, sequential, access } = effect;
    const parent = this.nodes.get(parentOf(path));
    this.put(path, { data, owner, createRevision: revision, access });
    if (sequential && parent !== undefined) parent.nextSequence++;
    return () => {
      this.take(path);
      if (sequential && parent !== undefined) parent.nextSequence--;
    };
  }

  private set(path: string, data: Uint8Array, revision: number): () => void {
    const node = this.nodes.get(path)!;
    const { data: oldData, version, modifyRevision } = node;
    const change = (to: Uint8Array): void => {
      this.bytes += to.byteLength - node.data.byteLength;
      node.data = to;
    };
    change(data);
    node.version++;
    node.modifyRevision = revision;
    return () => {
      change(oldData);
      node.version = version;
      node.modifyRevision = modifyRevision;
    };
  }

  private setAccess(path: string, access: readonly GrantedRule[]): () => void {
    const node = this.nodes.get(path)!;
    const { access: old } = node;
    const change = (to: readonly GrantedRule[]): void => {
      this.bytes -= costOf(path, node);
      node.access = to;
      this.bytes += costOf(path, node);
    };
    change(access);
    return () => change(old);
  }

  private delete(path: string): () => void {
    const node = this.nodes.get(path)!;
    this.take(path);
    return () => this.place(path, node);
  }

  private put(path: string, from: Pick<TreeNode, 'data' | 'owner' | 'createRevision' | 'access'>): TreeNode {
    const { data, owner, createRevision, access } = from;
    const children = new Set<string>();
    const modifyRevision = createRevision;
    const node = { data, version: 0, createRevision, modifyRevision, owner, access, children, nextSequence: 0 };
    this.place(path, node);
    return node;
  }

  private place(path: string, node: TreeNode): void {
    if (path !== '/') this.nodes.get(parentOf(path))!.children.add(nameOf(path));
    this.nodes.set(path, node);
    this.bytes += costOf(path, node);
    if (node.owner === null) return;
    const owned = this.owned.get(node.owner) ?? new Set();
    this.owned.set(node.owner, owned.add(path));
  }

  private take(path: string): void {
    const node = this.nodes.get(path)!;
    this.nodes.get(parentOf(path))!.children.delete(nameOf(path));
    this.nodes.delete(path);
    this.bytes -= costOf(path, node);
    if (node.owner === null) return;
    const owned = this.owned.get(node.owner);
    owned?.delete(path);
    if (owned?.size === 0) this.owned.delete(node.owner);
  }
}

/** Every node below and including that path, parents first. */
export function* walk(tree: Tree, from = '/'): Generator<readonly [path: string, node: TreeNode]> {
  const open = [from];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const node = tree.nodes.get(path);
    if (node === undefined) continue;
    yield [path, node];
    for (const name of node.children) open.push(childOf(path, name));
  }
}

export function statOf(node: TreeNode): Stat {
  return {
    version: node.version,
    createRevision: BigInt(node.createRevision),
    modifyRevision: BigInt(node.modifyRevision),
    ephemeralOwner: node.owner,
    childCount: node.children.size,
  };
}

/** What a node with that path, data and rules takes of memory. */
export function costOf(path: string, node: Pick<TreeNode, 'data' | 'access'>): number {
  const access = node.access === OPEN_ACCESS ? 0 : accessBytes(node.access);
  return NODE_BYTES + 2 * path.length + node.data.byteLength + access;
}
