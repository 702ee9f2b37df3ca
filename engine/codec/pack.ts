// msgpack in one place (msgpackr, github.com/kriszyp/msgpackr). Rows are arrays, so record extensions are off;
// `moreTypes` is on, because without it typed arrays other than Uint8Array arrive corrupt; binary data is copied out of
// the frame that it came in. -0 arrives as 0. Classes of users travel by extensions of their own. `pack` results share
// one buffer: copy before the next call.

import { addExtension, Packr, Unpackr } from 'msgpackr';
import { onExtension } from '../component/extension.js';

onExtension(({ type, number, pack, unpack }) => {
  addExtension({ Class: type, type: number, write: pack, read: unpack });
});

// A key `toJSON` of plain data is data.
const packr = new Packr({ useRecords: false, moreTypes: true, useBigIntExtension: true, useToJSON: false });
const unpackr = new Unpackr({
  useRecords: false,
  moreTypes: true,
  useBigIntExtension: true,
  copyBuffers: true,
});

/** Packs a value. The result is valid until the next call. */
export function pack(value: unknown): Uint8Array {
  return packr.pack(value);
}

/** Unpacks what `pack` made; throws on anything else. */
export function unpack(bytes: Uint8Array): unknown {
  return unpackr.unpack(bytes);
}
