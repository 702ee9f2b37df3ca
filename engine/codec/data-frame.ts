// Frames that carry tuples and markers from one worker to another. All integers are 32-bit little-endian.
//
//   frame    = magic|version|kind  segments  ledgers  tracked  payloadBytes  number  ledger*  segment*  track*  payload
//   ledger   = spoutTask  incarnation  baseHi  baseLo        the roots of the tracks below count from this base
//   segment  = sourceTask  targetTask  kind  a  b  c  d      in the order of their channel
//              kind 0: a = stream, b = tuples, c = their estimated bytes, d = bytes of the payload; untracked
//              kind 1: the same; each tuple has a track
//              kind 2: an end marker; a = revision
//              kind 3: the same as 1; a tuple may have several tracks, one for each of its trees
//              kind 4: a hand-over marker; a = revision
//              kind 5: texts of the dictionary; a = generation, b = texts, c = number of the first, d = bytes
//              kind 8, 9, 11: the same as 0, 1, 3, but its payload is columns
//   track    = ledger  offset  edgeHi  edgeLo                offset = root - base of its ledger, unsigned; ledger -1:
//              untracked; in kind 3, ledger = -2 - n: the ledger is n, and the next track is of the same tuple
//   payload  = for each segment with tuples what they hold, as msgpack: an array of rows, each an array of values; or
//              columns (columns.ts). For kind 5 an array of texts (text-dictionary.ts), which the columns of this frame
//              and of later ones name by their numbers
//
// `number` counts the frames of a link. Kinds of segments can be added without changing what stands here; a reader
// refuses kinds that it does not know. Each segment is packed by itself, so that its receiver unpacks it when its task
// gets to it (`readRows`, `readColumns`).

import { DICTIONARY_TEXTS_MAX, FRAME_BYTES_MAX } from '../limits.js';
import { invalidFrame } from './invalid-frame.js';
import { dictionaryBytesMax } from './text-dictionary.js';

export const PROTOCOL_VERSION = 3;
export const MAGIC = 0x4d520000 | (PROTOCOL_VERSION << 8);
export const KIND_DATA = 1;
export const HEADER_INTS = 6;
export const LEDGER_INTS = 4;
export const SEGMENT_INTS = 7;
export const TRACK_INTS = 4;
/** What each further tree of a tuple adds to its frame. */
export const TRACK_BYTES = TRACK_INTS * 4;

export const SEGMENT_UNTRACKED = 0;
export const SEGMENT_TRACKED = 1;
export const SEGMENT_END = 2;
export const SEGMENT_JOINED = 3;
export const SEGMENT_MARK = 4;
export const SEGMENT_TEXTS = 5;
/** Added to the kind of a segment with tuples whose payload is columns. */
export const IN_COLUMNS = 8;
export const UNTRACKED = -1;
/** A track whose ledger is this or less is followed by another one of the same tuple. */
export const MORE = -2;

/** The parts of a received frame; what stands in its payload has not been looked at. */
export interface DataFrame {
  readonly segments: Int32Array;
  readonly ledgers: Int32Array;
  readonly tracks: Int32Array;
  readonly payload: Uint8Array;
}

/**
 * Takes a frame apart. Sizes are checked before anything is decoded.
 *
 * @throws MILLRACE_FRAME_INVALID
 */
export function readDataFrame(frame: Uint8Array): DataFrame {
  if (frame.byteLength > FRAME_BYTES_MAX) throw invalidFrame(`${frame.byteLength} bytes, above ${FRAME_BYTES_MAX}`);
  if (frame.byteLength < HEADER_INTS * 4 || frame.byteOffset % 4 !== 0) throw invalidFrame('cut short');
  const ints = new Int32Array(frame.buffer, frame.byteOffset, frame.byteLength >> 2);
  if (ints[0] !== (MAGIC | KIND_DATA)) throw invalidFrame('not a data frame of this protocol version');
  const segmentCount = ints[1]!;
  const ledgerCount = ints[2]!;
  const trackCount = ints[3]!;
  const payloadBytes = ints[4]!;
  if (segmentCount < 0 || ledgerCount < 0 || trackCount < 0) throw invalidFrame('a negative count');
  const ledgersAt = HEADER_INTS;
  const segmentsAt = ledgersAt + ledgerCount * LEDGER_INTS;
  const tracksAt = segmentsAt + segmentCount * SEGMENT_INTS;
  const payloadAt = tracksAt + trackCount * TRACK_INTS;
  if (payloadAt * 4 + payloadBytes !== frame.byteLength) throw invalidFrame('its parts do not add up to its length');
  const segments = ints.subarray(segmentsAt, tracksAt);
  const tracks = ints.subarray(tracksAt, payloadAt);
  checkSegments(segments, tracks, ledgerCount, payloadBytes);
  return { segments, ledgers: ints.subarray(ledgersAt, segmentsAt), tracks, payload: frame.subarray(payloadAt * 4) };
}

function checkSegments(segments: Int32Array, tracks: Int32Array, ledgerCount: number, payloadBytes: number): void {
  let payloadSeen = 0;
  let tracksSeen = 0;
  for (let at = 0; at < segments.length; at += SEGMENT_INTS) {
    const kind = segments[at + 2]!;
    if (kind === SEGMENT_END || kind === SEGMENT_MARK) continue;
    if (kind === SEGMENT_TEXTS) {
      payloadSeen += checkTexts(segments[at + 4]!, segments[at + 5]!, segments[at + 6]!);
      continue;
    }
    const tracking = kind & ~IN_COLUMNS;
    if (tracking !== SEGMENT_TRACKED && tracking !== SEGMENT_UNTRACKED && tracking !== SEGMENT_JOINED) {
      throw invalidFrame(`an unknown segment kind ${kind}`);
    }
    const count = segments[at + 4]!;
    if (count < 1 || segments[at + 3]! < 0 || segments[at + 5]! < 0)
      throw invalidFrame('a segment is empty or negative');
    // Each row takes a byte at least: no count can promise more than there is.
    if (segments[at + 6]! < count) throw invalidFrame('a segment has fewer bytes than rows');
    payloadSeen += segments[at + 6]!;
    const tracksFrom = tracksSeen * TRACK_INTS;
    tracksSeen += tracksOfSegment(tracking, count, tracks.subarray(tracksFrom), ledgerCount);
  }
  if (payloadSeen !== payloadBytes || tracksSeen * TRACK_INTS !== tracks.length) {
    throw invalidFrame('its segments do not cover its rows and tracks');
  }
}

/** Looks at a segment of texts; gives its bytes. */
function checkTexts(count: number, first: number, bytes: number): number {
  if (count < 1 || first < 0 || first + count > DICTIONARY_TEXTS_MAX)
    throw invalidFrame('a dictionary is above its bound');
  if (bytes < count || bytes > dictionaryBytesMax(count))
    throw invalidFrame('a dictionary has bytes for more texts or fewer');
  return bytes;
}

/** How many tracks belong to a segment. @throws MILLRACE_FRAME_INVALID when one of them names no ledger */
function tracksOfSegment(kind: number, count: number, tracks: Int32Array, ledgerCount: number): number {
  if (kind === SEGMENT_UNTRACKED) return 0;
  if (kind === SEGMENT_TRACKED) {
    if (count * TRACK_INTS > tracks.length) throw invalidFrame('its segments do not cover its rows and tracks');
    for (let at = 0; at < count * TRACK_INTS; at += TRACK_INTS) {
      if (tracks[at]! < UNTRACKED || tracks[at]! >= ledgerCount)
        throw invalidFrame('a track names no ledger of the frame');
    }
    return count;
  }
  let tuples = 0;
  let at = 0;
  let least = UNTRACKED;
  while (tuples < count) {
    if (at >= tracks.length) throw invalidFrame('its segments do not cover its rows and tracks');
    const { ledger, hasMore } = readTrack(tracks[at]!);
    if (ledger < least || ledger >= ledgerCount) throw invalidFrame('a track names no ledger of the frame');
    // A tuple that is in several trees is in none by way of a track that names no ledger.
    least = hasMore ? 0 : UNTRACKED;
    if (!hasMore) tuples++;
    at += TRACK_INTS;
  }
  return at / TRACK_INTS;
}

/** The ledger of a track, and whether another track of the same tuple follows. */
export function readTrack(ledger: number): { readonly ledger: number; readonly hasMore: boolean } {
  return ledger <= MORE ? { ledger: MORE - ledger, hasMore: true } : { ledger, hasMore: false };
}

/** How many ints of `tracks` belong to a segment that was checked. */
export function trackIntsOf(kind: number, count: number, tracks: Int32Array): number {
  const tracking = kind & ~IN_COLUMNS;
  if (tracking !== SEGMENT_JOINED) return tracking === SEGMENT_TRACKED ? count * TRACK_INTS : 0;
  let at = 0;
  for (let tuples = 0; tuples < count; at += TRACK_INTS) if (tracks[at]! > MORE) tuples++;
  return at;
}
