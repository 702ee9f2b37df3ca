// What a host is started with. Types only, with the defaults in words; host.ts applies them and checks what the types
// cannot say.

import type { Clock } from '../../engine/clock.js';
import type { Logger } from '../../engine/log.js';

export interface HostOptions {
  /** What the host is called: letters, digits, `.`, `_` and `-`. Default `local`. */
  readonly name?: string;
  /** Worker threads that may run at a time, over all topologies. Default: one a processor, at least two. */
  readonly slots?: number;
  /**
   * Where wishes, progress and artifacts are kept, so that a host that is started again goes on. Default null: in
   * memory and a temporary directory, until the host is closed.
   */
  readonly dataDirectory?: string | null;
  /**
   * The only directory whose files the built-in components of topologies that come over HTTP may use. Default null:
   * such components are refused in documents.
   */
  readonly filesDirectory?: string | null;
  /** Where the HTTP interface listens, as `127.0.0.1:7070`; port 0 is a free one. Default null: it does not. */
  readonly listen?: string | null;
  /** Takes what the host and its topologies have to say. Default: says nothing. */
  readonly logger?: Logger;
  /**
   * Takes a line that a component prints; `print` of components waits for it. Default: the logger, as information.
   *
   * @param topology - the name of the topology whose component prints
   */
  readonly print?: (line: string, topology: string) => void | Promise<void>;
  /** Where time comes from. Default: the machine's. */
  readonly clock?: Clock;
  /** Submissions, by their ids, that end as failed instead of being started again. Default: none. */
  readonly heldBack?: readonly string[];
  /**
   * Told which submissions run, by their ids, whenever that changes: of what a process may crash. Default: nobody is.
   */
  readonly onRunning?: (ids: readonly string[]) => void;
}
