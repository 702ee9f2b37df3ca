// What a session may read of a tree: the access rules are looked at where the data is, in the same step as the data is
// read. Whether a node exists anybody may know. Pure, the host's main thread.

import { failure } from '../../../engine/errors.js';
import { allows, hidden, type StoreUser } from '../access.js';
import type { AccessRule, Stat, StoreNode } from '../contract.js';
import { checkMay, nodeAt } from './transaction.js';
import type { Tree, TreeNode } from './tree.js';

/** @throws MILLRACE_STORE_NO_NODE, MILLRACE_STORE_FORBIDDEN */
export function readNode(tree: Tree, users: readonly StoreUser[], path: string): StoreNode {
  readable(tree, users, path);
  return tree.read(path)!;
}

/** @throws MILLRACE_STORE_NO_NODE, MILLRACE_STORE_FORBIDDEN */
export function readChildren(tree: Tree, users: readonly StoreUser[], path: string): readonly string[] {
  readable(tree, users, path);
  return tree.childNames(path)!;
}

/** Anybody may know that a node is there. */
export function readStat(tree: Tree, path: string): Stat | null {
  return tree.read(path)?.stat ?? null;
}

/** @throws MILLRACE_STORE_NO_NODE, MILLRACE_STORE_FORBIDDEN */
export function readAccess(tree: Tree, users: readonly StoreUser[], path: string): readonly AccessRule[] {
  const { access } = nodeAt(path, tree);
  if (allows(access, users, 'admin')) return access;
  if (allows(access, users, 'read')) return hidden(access);
  throw failure('MILLRACE_STORE_FORBIDDEN', { what: 'see the access rules of', path });
}

/** What a watch tells of a node. @throws MILLRACE_STORE_FORBIDDEN */
export function watchedNode(tree: Tree, users: readonly StoreUser[], path: string): StoreNode | null {
  return tree.nodes.has(path) ? readNode(tree, users, path) : null;
}

/** What a watch tells of the names of children. @throws MILLRACE_STORE_FORBIDDEN */
export function watchedChildren(tree: Tree, users: readonly StoreUser[], path: string): readonly string[] | null {
  return tree.nodes.has(path) ? readChildren(tree, users, path) : null;
}

function readable(tree: Tree, users: readonly StoreUser[], path: string): TreeNode {
  const node = nodeAt(path, tree);
  checkMay(node, users, 'read', 'read', path);
  return node;
}
