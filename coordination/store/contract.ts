// The store: a small tree of nodes that processes share, as ZooKeeper has it. Few, small, authoritative facts live
// here. Everything above is written against this contract alone, and every implementation passes the one suite in
// test/coordination/store/contract.ts. It is remote by nature: every call is asynchronous and may fail, and a failed
// write says whether it may have been carried out. Types only.
//
//                 ┌───────── reconnected ─────────┐
//                 ▼                               │
//   connect ─► connected ───── suspended ────► suspended
//                 │  └────────── lost ◄───────────┘          only the store itself says that a session is lost
//                 └─ close() ─► closed
//
// A `Session` is one session of the store and never more: what is ephemeral belongs to it, every call is bound to it,
// and after its end a new one starts from nothing. So a step that was planned under one session can never run under
// the next.

/** Whether a node goes with its session, and whether the store ends its name with a number. */
export type CreateMode = 'persistent' | 'ephemeral' | 'persistent-sequential' | 'ephemeral-sequential';

/** What the store knows about a node, beside its data. */
export interface Stat {
  /** Sets since it was created: 0 for a new node, also where an older one had that path. */
  readonly version: number;
  /** Which change of the whole store created it: grows from change to change, never repeats. A fencing token. */
  readonly createRevision: bigint;
  /** Which change of the whole store last set its data. */
  readonly modifyRevision: bigint;
  /** The id of the session that it goes with, or null when it is persistent. */
  readonly ephemeralOwner: string | null;
  readonly childCount: number;
}

/** A node as it was read. */
export interface StoreNode {
  readonly path: string;
  readonly data: Uint8Array;
  readonly stat: Stat;
}

/** One step of a transaction. A version of null means any; 0 means 0. */
export type Operation =
  | { readonly type: 'check'; readonly path: string; readonly version: number | null }
  | {
      readonly type: 'create';
      readonly path: string;
      readonly data: Uint8Array;
      readonly mode?: CreateMode;
      /** As in `CreateOptions`. */
      readonly access?: readonly AccessRule[];
    }
  | { readonly type: 'set'; readonly path: string; readonly data: Uint8Array; readonly version: number | null }
  | { readonly type: 'delete'; readonly path: string; readonly version: number | null };

/** What a step of a transaction gave, in the order of the steps. */
export type OperationResult =
  | { readonly type: 'check' | 'delete' }
  | { readonly type: 'create'; readonly path: string }
  | { readonly type: 'set'; readonly stat: Stat };

/** How long a call may take. */
export interface CallOptions {
  /** Milliseconds after which it fails; without any it is not made. Default `STORE_CALL_TIMEOUT_MS`. */
  readonly timeoutMs?: number;
  /** Aborted, the call rejects with the reason; a write may be carried out all the same. */
  readonly signal?: AbortSignal;
}

/**
 * What may be done with a node: `read` its data and the names of its children, `write` its data, `create` and `delete`
 * children of it, and `admin`: change who may do so. Whether a node exists anybody may ask.
 */
export type Permission = 'read' | 'write' | 'create' | 'delete' | 'admin';

/** One line of who may do what with a node. Lines add up, and say nothing about the children of the node. */
export interface AccessRule {
  /**
   * Everybody; the users of the session that creates the node; or one user, by name and digest (base64 of the SHA-1 of
   * `user:password`: `digestOf`).
   */
  readonly who: 'anyone' | 'creator' | { readonly user: string; readonly digest: string };
  readonly may: readonly Permission[];
}

/** A user whom a session speaks for, and how it proves that. */
export interface Credentials {
  /** Without `:`. */
  readonly user: string;
  readonly password: string;
}

export interface CreateOptions extends CallOptions {
  /** Who may do what with the node. Default: what the store was opened with, else everybody everything. */
  readonly access?: readonly AccessRule[];
}

export interface ConnectOptions extends CallOptions {
  /** For whom the session speaks, beside those whom the store was opened with. Default: nobody. */
  readonly credentials?: readonly Credentials[];
}

/** What happens to a session, in its order; after `lost` and `closed` nothing follows. */
export type SessionEvent =
  /** The connection is gone. The session may live on, and so do its ephemeral nodes: nobody knows. */
  | { readonly type: 'suspended' }
  /** The connection is back, with the same session; nothing of it is lost. */
  | { readonly type: 'reconnected' }
  /** The store has ended the session: its ephemeral nodes are gone. */
  | { readonly type: 'lost' }
  /** `close` was called. */
  | { readonly type: 'closed' };

export type SessionState = 'connected' | 'suspended' | 'lost' | 'closed';

/** Something that goes on until it is closed. */
export interface Subscription {
  /** No call of the listener begins after this. May be called again. */
  close(): void;
}

/**
 * One session with the store. Its calls are carried out in the order in which they were made.
 *
 * Every call may fail with: MILLRACE_STORE_SESSION_LOST, MILLRACE_STORE_CLOSED, MILLRACE_STORE_UNAVAILABLE (nothing was
 * changed), MILLRACE_STORE_UNCERTAIN (a write may have been carried out), MILLRACE_STORE_PATH, MILLRACE_STORE_TOO_MANY;
 * all but `exists` and `sync` with MILLRACE_STORE_FORBIDDEN (the access rules of the node, or for `create` and `delete`
 * those of its parent, do not let this session), and writes with MILLRACE_STORE_FULL.
 */
export interface Session {
  /** Unlike that of any other session the store ever had. */
  readonly id: string;
  readonly state: SessionState;
  /**
   * Milliseconds of silence after which the store ends the session, or null where sessions end only with their process.
   */
  readonly timeoutMs: number | null;
  /** Aborted as soon as the session is over; its reason is the error that later calls fail with. */
  readonly ended: AbortSignal;
  /** Calls the listener with what happens to the session from now on. */
  onEvent(listener: (event: SessionEvent) => void): Subscription;

  /**
   * Creates a node whose parent exists.
   *
   * @returns its path; in a sequential mode the asked one and ten digits, more than any before below that parent
   * @throws MILLRACE_STORE_NODE_EXISTS, MILLRACE_STORE_NO_NODE (no parent), MILLRACE_STORE_EPHEMERAL_PARENT,
   * MILLRACE_STORE_TOO_LARGE, MILLRACE_STORE_ACCESS, MILLRACE_STORE_MODE
   */
  create(path: string, data: Uint8Array, mode?: CreateMode, options?: CreateOptions): Promise<string>;
  /** @throws MILLRACE_STORE_NO_NODE */
  get(path: string, options?: CallOptions): Promise<StoreNode>;
  /** Null when there is no such node. */
  exists(path: string, options?: CallOptions): Promise<Stat | null>;
  /**
   * The names of its children, sorted.
   *
   * @throws MILLRACE_STORE_NO_NODE
   */
  children(path: string, options?: CallOptions): Promise<readonly string[]>;
  /**
   * Replaces the data of a node.
   *
   * @param version - the one it must have, or null for any
   * @throws MILLRACE_STORE_NO_NODE, MILLRACE_STORE_BAD_VERSION, MILLRACE_STORE_TOO_LARGE
   */
  set(path: string, data: Uint8Array, version: number | null, options?: CallOptions): Promise<Stat>;
  /**
   * Deletes a node without children.
   *
   * @param version - the one it must have, or null for any
   * @throws MILLRACE_STORE_NO_NODE, MILLRACE_STORE_BAD_VERSION, MILLRACE_STORE_NOT_EMPTY
   */
  delete(path: string, version: number | null, options?: CallOptions): Promise<void>;
  /**
   * Carries out all operations, or none.
   *
   * @throws the error of the first one that cannot be done (`operationOf` in store-errors.ts says which one that was);
   * MILLRACE_STORE_TOO_LARGE when they are more than `STORE_TRANSACTION_BYTES_MAX` together
   */
  multi(operations: readonly Operation[], options?: CallOptions): Promise<readonly OperationResult[]>;
  /**
   * Who may do what with a node; `creator` has become the users of that session. Needs `read` or `admin`, and without
   * `admin` the digests of others are hidden: each is `x`.
   *
   * @throws MILLRACE_STORE_NO_NODE
   */
  access(path: string, options?: CallOptions): Promise<readonly AccessRule[]>;
  /**
   * Replaces who may do what with a node. Needs `admin`; neither version nor data change, and no watch is told.
   *
   * @throws MILLRACE_STORE_NO_NODE, MILLRACE_STORE_ACCESS
   */
  setAccess(path: string, rules: readonly AccessRule[], options?: CallOptions): Promise<void>;
  /** Resolves when this session sees everything that was acknowledged to anybody before the call. */
  sync(path: string, options?: CallOptions): Promise<void>;

  /**
   * Follows a node: calls the listener with its present state (null: there is none), and again after it was created,
   * set or deleted. States may be skipped when they follow each other quickly; the last one never is, over
   * reconnections as well. One call of a listener at a time, none before this returns, none after the session ended.
   * Failing reads are repeated inside; a node that the session may not read is told when it may.
   */
  watchNode(path: string, listener: (node: StoreNode | null) => void): Subscription;
  /** Follows the names of a node's children in the same way, sorted; null: there is no such node. */
  watchChildren(path: string, listener: (names: readonly string[] | null) => void): Subscription;

  /** Ends the session: its ephemeral nodes are gone when this resolves. Does nothing when it is over. */
  close(): Promise<void>;
}

/** Where sessions come from. */
export interface Store {
  /**
   * Opens a new session; resolves when it is connected.
   *
   * @throws MILLRACE_STORE_UNAVAILABLE, MILLRACE_STORE_CREDENTIALS
   */
  connect(options?: ConnectOptions): Promise<Session>;
}
