// The assignments as they stand in the store: masters alone write them, so what this one read and wrote is what stands
// there as long as its term lasts. What somebody changes by hand all the same is noticed and read again: nonsense is
// written over with what stood there before, and what was deleted is placed anew. Main thread.

import type { Logger } from '../../engine/log.js';
import { assignmentPath, ASSIGNMENTS } from '../paths.js';
import type { Term } from '../recipes/election.js';
import { toData } from '../store/json-node.js';
import type { Operation, Session, StoreNode } from '../store/contract.js';
import { isAssignment, isSame, type Assignment, type WorkerPlace } from '../topology-records.js';
import { alone, placesOf } from '../versions.js';

/** One that stands in the store. */
export interface Standing {
  readonly value: Assignment;
  /** Null: somebody has deleted the node. */
  readonly version: number | null;
  /** What stands in the node is something else, which cannot be read. */
  readonly isUnread: boolean;
}

export interface AssignmentsOptions {
  readonly session: Session;
  readonly term: Term;
  readonly logger: Logger;
  /** Called when a topology gives slots back and goes on: somebody else may wait for them. */
  readonly freed: () => void;
  /** What is in the node, or null when it cannot be read. */
  readonly valueOf: (node: StoreNode, isIt: (value: unknown) => value is Assignment) => Assignment | null;
}

export class Assignments {
  private readonly options: AssignmentsOptions;
  private readonly known = new Map<string, Standing>();
  /** Names of the nodes that were there when it was last looked. */
  private seen: ReadonlySet<string> = new Set();
  /** Those that are being written. */
  private readonly busy = new Set<string>();
  /** What it knows is not what stands in the store. */
  isStale = true;

  constructor(options: AssignmentsOptions) {
    this.options = options;
  }

  /** Reads all of them: also what was written last, and was not answered. */
  async read(): Promise<void> {
    const { session, valueOf } = this.options;
    // What changes from now on is noticed.
    this.isStale = false;
    await session.sync(ASSIGNMENTS);
    const names = await session.children(ASSIGNMENTS);
    const nodes = await Promise.all(names.map((name) => session.get(assignmentPath(name))));
    const before = new Map(this.known);
    this.known.clear();
    names.forEach((name, index) => {
      const node = nodes[index]!;
      const value = valueOf(node, isAssignment);
      const { version } = node.stat;
      if (value !== null) this.known.set(name, { value, version, isUnread: false });
      // One that cannot be read is written anew; its version is needed for that.
      else this.known.set(name, { value: before.get(name)?.value ?? unread(name), version, isUnread: true });
      before.delete(name);
    });
    for (const [name, { value }] of before) {
      // Hosts have ended it by now: it starts anew, in another revision.
      this.known.set(name, { value: { ...alone(value), places: [] }, version: null, isUnread: false });
    }
  }

  /** Takes note of what the nodes are now; whether somebody else has written there. */
  see(nodes: ReadonlyMap<string, StoreNode>): boolean {
    const isChanged = [...nodes].some(([name, { stat }]) => {
      const known = this.known.get(name);
      return known !== undefined && !this.busy.has(name) && stat.version > (known.version ?? -1);
    });
    const isDeleted = [...this.seen].some((name) => {
      const known = this.known.get(name);
      return known !== undefined && known.version !== null && !nodes.has(name) && !this.busy.has(name);
    });
    this.seen = new Set(nodes.keys());
    if (isChanged || isDeleted) this.isStale = true;
    return this.isStale;
  }

  get all(): readonly Assignment[] {
    return [...this.known.values()].map(({ value }) => value);
  }

  /** Whatever stands under that name, also of another topology. */
  get(name: string): Standing | undefined {
    return this.known.get(name);
  }

  /**
   * Writes it, as of this epoch.
   *
   * @param also - what is to be done in the same transaction
   */
  async write(decided: Omit<Assignment, 'epoch'>, also: readonly Operation[] = []): Promise<void> {
    const { term, logger, freed } = this.options;
    const value = { ...decided, epoch: term.epoch };
    const known = this.known.get(value.name);
    const target = { path: assignmentPath(value.name), data: toData(value) };
    const version = known?.version ?? null;
    this.busy.add(value.name);
    try {
      const [result] = await term.act([
        version === null ? { type: 'create', ...target } : { type: 'set', ...target, version },
        ...also,
      ]);
      const written = result?.type === 'set' ? result.stat.version : 0;
      this.known.set(value.name, { value, version: written, isUnread: false });
    } finally {
      this.busy.delete(value.name);
    }
    const places = placesOf(value);
    const stays = (old: WorkerPlace): boolean => places.some((place) => isSame(place, old));
    if (known !== undefined && !placesOf(known.value).every(stays)) freed();
    const where = places.map(({ host, slot }) => `${host}/${slot}`).join(', ');
    logger.debug(`topology "${value.name}": revision ${value.revision}, ${value.wanted}, on ${where || 'no host'}`);
  }

  /** It was deleted. */
  forget(name: string): void {
    this.known.delete(name);
  }

  /** Deletes those whose topology is gone, or was never wished. */
  async removeStrays(isWished: (name: string) => boolean): Promise<void> {
    for (const [name, { version }] of [...this.known]) {
      if (isWished(name)) continue;
      if (version !== null) await this.options.term.act([{ type: 'delete', path: assignmentPath(name), version }]);
      this.known.delete(name);
    }
  }
}

/** In place of what cannot be read, and was never known. */
function unread(name: string): Assignment {
  return { name, id: '', epoch: 0, revision: 0, wanted: 'inactive', kill: null, places: [] };
}
