// What users ask for who have a new version of a topology that runs: that it replaces the one of its name. The wish for
// it stands in the wish of that topology until it is carried out, or refused with a reason that stays there until the
// next one. Main thread.

import { failure, fromWire } from '../engine/errors.js';
import { HOSTS_NAMED_MAX } from '../engine/limits.js';
import type { Hosts } from './hosts.js';
import { TOPOLOGIES, wishPath } from './paths.js';
import { piecesOf, savePayload } from './payload.js';
import { fromNode, toData } from './store/json-node.js';
import type { Session, StoreNode } from './store/contract.js';
import { aborted } from './store/signals.js';
import { hasCode } from './store/store-errors.js';
import { submittedFrom, type NewTopology, type Topologies } from './topologies.js';
import { isWish, type Wish } from './topology-records.js';
import { isReplacing } from './versions.js';

export interface ReplacementsOptions {
  readonly session: () => Promise<Session>;
  /** Makes ids unlike all others. */
  readonly newId: () => string;
  readonly topologies: Topologies;
  readonly hosts: Pick<Hosts, 'list'>;
}

export class Replacements {
  private readonly options: ReplacementsOptions;

  constructor(options: ReplacementsOptions) {
    this.options = options;
  }

  /**
   * Keeps the wish that it replaces the topology of its name, whose state, as active or inactive, and parameters it
   * takes over; `active` is not looked at.
   *
   * @returns the id of the new version
   * @throws MILLRACE_REPLACE_UNKNOWN, MILLRACE_REPLACE_BUSY while another version replaces it,
   * MILLRACE_REPLACE_STATE while it is being killed, MILLRACE_REPLACE_PROTOCOLS while older hosts are there,
   * MILLRACE_WISH_TOO_LARGE, what the store throws
   */
  async submit(topology: NewTopology): Promise<string> {
    const { name } = topology.description;
    const pieces = piecesOf(name, topology);
    const session = await this.options.session();
    await this.checkProtocols(name);
    for (;;) {
      const found = await this.find(session, name);
      if (found === null) throw failure('MILLRACE_REPLACE_UNKNOWN', { topology: name });
      const { wish, version } = found;
      if (wish.wanted === 'killed') throw failure('MILLRACE_REPLACE_STATE', { topology: name, state: 'draining' });
      if (isReplacing(wish)) throw failure('MILLRACE_REPLACE_BUSY', { topology: name });
      // A new one each time: pieces of the last try may be there.
      const id = this.options.newId();
      const next = { ...submittedFrom(topology, id, pieces.length), replaces: wish.id };
      // Why the last one was refused stays until this one is decided on: somebody may still ask.
      const data = toData({ ...wish, next } satisfies Wish);
      try {
        await savePayload(session, id, pieces, { type: 'set', path: wishPath(name), data, version });
        return id;
      } catch (error) {
        if (hasCode(error, 'MILLRACE_STORE_UNCERTAIN')) {
          const now = await this.find(await this.options.session(), name).catch(() => null);
          if (now !== null && [now.wish.id, now.wish.next?.id, now.wish.refused?.id].includes(id)) return id;
        }
        if (!hasCode(error, 'MILLRACE_STORE_BAD_VERSION', 'MILLRACE_STORE_NO_NODE')) throw error;
      }
    }
  }

  /**
   * Resolves when the version with that id has replaced the one before.
   *
   * @throws why it was refused; MILLRACE_REPLACE_ENDED when the topology ended before; the reason of the signal
   */
  async done(name: string, id: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const session = await this.options.session();
      const decided = new AbortController();
      const seen: (Wish | null | Error)[] = [];
      const watch = session.watchNode(wishPath(name), (node) => {
        if (decided.signal.aborted) return;
        const wish = read(node);
        if (isWish(wish) && wish.next?.id === id) return;
        seen.push(wish);
        decided.abort();
      });
      await aborted(decided.signal, session.ended, signal);
      watch.close();
      const [wish] = seen;
      if (wish === undefined) continue;
      if (wish instanceof Error) throw wish;
      if (wish?.id === id) return;
      if (wish?.refused?.id === id) throw fromWire(wish.refused.error);
      return await this.endedMeanwhile(name, id);
    }
  }

  /** Any of them may be master, or get the next version. */
  private async checkProtocols(topology: string): Promise<void> {
    const hosts = (await this.options.hosts.list()).filter(({ boot, door }) => boot !== '' && door !== undefined);
    if (new Set(hosts.map(({ protocol = 0 }) => protocol)).size < 2) return;
    const named = hosts.slice(0, HOSTS_NAMED_MAX).map(({ host, protocol = 0 }) => `${host} ${protocol}`);
    throw failure('MILLRACE_REPLACE_PROTOCOLS', { topology, hosts: named.join(', ') });
  }

  /** Neither runs: either the new one has ended since, or the one before did, and the new one was dropped. */
  private async endedMeanwhile(name: string, id: string): Promise<void> {
    const { topologies } = this.options;
    const isOver = await topologies.get(name, id).then(
      () => true,
      () => false,
    );
    if (isOver) return;
    const state = await topologies.get(name).then(
      (known) => known.state,
      () => 'unknown',
    );
    throw failure('MILLRACE_REPLACE_ENDED', { topology: name, state });
  }

  private async find(
    session: Session,
    name: string,
  ): Promise<{ readonly wish: Wish; readonly version: number } | null> {
    const node = await nodeAt(session, name);
    // The server may lag behind the one that it was submitted by.
    if (node === null) await session.sync(TOPOLOGIES);
    const now = node ?? (await nodeAt(session, name));
    return now === null ? null : { wish: fromNode(now, isWish), version: now.stat.version };
  }
}

async function nodeAt(session: Session, name: string): Promise<StoreNode | null> {
  try {
    return await session.get(wishPath(name));
  } catch (error) {
    if (hasCode(error, 'MILLRACE_STORE_NO_NODE', 'MILLRACE_STORE_PATH')) return null;
    throw error;
  }
}

function read(node: StoreNode | null): Wish | null | Error {
  try {
    return node === null ? null : fromNode(node, isWish);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
