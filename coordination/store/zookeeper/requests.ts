// The requests that a session makes: what goes over the wire for each, and what its reply says. Paths are those of the
// store; the chroot goes in front of them here, and off again in replies. Versions are exact: null is any, 0 is 0.
// Pure, the thread of the session.

import { failure } from '../../../engine/errors.js';
import type { AccessRule, CreateMode, Stat, StoreNode } from '../contract.js';
import { parentOf } from '../node-path.js';
import { isSequential } from '../operations.js';
import type { GrantedRule } from '../access.js';
import { accessOf, aclOf } from './acl.js';
import { operations, protocolRecord, Unreadable, type Reader, type WireRecord } from './codec.js';
import type { Subject } from './errors.js';

/** One request, and how its reply is read. */
export interface Request<T> extends Subject {
  readonly operation: number;
  /** It may change something, so a lost reply leaves it open. */
  readonly writes: boolean;
  readonly payload: Pick<WireRecord, 'byteLength' | 'serialize'> | null;
  /** Reads the reply. */
  readonly read: (reply: Reader) => T;
  /** What it resolves with when there is no node; without it, that is an error. */
  readonly absent?: { readonly value: T };
}

/** Names of children, and what tells one list from another. */
export interface Children {
  readonly names: readonly string[];
  readonly created: bigint;
  readonly changed: bigint;
}

/** Which changes made a node, set its data and changed the names of its children. */
export interface Marks {
  readonly created: bigint;
  readonly data: bigint;
  readonly children: bigint;
}

const flags: Readonly<Record<CreateMode, number>> = {
  persistent: 0,
  ephemeral: 1,
  'persistent-sequential': 2,
  'ephemeral-sequential': 3,
};

/** Any version, over the wire. */
const ANY = -1;

export class Requests {
  readonly chroot: string;

  /**
   * @param chroot - empty, or the path that stands for the root
   */
  constructor(chroot: string) {
    this.chroot = chroot;
  }

  create(path: string, data: Uint8Array, mode: CreateMode, access: readonly GrantedRule[]): Request<string> {
    const payload = this.createRecord(path, data, mode, access);
    const read = (reply: Reader): string => this.pathOf(reply.protocol('CreateResponse'));
    return {
      ...subject('create', path, 'create'),
      missing: parentOf(path),
      operation: operations.create,
      writes: true,
      payload,
      read,
    };
  }

  get(path: string, watch = false): Request<StoreNode> {
    const payload = protocolRecord('GetDataRequest', this.wirePath(path), watch);
    const read = (reply: Reader): StoreNode => {
      const { data, stat } = reply.protocol('GetDataResponse');
      return { path, data: data instanceof Uint8Array ? data : new Uint8Array(0), stat: statOf(stat) };
    };
    return { ...subject('get', path), operation: operations.get, writes: false, payload, read };
  }

  exists(path: string, watch = false): Request<Stat | null> {
    const payload = protocolRecord('ExistsRequest', this.wirePath(path), watch);
    const read = (reply: Reader): Stat => statOf(reply.protocol('ExistsResponse')['stat']);
    const absent = { value: null };
    return { ...subject('exists', path), operation: operations.exists, writes: false, payload, read, absent };
  }

  /** When the node, and its children, changed last; for who may not read it as well. */
  marks(path: string): Request<Marks | null> {
    const payload = protocolRecord('ExistsRequest', this.wirePath(path), false);
    const read = (reply: Reader): Marks => {
      const stat = asRecord(reply.protocol('ExistsResponse')['stat']);
      return { created: longAt(stat, 'czxid'), data: longAt(stat, 'mzxid'), children: longAt(stat, 'pzxid') };
    };
    const absent = { value: null };
    return { ...subject('exists', path), operation: operations.exists, writes: false, payload, read, absent };
  }

  children(path: string, watch = false): Request<Children> {
    const payload = protocolRecord('GetChildren2Request', this.wirePath(path), watch);
    const read = (reply: Reader): Children => {
      const record = reply.protocol('GetChildren2Response');
      const names = Array.isArray(record['children']) ? (record['children'] as string[]).sort() : [];
      const stat = asRecord(record['stat']);
      return { names, created: longAt(stat, 'czxid'), changed: longAt(stat, 'pzxid') };
    };
    return { ...subject('children', path), operation: operations.children, writes: false, payload, read };
  }

  set(path: string, data: Uint8Array, version: number | null): Request<Stat> {
    const payload = this.setRecord(path, data, version);
    const read = (reply: Reader): Stat => statOf(reply.protocol('SetDataResponse')['stat']);
    return { ...subject('set', path, 'write', version), operation: operations.set, writes: true, payload, read };
  }

  delete(path: string, version: number | null): Request<undefined> {
    const payload = this.deleteRecord(path, version);
    const read = (): undefined => undefined;
    const named = subject('delete', path, 'delete', version);
    return { ...named, operation: operations.delete, writes: true, payload, read };
  }

  sync(path: string): Request<undefined> {
    const payload = protocolRecord('GetACLRequest', this.wirePath(path));
    const read = (): undefined => undefined;
    return { ...subject('sync', path), operation: operations.sync, writes: false, payload, read };
  }

  access(path: string): Request<readonly AccessRule[]> {
    const payload = protocolRecord('GetACLRequest', this.wirePath(path));
    const read = (reply: Reader): readonly AccessRule[] => accessOf(reply.protocol('GetACLResponse')['acl']);
    return { ...subject('access', path), operation: operations.access, writes: false, payload, read };
  }

  setAccess(path: string, access: readonly GrantedRule[]): Request<undefined> {
    const payload = protocolRecord('SetACLRequest', this.wirePath(path), aclOf(access), ANY);
    const read = (): undefined => undefined;
    const named = subject('setAccess', path, 'change the access rules of');
    return { ...named, operation: operations.setAccess, writes: true, payload, read };
  }

  /** Lets a watch go. The record has the shape that the package lacks: a path and a number. */
  removeWatch(path: string, kind: 'children' | 'data'): Request<undefined> {
    const payload = protocolRecord('CheckVersionRequest', this.wirePath(path), kind === 'children' ? 1 : 2);
    const read = (): undefined => undefined;
    return { ...subject('unwatch', path), operation: operations.removeWatch, writes: false, payload, read };
  }

  createRecord(path: string, data: Uint8Array, mode: CreateMode, access: readonly GrantedRule[]): WireRecord {
    // A sequential node without a name of its own keeps its slash, or it would get its number beside the chroot.
    const wirePath = path === '/' && isSequential(mode) ? `${this.chroot}/` : this.wirePath(path);
    return protocolRecord('CreateRequest', wirePath, bufferOf(data), aclOf(access), flags[mode]);
  }

  setRecord(path: string, data: Uint8Array, version: number | null): WireRecord {
    return protocolRecord('SetDataRequest', this.wirePath(path), bufferOf(data), wireVersion(path, version));
  }

  deleteRecord(path: string, version: number | null): WireRecord {
    return protocolRecord('DeleteRequest', this.wirePath(path), wireVersion(path, version));
  }

  checkRecord(path: string, version: number | null): WireRecord {
    return protocolRecord('CheckVersionRequest', this.wirePath(path), wireVersion(path, version));
  }

  /** The path that a reply or an event names. */
  pathOf(record: WireRecord): string {
    const path = record['path'];
    if (typeof path !== 'string') throw new Unreadable('a path that is none');
    if (path === this.chroot) return '/';
    return path.startsWith(`${this.chroot}/`) ? path.slice(this.chroot.length) : path;
  }

  /** A path as the server has it. */
  wirePath(path: string): string {
    if (this.chroot === '') return path;
    return path === '/' ? this.chroot : this.chroot + path;
  }
}

function subject(call: string, path: string, doing = 'read', version: number | null = null): Subject {
  return { what: `${call} "${path}"`, doing, path, missing: path, version };
}

/** What a reply says about a node. */
export function statOf(value: unknown): Stat {
  const record = asRecord(value);
  const owner = longAt(record, 'ephemeralOwner');
  return {
    version: intAt(record, 'version'),
    createRevision: longAt(record, 'czxid'),
    modifyRevision: longAt(record, 'mzxid'),
    ephemeralOwner: owner === 0n ? null : sessionName(owner),
    childCount: intAt(record, 'numChildren'),
  };
}

/** A session as people write it: `0x100000a1b2c0003`. */
export function sessionName(id: bigint): string {
  return `0x${BigInt.asUintN(64, id).toString(16)}`;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Unreadable('a record that is none');
  return value as Readonly<Record<string, unknown>>;
}

function intAt(record: Readonly<Record<string, unknown>>, field: string): number {
  const value = record[field];
  if (typeof value !== 'number') throw new Unreadable(`no number "${field}"`);
  return value;
}

function longAt(record: Readonly<Record<string, unknown>>, field: string): bigint {
  const value = record[field];
  if (!Buffer.isBuffer(value)) throw new Unreadable(`no number "${field}"`);
  return value.readBigInt64BE();
}

/** A version that no node has is not sent: over the wire it would be another one, or any. */
function wireVersion(path: string, version: number | null): number {
  if (version === null) return ANY;
  if (version === (version | 0) && version !== ANY) return version;
  throw failure('MILLRACE_STORE_BAD_VERSION', { path, expected: version });
}

/** The same bytes, as the records take them; they copy them. */
function bufferOf(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
