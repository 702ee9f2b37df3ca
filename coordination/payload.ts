// The definition and description of a topology in the store: JSON in pieces, because a node has a limit. What fits into
// one transaction with the wish goes there; of larger ones the pieces come first, so a wish never lacks its payload.
// Main thread.

import { failure } from '../engine/errors.js';
import { STORE_PIECE_BYTES, WISH_BYTES_MAX } from '../engine/limits.js';
import { upToDate } from '../engine/model/describe.js';
import { payloadPath, wishPath } from './paths.js';
import { fromNode, toData } from './store/json-node.js';
import type { Operation, Session } from './store/contract.js';
import { childOf } from './store/node-path.js';
import { hasCode } from './store/store-errors.js';
import { isPayload, isWish, type Payload, type Wish } from './topology-records.js';
import { submittedOf } from './versions.js';

/** Deletes in one transaction: far below its limit in bytes. */
const DELETES_AT_ONCE = 200;

/**
 * The payload as JSON, in pieces.
 *
 * @throws MILLRACE_WISH_TOO_LARGE
 */
export function piecesOf(name: string, { source, posted, settings, description }: Payload): readonly Uint8Array[] {
  const data = toData({ source, posted, settings, description } satisfies Payload);
  const bytes = data.byteLength;
  if (bytes > WISH_BYTES_MAX) throw failure('MILLRACE_WISH_TOO_LARGE', { name, bytes, bytesMax: WISH_BYTES_MAX });
  const count = Math.max(1, Math.ceil(bytes / STORE_PIECE_BYTES));
  return Array.from({ length: count }, (_, i) => data.subarray(i * STORE_PIECE_BYTES, (i + 1) * STORE_PIECE_BYTES));
}

/** Writes the pieces, and the wish in the transaction of the last one. */
export async function savePayload(
  session: Session,
  id: string,
  pieces: readonly Uint8Array[],
  wish: Operation,
): Promise<void> {
  const path = payloadPath(id);
  const creates: Operation[] = [
    { type: 'create', path, data: new Uint8Array() },
    ...pieces.map((data, number) => ({ type: 'create', path: childOf(path, String(number)), data }) as const),
  ];
  // The node of the id and a piece, then a piece each: two large ones would not fit with a wish.
  while (creates.length > 2) await session.multi(creates.splice(0, creates.length === pieces.length + 1 ? 2 : 1));
  await session.multi([...creates, wish]);
}

/**
 * Reads what is needed to run that submission.
 *
 * @throws MILLRACE_STORE_NO_NODE when it has ended, also when another one has its name by now
 */
export async function loadWished(session: Session, { name, id }: Pick<Wish, 'name' | 'id'>): Promise<Payload> {
  const wish = fromNode(await session.get(wishPath(name)), isWish);
  const submitted = submittedOf(wish).find((each) => each.id === id);
  if (submitted === undefined) throw failure('MILLRACE_STORE_NO_NODE', { path: payloadPath(id) });
  return await loadPayload(session, submitted);
}

/**
 * Reads it back, whichever version wrote it.
 *
 * @throws MILLRACE_STORE_NO_NODE when its topology has ended, MILLRACE_STORE_CONTENT
 */
export async function loadPayload(session: Session, wish: Pick<Wish, 'id' | 'pieces'>): Promise<Payload> {
  const path = payloadPath(wish.id);
  const numbers = Array.from({ length: wish.pieces }, (_, number) => String(number));
  const nodes = await Promise.all(numbers.map((number) => session.get(childOf(path, number))));
  const payload = fromNode({ path, data: Buffer.concat(nodes.map(({ data }) => data)) }, isPayload);
  return { ...payload, description: upToDate(payload.description) };
}

/**
 * Deletes a node and its children, which have none.
 *
 * @param act - carries deletes out
 */
export async function deleteFlat(
  session: Session,
  path: string,
  act: (operations: readonly Operation[]) => Promise<unknown>,
): Promise<void> {
  try {
    const names = await session.children(path);
    const paths = [...names.map((name) => childOf(path, name)), path];
    while (paths.length > 0) {
      const some = paths.splice(0, DELETES_AT_ONCE);
      await act(some.map((each) => ({ type: 'delete', path: each, version: null }) as const));
    }
  } catch (error) {
    if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) throw error;
  }
}
