// The assignments as they stand in the store: masters alone write them, so what this one read and wrote is what stands
// there as long as its term lasts. Main thread.

import type { Logger } from '../../engine/log.js';
import { assignmentPath, ASSIGNMENTS } from '../paths.js';
import type { Term } from '../recipes/election.js';
import { toData } from '../store/json-node.js';
import type { Operation, Session, StoreNode } from '../store/contract.js';
import { isAssignment, isSame, type Assignment, type WorkerPlace } from '../topology-records.js';
import { placesOf } from '../versions.js';

/** One that stands in the store. */
export interface Standing {
  readonly value: Assignment;
  readonly version: number;
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

  constructor(options: AssignmentsOptions) {
    this.options = options;
  }

  /** Reads all of them: also what was written last, and was not answered. */
  async read(): Promise<void> {
    const { session, valueOf } = this.options;
    await session.sync(ASSIGNMENTS);
    const names = await session.children(ASSIGNMENTS);
    const nodes = await Promise.all(names.map((name) => session.get(assignmentPath(name))));
    this.known.clear();
    names.forEach((name, index) => {
      const node = nodes[index]!;
      const value = valueOf(node, isAssignment);
      // One that cannot be read is written anew; its version is needed for that.
      const unread = { name, id: '', epoch: 0, revision: 0, wanted: 'inactive', kill: null, places: [] } as const;
      this.known.set(name, { value: value ?? unread, version: node.stat.version });
    });
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
    const [result] = await term.act([
      known === undefined ? { type: 'create', ...target } : { type: 'set', ...target, version: known.version },
      ...also,
    ]);
    this.known.set(value.name, { value, version: result?.type === 'set' ? result.stat.version : 0 });
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
      await this.options.term.act([{ type: 'delete', path: assignmentPath(name), version }]);
      this.known.delete(name);
    }
  }
}
