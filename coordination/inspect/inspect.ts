// Looks at nodes for people: one, the children of one, or all below one, each with what it holds. Reads only, and
// against nodes that come and go meanwhile: what is gone when it is read is left out. Main thread.

import { failure } from '../../engine/errors.js';
import { INSPECT_CHILDREN_AT_ONCE } from '../../engine/limits.js';
import type { AccessRule, Session, Stat, StoreNode } from '../store/contract.js';
import { childOf, nameOf } from '../store/node-path.js';
import { hasCode } from '../store/store-errors.js';
import { contentOf, PIECES_MAX, type Content, type ContentOptions, type ContentPiece } from './content.js';
import { kindOf } from './kinds.js';

/** A node, and what it holds. */
export interface Inspected {
  readonly path: string;
  readonly stat: Stat;
  /** Of its data; null when that may not be read. */
  readonly bytes: number | null;
  readonly content: Content;
}

/** A node of a tree, `depth` below the one that was asked for. */
export interface InspectedBelow extends Inspected {
  readonly depth: number;
}

/**
 * That node; one that may not be read has what may be known of it.
 *
 * @throws MILLRACE_STORE_NO_NODE, and what the store throws
 */
export async function inspect(session: Session, path: string, options: ContentOptions = {}): Promise<Inspected> {
  let node: StoreNode;
  try {
    node = await session.get(path);
  } catch (error) {
    if (!hasCode(error, 'MILLRACE_STORE_FORBIDDEN')) throw error;
    const stat = await session.exists(path);
    if (stat === null) throw failure('MILLRACE_STORE_NO_NODE', { path });
    return { path, stat, bytes: null, content: { kind: 'forbidden', error } };
  }
  const pieces = kindOf(path).kind === 'pieces' ? await piecesOf(session, node) : [];
  const { stat, data } = node;
  return { path, stat, bytes: data.byteLength, content: contentOf(node, pieces, options) };
}

/**
 * Who may do what with that node; null when the session may not know.
 *
 * @throws MILLRACE_STORE_NO_NODE, and what the store throws
 */
export async function inspectAccess(session: Session, path: string): Promise<readonly AccessRule[] | null> {
  return await unlessForbidden(session.access(path));
}

/**
 * The children of that node, sorted by name, some at a time.
 *
 * @throws MILLRACE_STORE_NO_NODE, and what the store throws
 */
export async function* inspectChildren(
  session: Session,
  path: string,
  options: ContentOptions = {},
): AsyncGenerator<Inspected> {
  const names = await session.children(path);
  for (let at = 0; at < names.length; at += INSPECT_CHILDREN_AT_ONCE) {
    const some = names.slice(at, at + INSPECT_CHILDREN_AT_ONCE);
    const found = await Promise.all(some.map((name) => unlessGone(inspect(session, childOf(path, name), options))));
    yield* found.filter((each) => each !== null);
  }
}

/**
 * That node and everything below it, parents before their children.
 *
 * @throws MILLRACE_STORE_NO_NODE, and what the store throws
 */
export async function* inspectTree(
  session: Session,
  path: string,
  options: ContentOptions = {},
): AsyncGenerator<InspectedBelow> {
  yield* below(session, await inspect(session, path, options), 0, options);
}

async function* below(
  session: Session,
  node: Inspected,
  depth: number,
  options: ContentOptions,
): AsyncGenerator<InspectedBelow> {
  yield { ...node, depth };
  if (node.stat.childCount === 0) return;
  try {
    for await (const child of inspectChildren(session, node.path, options)) {
      yield* below(session, child, depth + 1, options);
    }
  } catch (error) {
    // It has gone, or nobody may know what is below it.
    if (!hasCode(error, 'MILLRACE_STORE_NO_NODE', 'MILLRACE_STORE_FORBIDDEN')) throw error;
  }
}

async function piecesOf(session: Session, { path, stat }: StoreNode): Promise<readonly ContentPiece[]> {
  if (stat.childCount === 0) return [];
  // One more than there can be is enough to tell that there are too many.
  const names = ((await unlessForbidden(unlessGone(session.children(path)))) ?? []).slice(0, PIECES_MAX + 1);
  const nodes = await Promise.all(names.map((name) => unlessForbidden(unlessGone(session.get(childOf(path, name))))));
  return nodes.flatMap((node) => (node === null ? [] : [{ name: nameOf(node.path), data: node.data }]));
}

async function unlessGone<T>(read: Promise<T>): Promise<T | null> {
  try {
    return await read;
  } catch (error) {
    if (hasCode(error, 'MILLRACE_STORE_NO_NODE')) return null;
    throw error;
  }
}

async function unlessForbidden<T>(read: Promise<T>): Promise<T | null> {
  try {
    return await read;
  } catch (error) {
    if (hasCode(error, 'MILLRACE_STORE_FORBIDDEN')) return null;
    throw error;
  }
}
