// Which hosts are drained: a node for each, by the name of the host. Draining says only that a host is to be without
// workers; the master moves them away. Main thread.
//
//   up ─ drain ─► draining ─ nothing of it runs there any more ─► drained
//    ▲               │                                              │
//    └─── undrain ───┴──────────────────────────────────────────────┘
//
// Invariant: of two that drain the last two hosts at the same moment, one is refused: each drain checks and changes the
// version of the directory.

import { failure } from '../engine/errors.js';
import type { Hosts, KnownHost } from './hosts.js';
import { DRAINS, drainPath } from './paths.js';
import type { Session } from './store/contract.js';
import { toData } from './store/json-node.js';
import { hasCode } from './store/store-errors.js';
import type { Drain } from './topology-records.js';

export interface DrainsOptions {
  readonly session: () => Promise<Session>;
  readonly hosts: Hosts;
  /** Milliseconds since the epoch, for what people read. */
  readonly wallMs: () => number;
}

export class Drains {
  private readonly options: DrainsOptions;

  constructor(options: DrainsOptions) {
    this.options = options;
  }

  /**
   * Wishes that host without workers; nothing changes when it is so already. Resolves when that is kept.
   *
   * @returns the host as it is then
   * @throws MILLRACE_HOST_UNKNOWN; MILLRACE_DRAIN_LAST when no other host takes workers
   */
  async drain(host: string): Promise<KnownHost> {
    for (;;) {
      const session = await this.options.session();
      await session.sync(DRAINS);
      const { version } = (await session.get(DRAINS)).stat;
      const { known, own } = await this.find(host);
      if (own.drainedSinceMs !== null) return own;
      if (!known.some((each) => each.host !== host && each.state === 'up')) {
        throw failure('MILLRACE_DRAIN_LAST', { host });
      }
      const drain: Drain = { host, sinceMs: this.options.wallMs() };
      try {
        await session.multi([
          { type: 'set', path: DRAINS, data: new Uint8Array(), version },
          { type: 'create', path: drainPath(host), data: toData(drain) },
        ]);
      } catch (error) {
        // Somebody else drained a host meanwhile, perhaps this one.
        if (!hasCode(error, 'MILLRACE_STORE_BAD_VERSION', 'MILLRACE_STORE_NODE_EXISTS')) throw error;
        continue;
      }
      return (await this.find(host)).own;
    }
  }

  /**
   * Lets that host have workers again; nothing changes when it has them.
   *
   * @returns the host as it is then; of one that is not there, as it was
   * @throws MILLRACE_HOST_UNKNOWN
   */
  async undrain(host: string): Promise<KnownHost> {
    const session = await this.options.session();
    await session.sync(DRAINS);
    const { own } = await this.find(host);
    if (own.drainedSinceMs === null) return own;
    await session.delete(drainPath(host), null).catch((error: unknown) => {
      if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) throw error;
    });
    const now = await this.options.hosts.list();
    return now.find((each) => each.host === host) ?? { ...own, drainedSinceMs: null };
  }

  private async find(host: string): Promise<{ readonly known: readonly KnownHost[]; readonly own: KnownHost }> {
    const known = await this.options.hosts.list();
    const own = known.find((each) => each.host === host);
    if (own !== undefined) return { known, own };
    throw failure('MILLRACE_HOST_UNKNOWN', { host, known: known.map((each) => each.host).join(', ') || 'none' });
  }
}
