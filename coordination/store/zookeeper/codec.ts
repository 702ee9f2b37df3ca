// Packets of ZooKeeper, packed and read by the records of node-zookeeper-client. What comes from a server is measured
// before a record reads it, because the records believe every length that they meet: a wrong one would have them take
// gigabytes, or go back and never end. Pure, the thread of the session.
//
//   packet    int length ─ body
//   request   int xid, int operation ─ payload                      the first packet of a connection has no header
//   reply     int xid, long zxid, int error ─ payload               no payload when there is an error

import jute from 'node-zookeeper-client/lib/jute/index.js';
import { ZOOKEEPER_XID_MAX } from '../../../engine/limits.js';

/** A record of the package. */
export interface WireRecord {
  readonly [field: string]: unknown;
  readonly specification: readonly { readonly name: string; readonly type: string }[];
  byteLength(): number;
  serialize(buffer: Buffer, offset: number): number;
  deserialize(buffer: Buffer, offset: number): number;
}

/** Numbers of requests that the package knows, and those that it lacks. */
export const operations = {
  create: 1,
  delete: 2,
  exists: 3,
  get: 4,
  set: 5,
  access: 6,
  setAccess: 7,
  sync: 9,
  ping: 11,
  children: 12,
  check: 13,
  multi: 14,
  removeWatch: 18,
  auth: 100,
  setWatches: 101,
  close: -11,
  error: -1,
} as const;

/** Numbers that stand in the place of a request's own. */
export const xids = { notification: -1, ping: -2, auth: -4, setWatches: -8 } as const;

/** Bytes of the header of a request. */
export const REQUEST_HEADER_BYTES = 8;

/** Bytes of the header of a reply. */
export const REPLY_HEADER_BYTES = 16;

/** The server sent what cannot be read. */
export class Unreadable extends Error {
  constructor(what: string) {
    super(`the server sent ${what}`);
    this.name = 'Unreadable';
  }
}

/** A record of the protocol, filled in the order of its fields. */
export function protocolRecord(name: string, ...fields: readonly unknown[]): WireRecord {
  return new jute.protocol[name]!(...fields);
}

/** A record of the data that others hold, filled in the order of its fields. */
export function dataRecord(name: string, ...fields: readonly unknown[]): WireRecord {
  return new jute.data[name]!(...fields);
}

/** Several records as one payload. */
export function together(records: readonly WireRecord[]): Pick<WireRecord, 'byteLength' | 'serialize'> {
  return {
    byteLength: () => records.reduce((sum, record) => sum + record.byteLength(), 0),
    serialize: (buffer, offset) => {
      let at = offset;
      for (const record of records) at += record.serialize(buffer, at);
      return at - offset;
    },
  };
}

/** The packet of a request. */
export function packetOf(
  xid: number,
  operation: number,
  payload: Pick<WireRecord, 'byteLength' | 'serialize'> | null,
): Buffer {
  return new jute.Request(protocolRecord('RequestHeader', xid, operation), payload).toBuffer();
}

/** The first packet of a connection. Behind it goes a byte: no, we do not want a server that only reads. */
export function greetingOf(zxid: bigint, timeoutMs: number, session: bigint, password: Buffer): Buffer {
  const record = protocolRecord('ConnectRequest', 0, longOf(zxid), timeoutMs, longOf(session), password);
  const packet = Buffer.concat([new jute.Request(null, record).toBuffer(), Buffer.from([0])]);
  packet.writeInt32BE(packet.length - 4, 0);
  return packet;
}

/** Follows `xid`. Never above 2^30, far from where the numbers of servers become negative. */
export function nextXid(xid: number): number {
  return xid >= ZOOKEEPER_XID_MAX ? 1 : xid + 1;
}

/** A long as the records take it. */
export function longOf(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(value);
  return buffer;
}

/** Reads records one behind the other out of the body of a packet. */
export class Reader {
  private readonly body: Buffer;
  private at: number;

  constructor(body: Buffer, at: number) {
    this.body = body;
    this.at = at;
  }

  get atEnd(): boolean {
    return this.at >= this.body.length;
  }

  /** @throws Unreadable */
  protocol(name: string): WireRecord {
    return this.read(protocolRecord(name));
  }

  private read(record: WireRecord): WireRecord {
    const end = endOf(record, this.body, this.at);
    record.deserialize(this.body, this.at);
    this.at = end;
    return record;
  }
}

const nested = new Map<string, WireRecord>();

/** Where the record ends that begins there. */
function endOf(record: WireRecord, body: Buffer, begin: number): number {
  let at = begin;
  for (const { type } of record.specification) at = endOfValue(type, body, at);
  return at;
}

function endOfValue(type: string, body: Buffer, at: number): number {
  switch (type) {
    case 'boolean':
      return within(body, at, 1);
    case 'int':
      return within(body, at, 4);
    case 'long':
      return within(body, at, 8);
    case 'buffer':
    case 'ustring': {
      const begin = within(body, at, 4);
      const length = body.readInt32BE(at);
      return length === -1 ? begin : within(body, begin, length);
    }
    default:
      return type.startsWith('vector<') ? endOfVector(type.slice(7, -1), body, at) : endOfNested(type, body, at);
  }
}

function endOfVector(type: string, body: Buffer, begin: number): number {
  let at = within(body, begin, 4);
  // Each value takes a byte at least, so a count that lies ends with the packet.
  for (let left = body.readInt32BE(begin); left > 0; left--) at = endOfValue(type, body, at);
  return at;
}

function endOfNested(type: string, body: Buffer, at: number): number {
  let record = nested.get(type);
  if (record === undefined) {
    record = dataRecord(type.slice('data.'.length));
    nested.set(type, record);
  }
  return endOf(record, body, at);
}

function within(body: Buffer, at: number, length: number): number {
  if (length < 0 || at + length > body.length) throw new Unreadable('a packet whose lengths do not fit together');
  return at + length;
}
