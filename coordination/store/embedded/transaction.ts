// Carries out the operations of one call on the tree: each is checked against the tree as the ones before it left it,
// and when one cannot be done all are undone. Invariant: a transaction that throws has changed nothing. Pure, the
// host's main thread.

import { failure, type MillraceError } from '../../../engine/errors.js';
import { allows, granted, OPEN_ACCESS, type GrantedRule, type StoreUser } from '../access.js';
import type { AccessRule, Operation, OperationResult, Permission } from '../contract.js';
import { parentOf, sequenceName } from '../node-path.js';
import { isSequential, naming } from '../operations.js';
import { costOf, statOf, type Effect, type Tree, type TreeNode } from './tree.js';

/** A transaction that is carried out in memory and not yet on disk. */
export interface Applied {
  readonly revision: number;
  readonly effects: readonly Effect[];
  readonly results: readonly OperationResult[];
  undo(): void;
}

/** Who calls, and what the whole tree may take. */
export interface TransactionContext {
  readonly tree: Tree;
  readonly session: string;
  /** For whom the session speaks. */
  readonly users: readonly StoreUser[];
  /** The rules of nodes that are created without any. */
  readonly access: readonly AccessRule[] | null;
  readonly revision: number;
  readonly treeBytesMax: number;
}

/**
 * Carries out all operations on the tree, or none.
 *
 * @throws the error of the first that cannot be done, with `operationOf`
 */
export function transact(operations: readonly Operation[], context: TransactionContext): Applied {
  const { tree, revision } = context;
  const effects: Effect[] = [];
  const results: OperationResult[] = [];
  const undos: (() => void)[] = [];
  const undo = (): void => {
    for (const each of undos.splice(0).reverse()) each();
  };
  try {
    operations.forEach((operation, index) => {
      naming(index, () => {
        const effect = effectOf(operation, context);
        if (effect !== null) {
          effects.push(effect);
          undos.push(tree.apply(effect, revision));
        }
        results.push(resultOf(operation, effect, tree));
      });
    });
  } catch (error) {
    undo();
    throw error;
  }
  return { revision, effects, results, undo };
}

/**
 * Replaces the access rules of a node.
 *
 * @throws MILLRACE_STORE_ACCESS, MILLRACE_STORE_NO_NODE, MILLRACE_STORE_FORBIDDEN, MILLRACE_STORE_FULL
 */
export function changeAccess(path: string, rules: readonly AccessRule[], context: TransactionContext): Applied {
  const { tree, revision, users } = context;
  const access = granted(path, rules, users);
  const node = nodeAt(path, tree);
  checkMay(node, users, 'admin', 'change the access rules of', path);
  checkRoom(path, costOf(path, { data: node.data, access }) - costOf(path, node), context);
  const effect: Effect = { type: 'access', path, access };
  return { revision, effects: [effect], results: [], undo: tree.apply(effect, revision) };
}

/** Deletes everything that goes with that session. */
export function endSession(tree: Tree, session: string, revision: number): Applied {
  const effects = [...(tree.owned.get(session) ?? [])].map((path) => ({ type: 'delete' as const, path }));
  const undos = effects.map((effect) => tree.apply(effect, revision)).reverse();
  return { revision, effects, results: [], undo: () => undos.splice(0).forEach((each) => each()) };
}

/** What that operation changes, or null when it changes nothing. */
function effectOf(operation: Operation, context: TransactionContext): Effect | null {
  switch (operation.type) {
    case 'check':
      checkVersion(operation.path, context, operation.version, 'read');
      return null;
    case 'create':
      return creation(operation, context);
    case 'set': {
      const node = checkVersion(operation.path, context, operation.version, 'write');
      checkRoom(operation.path, operation.data.byteLength - node.data.byteLength, context);
      return { type: 'set', path: operation.path, data: copyOf(operation.data) };
    }
    case 'delete': {
      const { path } = operation;
      checkMay(nodeAt(parentOf(path), context.tree), context.users, 'delete', 'delete', path);
      const node = checkVersion(path, context, operation.version, null);
      if (node.children.size > 0) throw failure('MILLRACE_STORE_NOT_EMPTY', { path });
      return { type: 'delete', path };
    }
  }
}

function creation(operation: Extract<Operation, { readonly type: 'create' }>, context: TransactionContext): Effect {
  const { tree, session, users } = context;
  const { path: asked, data, mode = 'persistent' } = operation;
  const rules = operation.access ?? context.access;
  const access: readonly GrantedRule[] = rules === null ? OPEN_ACCESS : granted(asked, rules, users);
  const sequential = isSequential(mode);
  const parentPath = parentOf(asked);
  const parent = nodeAt(parentPath, tree);
  checkMay(parent, users, 'create', 'create', asked);
  const path = sequential ? sequenceName(asked, parent.nextSequence) : asked;
  if (parent.owner !== null) throw failure('MILLRACE_STORE_EPHEMERAL_PARENT', { path });
  if (tree.nodes.has(path)) throw failure('MILLRACE_STORE_NODE_EXISTS', { path });
  checkRoom(path, costOf(path, { data, access }), context);
  const owner = mode === 'ephemeral' || mode === 'ephemeral-sequential' ? session : null;
  return { type: 'create', path, data: copyOf(data), owner, sequential, access };
}

function resultOf(operation: Operation, effect: Effect | null, tree: Tree): OperationResult {
  if (effect?.type === 'create') return { type: 'create', path: effect.path };
  if (effect?.type === 'set') return { type: 'set', stat: statOf(tree.nodes.get(effect.path)!) };
  return { type: operation.type === 'delete' ? 'delete' : 'check' };
}

/** @throws MILLRACE_STORE_NO_NODE */
export function nodeAt(path: string, tree: Tree): TreeNode {
  const node = tree.nodes.get(path);
  if (node === undefined) throw failure('MILLRACE_STORE_NO_NODE', { path });
  return node;
}

/** @throws MILLRACE_STORE_FORBIDDEN */
export function checkMay(
  node: TreeNode,
  users: readonly StoreUser[],
  permission: Permission,
  what: string,
  path: string,
): void {
  if (!allows(node.access, users, permission)) throw failure('MILLRACE_STORE_FORBIDDEN', { what, path });
}

function checkVersion(
  path: string,
  { tree, users }: TransactionContext,
  expected: number | null,
  permission: 'read' | 'write' | null,
): TreeNode {
  const node = nodeAt(path, tree);
  if (permission !== null) checkMay(node, users, permission, permission, path);
  if (expected === null || expected === node.version) return node;
  throw failure('MILLRACE_STORE_BAD_VERSION', { path, expected });
}

function checkRoom(path: string, bytes: number, { tree, treeBytesMax }: TransactionContext): void {
  if (bytes <= 0 || tree.bytes + bytes <= treeBytesMax) return;
  const reason = `it keeps at most ${treeBytesMax} bytes in memory`;
  throw failure('MILLRACE_STORE_FULL', { what: `node "${path}"`, reason }) satisfies MillraceError;
}

/** The caller may write into its buffer again; the store hands out the same bytes to all. */
function copyOf(data: Uint8Array): Uint8Array {
  return Uint8Array.from(data);
}
