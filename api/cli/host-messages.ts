// What the small parent of `millrace host` and the host process tell each other, over the channel between a process and
// its child. Plain data.

import type { WireError } from '../../engine/errors.js';
import type { SessionKey } from '../host/options.js';

/** How a host is reached by others, as it is written on the command line; null: the default. */
export interface LinkFlags {
  readonly address: string | null;
  readonly ports: readonly [first: number, last: number] | null;
  /** Files are read by the host process, each time that it starts: what is in them may be renewed. */
  readonly secretFile: string | null;
  readonly tlsKey: string | null;
  readonly tlsCert: string | null;
  readonly tlsCa: string | null;
}

/** What a host process is to be, as its one argument: JSON. */
export interface HostProcessOptions {
  readonly listen: string;
  readonly dataDirectory: string;
  /** It is a temporary one: whoever of the two is left removes it. */
  readonly keepsNothing: boolean;
  readonly filesDirectory: string | null;
  /** Null: the default. */
  readonly slots: number | null;
  /** The servers of the ensemble that hosts share; null: this host is alone. */
  readonly zookeeper: string | null;
  /** Null: the default. */
  readonly name: string | null;
  /** What topologies may ask for. */
  readonly labels: readonly string[];
  /** Null: the default. */
  readonly sessionTimeoutMs: number | null;
  readonly links: LinkFlags;
  readonly json: boolean;
  readonly verbose: boolean;
  /** Submissions that are not started again. */
  readonly heldBack: readonly string[];
}

export type FromHostProcess =
  /** It takes topologies. */
  | { readonly type: 'listening'; readonly url: string }
  /** These submissions run there from now on. */
  | { readonly type: 'running'; readonly ids: readonly string[] }
  /** It has this session with the ensemble from now on. */
  | { readonly type: 'session'; readonly key: SessionKey }
  /** It could not start; it exits. */
  | { readonly type: 'refused'; readonly error: WireError };

export type ToHostProcess =
  /** End cleanly. The same is meant when the channel breaks: the parent is gone. */
  { readonly type: 'stop' };

/** Exit code of a host process that said `refused`. */
export const EXIT_REFUSED = 78;
