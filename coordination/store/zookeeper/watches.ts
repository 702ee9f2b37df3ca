// Who follows what in one session. ZooKeeper tells once that something has changed, not what: so each path is read and
// watched in one request, and read again when its watch has fired. All that follow one path share its watch.
//
//   touched ──► queued ──► reading ──► armed ── event ──► touched     few are reading at once
//      ▲                      │ ▲ event: once more when it is read
//      └── pause ◄── failed ──┘        a new connection is told what is armed, and tells what it missed
//
// A server says nothing of a node that the session may no longer read, and its watch is gone all the same. So from time
// to time one path is looked at, which everybody may.
//
// Invariant: every followed path is armed, or is going to be read. A state is told to each listener once, and one that
// is older than what was seen before to nobody. The thread of the session.

import type { Clock, Timer } from '../../../engine/clock.js';
import { failure, reasonOf } from '../../../engine/errors.js';
import {
  STORE_RETRY_MAX_MS,
  STORE_RETRY_MIN_MS,
  STORE_WATCHES_MAX,
  ZOOKEEPER_LOOK_MS,
  ZOOKEEPER_WATCH_READS_MAX,
} from '../../../engine/limits.js';
import type { Logger } from '../../../engine/log.js';
import type { Stat, StoreNode, Subscription } from '../contract.js';
import { hasCode, isSessionOver } from '../store-errors.js';
import type { FirstPacket } from './connection.js';
import type { Request, Requests } from './requests.js';
import { packetsOf, type ArmedPaths } from './watch-packets.js';

/** What watches need of their session. */
export interface WatchOwner {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly requests: Requests;
  /** Whether requests can be made at the moment. */
  isConnected(): boolean;
  call<T>(request: Request<T>): Promise<T>;
}

type Names = readonly string[] | null;

/** How the server watches: the node, its coming, or its children. */
type Armed = 'data' | 'exist' | 'child';

/** What tells one state from another; kept in the place of the state, whose data may be large. */
type Mark = { readonly created: bigint; readonly changed: bigint } | 'absent';

interface Reading<T> {
  readonly value: T;
  readonly armed: Armed;
  readonly mark: Mark;
}

interface Listener<T> {
  call(value: T): void;
  /** Number of the first read that was begun after it came. */
  readonly from: number;
  told: Mark | null;
  closed: boolean;
}

/** A way to follow a path. */
interface Way<T> {
  readonly changed: 'data' | 'children';
  read(path: string): Promise<Reading<T>>;
  /** One for each listener, which may write into it. */
  copy(value: T): T;
}

/** One path that is followed in one way. */
class Followed<T> {
  readonly path: string;
  readonly way: Way<T>;
  readonly listeners = new Set<Listener<T>>();
  armed: Armed | null = null;
  reading = false;
  /** It has to be read, or read once more. */
  touched = false;
  reads = 0;
  last: Mark | null = null;
  pauseMs = STORE_RETRY_MIN_MS;
  pause: Timer | null = null;

  constructor(path: string, way: Way<T>) {
    this.path = path;
    this.way = way;
  }
}

export class Watches {
  private readonly owner: WatchOwner;
  private readonly nodes = new Map<string, Followed<StoreNode | null>>();
  private readonly children = new Map<string, Followed<Names>>();
  private readonly nodeWay: Way<StoreNode | null> = {
    changed: 'data',
    read: (path) => this.readNode(path),
    copy: (node) => node && { ...node, data: node.data.slice() },
  };
  private readonly childrenWay: Way<Names> = {
    changed: 'children',
    read: (path) => this.readChildren(path),
    copy: (names) => names && [...names],
  };
  private readonly queue = new Set<Followed<unknown>>();
  /** What is still to be looked at in this round. */
  private round: Iterator<Followed<unknown>> | null = null;
  private look: Timer | null = null;
  private reading = 0;
  private count = 0;
  private over = false;

  constructor(owner: WatchOwner) {
    this.owner = owner;
  }

  /** @throws MILLRACE_STORE_TOO_MANY */
  watchNode(path: string, listener: (node: StoreNode | null) => void): Subscription {
    return this.follow(this.nodes, this.nodeWay, path, listener);
  }

  /** @throws MILLRACE_STORE_TOO_MANY */
  watchChildren(path: string, listener: (names: Names) => void): Subscription {
    return this.follow(this.children, this.childrenWay, path, listener);
  }

  /** A watch of that path has fired. */
  changed(type: number, path: string): void {
    const node = this.nodes.get(path);
    const children = this.children.get(path);
    // Created, deleted, data changed: who waits for the node to come has armed the same watch.
    if (type >= 1 && type <= 3) {
      if (node !== undefined) this.fired(node);
      if (children !== undefined && (type === 2 || children.armed !== 'child')) this.fired(children);
    } else if (type === 4 && children !== undefined) {
      this.fired(children);
    }
  }

  /** There is a connection again, and the server knows what is armed. */
  reconnected(): void {
    for (const followed of this.all()) {
      if (!followed.touched) continue;
      followed.pause?.cancel();
      followed.pause = null;
      followed.pauseMs = STORE_RETRY_MIN_MS;
      this.enqueue(followed);
    }
    this.pump();
  }

  /** What tells a new connection which watches there are. */
  packets(zxid: bigint): readonly FirstPacket[] {
    const armed: ArmedPaths = { data: [], exist: [], child: [] };
    for (const followed of this.all()) {
      if (followed.armed !== null) armed[followed.armed].push(this.owner.requests.wirePath(followed.path));
    }
    return packetsOf(zxid, armed);
  }

  /** The session is over: nothing more is told. */
  end(): void {
    this.over = true;
    this.look?.cancel();
    for (const followed of this.all()) {
      followed.pause?.cancel();
      followed.listeners.clear();
    }
    this.nodes.clear();
    this.children.clear();
    this.queue.clear();
  }

  private *all(): Iterable<Followed<unknown>> {
    yield* this.nodes.values();
    yield* this.children.values();
  }

  private follow<T>(all: Map<string, Followed<T>>, way: Way<T>, path: string, call: (value: T) => void): Subscription {
    if (this.count >= STORE_WATCHES_MAX) {
      throw failure('MILLRACE_STORE_TOO_MANY', { count: this.count, what: 'watches' });
    }
    this.count++;
    const own = all.get(path) ?? new Followed(path, way);
    all.set(path, own);
    // A read that is under way may have passed what this session did before it asked to follow.
    const listener: Listener<T> = { call, from: own.reads + 1, told: null, closed: false };
    own.listeners.add(listener);
    this.touch(own);
    this.look ??= this.owner.clock.after(ZOOKEEPER_LOOK_MS, () => this.lookAtNext());
    return {
      close: () => {
        if (listener.closed) return;
        listener.closed = true;
        this.count--;
        own.listeners.delete(listener);
        if (own.listeners.size === 0 && !own.reading) this.drop(own);
      },
    };
  }

  private fired(followed: Followed<unknown>): void {
    followed.armed = null;
    this.touch(followed);
  }

  private touch(followed: Followed<unknown>): void {
    followed.touched = true;
    // One that failed goes on with its pause.
    if (followed.reading || followed.pause !== null) return;
    this.enqueue(followed);
    this.pump();
  }

  private enqueue(followed: Followed<unknown>): void {
    if (!followed.reading) this.queue.add(followed);
  }

  private pump(): void {
    for (const followed of this.queue) {
      if (this.reading >= ZOOKEEPER_WATCH_READS_MAX || !this.owner.isConnected()) return;
      this.queue.delete(followed);
      void this.run(followed);
    }
  }

  private async run(followed: Followed<unknown>): Promise<void> {
    followed.reading = true;
    followed.touched = false;
    followed.armed = null;
    const number = ++followed.reads;
    this.reading++;
    let read: Reading<unknown> | null = null;
    try {
      read = await this.notOlder(followed, await followed.way.read(followed.path));
      followed.pauseMs = STORE_RETRY_MIN_MS;
    } catch (error) {
      this.failed(followed, error);
    }
    this.reading--;
    followed.reading = false;
    if (this.over) return;
    if (read !== null) {
      // Touched meanwhile: that may have been the watch that this read had armed.
      followed.armed = followed.touched ? null : read.armed;
      followed.last = read.mark;
      for (const listener of [...followed.listeners]) if (listener.from <= number) this.tell(followed, listener, read);
    }
    if (followed.listeners.size === 0) this.drop(followed);
    else if (followed.touched && followed.pause === null) this.enqueue(followed);
    this.pump();
  }

  /** A server that lags behind may answer with less than was seen before: then it is brought up, and read again. */
  private async notOlder<T>(followed: Followed<T>, read: Reading<T>): Promise<Reading<T>> {
    const { last, path } = followed;
    if (!isOlder(read.mark, last)) return read;
    await this.owner.call(this.owner.requests.sync(path));
    const again = await followed.way.read(path);
    if (isOlder(again.mark, last)) throw new Error(`the server is behind what it said before of "${path}"`);
    return again;
  }

  private lookAtNext(): void {
    this.look = null;
    this.round ??= this.all()[Symbol.iterator]();
    const next = this.round.next();
    if (next.done === true) this.round = null;
    else if (this.owner.isConnected()) void this.lookAt(next.value);
    if (this.nodes.size + this.children.size === 0) return;
    this.look = this.owner.clock.after(ZOOKEEPER_LOOK_MS, () => this.lookAtNext());
  }

  private async lookAt(followed: Followed<unknown>): Promise<void> {
    const { last, way, path, reads } = followed;
    const marks = await this.owner.call(this.owner.requests.marks(path)).catch(() => undefined);
    // Whatever is read, or is going to be, is newer.
    if (marks === undefined || last === null || followed.touched || followed.reads !== reads) return;
    const isAsItWas =
      marks === null ? last === 'absent' : isSame(last, { created: marks.created, changed: marks[way.changed] });
    if (!isAsItWas && followed.listeners.size > 0) this.fired(followed);
  }

  private tell<T>(followed: Followed<T>, listener: Listener<T>, read: Reading<T>): void {
    if (listener.closed || this.over || isSame(listener.told, read.mark)) return;
    listener.told = read.mark;
    try {
      listener.call(followed.listeners.size > 1 ? followed.way.copy(read.value) : read.value);
    } catch (error) {
      this.owner.logger.error(`a listener of node "${followed.path}" threw: ${reasonOf(error)}`);
    }
  }

  private failed<T>(followed: Followed<T>, error: unknown): void {
    followed.touched = true;
    if (this.over || isSessionOver(error)) return;
    // Without a connection it waits for the next one.
    if (!this.owner.isConnected()) return;
    const { pauseMs, path } = followed;
    if (pauseMs === STORE_RETRY_MIN_MS) this.owner.logger.warn(`node "${path}" cannot be followed: ${reasonOf(error)}`);
    followed.pauseMs = Math.min(pauseMs * 2, STORE_RETRY_MAX_MS);
    followed.pause = this.owner.clock.after(pauseMs, () => {
      followed.pause = null;
      this.enqueue(followed);
      this.pump();
    });
  }

  /** Nobody follows it any more: the server need not tell of it either. */
  private drop(followed: Followed<unknown>): void {
    if (this.over) return;
    const { path, armed } = followed;
    const wasNode = this.nodes.get(path) === followed;
    // A listener that closed its own watch has dropped it already, and what is there now is of others.
    if (!wasNode && this.children.get(path) !== followed) return;
    followed.pause?.cancel();
    this.queue.delete(followed);
    (wasNode ? this.nodes : this.children).delete(path);
    const other = wasNode ? this.children.get(path) : this.nodes.get(path);
    if (armed === null || !this.owner.isConnected()) return;
    // Both may have armed the watch of the node itself; children have one of their own.
    if (armed !== 'child' && other !== undefined && (other.reading || other.armed !== 'child')) return;
    const request = this.owner.requests.removeWatch(path, armed === 'child' ? 'children' : 'data');
    // It may have fired meanwhile, or the connection be gone: then there is nothing to remove.
    this.owner.call(request).catch(() => undefined);
  }

  private async readNode(path: string): Promise<Reading<StoreNode | null>> {
    const { owner } = this;
    for (;;) {
      try {
        const node = await owner.call(owner.requests.get(path, true));
        return { value: node, armed: 'data', mark: markOf(node.stat) };
      } catch (error) {
        if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) throw error;
      }
      if (await this.isAbsent(path)) return { value: null, armed: 'exist', mark: 'absent' };
    }
  }

  private async readChildren(path: string): Promise<Reading<Names>> {
    const { owner } = this;
    for (;;) {
      try {
        const { names, created, changed } = await owner.call(owner.requests.children(path, true));
        return { value: names, armed: 'child', mark: { created, changed } };
      } catch (error) {
        if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) throw error;
      }
      if (await this.isAbsent(path)) return { value: null, armed: 'exist', mark: 'absent' };
    }
  }

  /** Whether there is no such node; if so its coming is watched. It may have come since it was not found. */
  private async isAbsent(path: string): Promise<boolean> {
    return (await this.owner.call(this.owner.requests.exists(path, true))) === null;
  }
}

function markOf(stat: Stat): Mark {
  return { created: stat.createRevision, changed: stat.modifyRevision };
}

function isOlder(mark: Mark, last: Mark | null): boolean {
  if (mark === 'absent' || last === null || last === 'absent') return false;
  return mark.created === last.created ? mark.changed < last.changed : mark.created < last.created;
}

function isSame(told: Mark | null, mark: Mark): boolean {
  if (told === null || told === 'absent' || mark === 'absent') return told === mark;
  return told.created === mark.created && told.changed === mark.changed;
}
