// What comes over a link may be from another process, so it is checked before anything of it is used. How all that
// reads frames refuses one: with an error that says what cannot be right. Whoever catches it ends the link, because
// what the frame should have said is lost. On the worker's thread.

import { failure } from '../errors.js';
import { unpack } from './pack.js';

/** The error of a frame that cannot be right. */
export function invalidFrame(reason: string): Error {
  return failure('MILLRACE_FRAME_INVALID', { reason });
}

/**
 * Unpacks what has to be a list.
 *
 * @param what - what it is called in the error
 * @throws MILLRACE_FRAME_INVALID
 */
export function unpackList(packed: Uint8Array, what: string): readonly unknown[] {
  let list: unknown;
  try {
    list = unpack(packed);
  } catch {
    throw invalidFrame(`${what} is not msgpack`);
  }
  if (!Array.isArray(list)) throw invalidFrame(`${what} is no list`);
  return list;
}
