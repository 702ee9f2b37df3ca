// The data of a node as what it means: a record of ours, checked as everywhere, or what it looks like. Invariant: it
// never throws, whatever the bytes are; a record that cannot be read is its error, which names the path, beside the
// data as it stands there. Pure, any thread.

import { failure, isMillraceError, reasonOf, type MillraceError } from '../../engine/errors.js';
import { STORE_PIECE_BYTES, WISH_BYTES_MAX } from '../../engine/limits.js';
import { fromNode } from '../store/json-node.js';
import type { StoreNode } from '../store/contract.js';
import { kindOf, type RecordKind } from './kinds.js';

/** Data that is not a record of ours, as it looks. */
export type RawContent =
  | { readonly kind: 'empty' }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly hex: string };

/** Pieces that a record can have. */
export const PIECES_MAX = Math.ceil(WISH_BYTES_MAX / STORE_PIECE_BYTES);

/** What a node holds. */
export type Content =
  | RawContent
  /** A record of ours; `line` is it in short. */
  | { readonly kind: 'record'; readonly record: string; readonly value: unknown; readonly line: string }
  /** A part of a record of ours, which its parent shows as a whole. */
  | { readonly kind: 'piece'; readonly record: string; readonly text: string }
  /** The session may not read it. */
  | { readonly kind: 'forbidden'; readonly error: MillraceError }
  /** A record of ours that cannot be read. */
  | { readonly kind: 'damaged'; readonly record: string; readonly error: MillraceError; readonly raw: RawContent };

export interface ContentOptions {
  /** Unpacks the progress of a partition, which whoever runs topologies packed. Default: it is shown as base64. */
  readonly unpack?: (packed: Uint8Array) => unknown;
}

/** A piece of a record: its number among its siblings, and what it holds. */
export interface ContentPiece {
  readonly name: string;
  readonly data: Uint8Array;
}

/**
 * What a node holds.
 *
 * @param pieces - its children where they are the pieces of its record, else none
 */
export function contentOf(
  { path, data }: Pick<StoreNode, 'path' | 'data'>,
  pieces: readonly ContentPiece[] = [],
  options: ContentOptions = {},
): Content {
  const found = kindOf(path);
  switch (found.kind) {
    case 'record':
      return recordOf(found.record, { path, data }, options);
    case 'pieces':
      return data.byteLength > 0 || pieces.length === 0
        ? rawOf(data)
        : attempt(found.record, data, () => readRecord(found.record, { path, data: joined(path, pieces) }, options));
    case 'piece':
      return { kind: 'piece', record: found.record.name, text: Buffer.from(data).toString('utf8') };
    case 'directory':
    case 'unknown':
      return rawOf(data);
  }
}

/** Data as it looks: JSON, text without control characters but for breaks and tabs, or bytes. */
export function rawOf(data: Uint8Array): RawContent {
  if (data.byteLength === 0) return { kind: 'empty' };
  const text = textOf(data);
  if (text === null) return { kind: 'binary', hex: Buffer.from(data).toString('hex') };
  try {
    return { kind: 'json', value: JSON.parse(text) as unknown };
  } catch {
    return { kind: 'text', text };
  }
}

function textOf(data: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(data);
    return /[^\P{Cc}\t\n\r]/u.test(text) ? null : text;
  } catch {
    return null;
  }
}

function recordOf(record: RecordKind, node: Pick<StoreNode, 'path' | 'data'>, options: ContentOptions): Content {
  return attempt(record, node.data, () => readRecord(record, node, options));
}

function attempt(record: RecordKind, data: Uint8Array, read: () => Content): Content {
  try {
    return read();
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    return { kind: 'damaged', record: record.name, error, raw: rawOf(data) };
  }
}

function readRecord(record: RecordKind, node: Pick<StoreNode, 'path' | 'data'>, options: ContentOptions): Content {
  const value = fromNode(node, (read): read is unknown => record.isIt(read));
  const shownValue = record.name === 'progress' ? partitionsOf(value, node.path, options) : value;
  return { kind: 'record', record: record.name, value: shownValue, line: record.line(value) };
}

/** `[component, partition, base64]` as what it means. */
function partitionsOf(value: unknown, path: string, { unpack }: ContentOptions): unknown {
  const entries = value as readonly (readonly [component: string, partition: string, packed: string])[];
  return entries.map(([component, partition, packed]) => {
    if (unpack === undefined) return { component, partition, progress: packed };
    try {
      return { component, partition, progress: unpack(Buffer.from(packed, 'base64')) };
    } catch (error) {
      const reason = `the progress of partition "${partition}" of "${component}": ${reasonOf(error)}`;
      throw failure('MILLRACE_STORE_CONTENT', { path, reason }, { cause: error });
    }
  });
}

/** @throws MILLRACE_STORE_CONTENT when one is missing, or there are too many */
function joined(path: string, pieces: readonly ContentPiece[]): Uint8Array {
  if (pieces.length > PIECES_MAX) {
    throw failure('MILLRACE_STORE_CONTENT', { path, reason: `it has more than ${PIECES_MAX} pieces` });
  }
  const byName = new Map(pieces.map(({ name, data }) => [name, data]));
  const datas = pieces.map((_, number) => {
    const data = byName.get(String(number));
    if (data !== undefined) return data;
    throw failure('MILLRACE_STORE_CONTENT', { path, reason: `piece ${number} of ${pieces.length} is missing` });
  });
  return Buffer.concat(datas);
}
