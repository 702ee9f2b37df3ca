// Ends topologies: one transaction frees the name, removes the assignment and adds a line to the history, which is
// bounded. What else the topology left in the store is deleted afterwards, and by the next look for orphans when this
// process dies in between. Main thread.

import { reasonOf } from '../../engine/errors.js';
import { FINAL_BYTES_MAX, HISTORY_MAX, KILL_REASON_TEXT_MAX, STORE_NODE_BYTES_MAX } from '../../engine/limits.js';
import type { TopologyDescription } from '../../engine/model/describe.js';
import type { Logger } from '../../engine/log.js';
import {
  assignmentPath,
  checkpointsPath,
  finalPath,
  HISTORY,
  historyPath,
  NEW_HISTORY,
  parametersPath,
  payloadPath,
  wishPath,
} from '../paths.js';
import { deleteFlat, loadPayload } from '../payload.js';
import type { Term } from '../recipes/election.js';
import { fromNode, toData } from '../store/json-node.js';
import type { Operation, Session } from '../store/contract.js';
import { hasCode } from '../store/store-errors.js';
import { smallError } from '../small-error.js';
import { isFinal, type Ended, type EndState, type Final, type Wish } from '../topology-records.js';
import { stateIdOf, submittedOf } from '../versions.js';
import type { Standing } from './assignments.js';

export interface HistoryOptions {
  readonly session: Session;
  readonly term: Term;
  readonly logger: Logger;
  readonly wallMs: () => number;
}

export class History {
  private readonly options: HistoryOptions;

  constructor(options: HistoryOptions) {
    this.options = options;
  }

  /**
   * Ends the topology.
   *
   * @param version - of its wish, as it was decided on
   * @param assignment - what stands in the store, also of another topology of that name
   * @throws what `act` throws; then nothing was changed
   */
  async end(wish: Wish, version: number, state: EndState, assignment: Standing | null): Promise<void> {
    const operations: Operation[] = [
      { type: 'delete', path: wishPath(wish.name), version },
      await this.lineOf(wish, state, assignment?.value.revision ?? 0),
    ];
    const placed = assignment?.version ?? null;
    if (placed !== null) operations.push({ type: 'delete', path: assignmentPath(wish.name), version: placed });
    await this.options.term.act(operations);
    const stateId = stateIdOf(wish);
    await this.forget(wish.name, [
      ...submittedOf(wish).flatMap(({ id }) => [payloadPath(id), finalPath(id)]),
      checkpointsPath(stateId),
      parametersPath(stateId),
    ]);
  }

  /** What adds a topology that has ended to the history. */
  async lineOf(wish: Wish, state: EndState, revision: number): Promise<Operation> {
    const data = await this.lineDataOf(wish, state, await this.finalOf(wish, revision));
    return { type: 'create', path: NEW_HISTORY, data, mode: 'persistent-sequential' };
  }

  /** Deletes what nobody needs any more of a topology, or leaves that to the look for orphans. */
  async forget(name: string, paths: readonly string[]): Promise<void> {
    const { session, term, logger } = this.options;
    try {
      for (const path of paths) await deleteFlat(session, path, (deletes) => term.act(deletes));
      await this.trim();
    } catch (error) {
      logger.debug(`what topology "${name}" left is deleted later: ${reasonOf(error)}`);
    }
  }

  private async lineDataOf(wish: Wish, state: EndState, final: Final | null): Promise<Uint8Array> {
    const { session, wallMs } = this.options;
    const { name, id, submittedAtMs, workers, tasks, artifacts } = wish;
    const error = final?.error ? smallError(final.error) : null;
    const killed = wish.kill?.reason?.slice(0, KILL_REASON_TEXT_MAX) ?? null;
    const reason = state === 'killed' ? killed : (error?.message ?? null);
    const description = await loadPayload(session, wish).then(
      (payload) => payload.description,
      () => null,
    );
    const small = description !== null && toData(description).byteLength <= FINAL_BYTES_MAX;
    const line: Ended = {
      name,
      id,
      state,
      reason,
      error,
      submittedAtMs,
      startedAtMs: final?.startedAtMs ?? null,
      endedAtMs: final?.endedAtMs ?? wallMs(),
      workers,
      tasks,
      artifacts,
      // What components were set to may be secret, and nobody asks for it any more.
      description: small ? withoutConfig(description) : null,
      final: final?.final ?? null,
    };
    return fitted(line);
  }

  private async finalOf(wish: Wish, revision: number): Promise<Final | null> {
    const { session, logger } = this.options;
    try {
      const final = fromNode(await session.get(finalPath(wish.id)), isFinal);
      return final.revision === revision ? final : null;
    } catch (error) {
      if (hasCode(error, 'MILLRACE_STORE_NO_NODE')) return null;
      if (!hasCode(error, 'MILLRACE_STORE_CONTENT')) throw error;
      logger.error(reasonOf(error));
      return null;
    }
  }

  private async trim(): Promise<void> {
    const { session, term } = this.options;
    const names = await session.children(HISTORY);
    const old = names.slice(0, Math.max(0, names.length - HISTORY_MAX));
    if (old.length === 0) return;
    await term.act(old.map((name) => ({ type: 'delete', path: historyPath(name), version: null }) as const));
  }
}

/** As much of it as a node takes: a topology that could not be ended would keep its name and its slots. */
function fitted(line: Ended): Uint8Array {
  const smaller: readonly Partial<Ended>[] = [{}, { description: null }, { final: null }, { error: null }];
  let kept = line;
  for (const less of smaller) {
    kept = { ...kept, ...less };
    const data = toData(kept);
    if (data.byteLength <= STORE_NODE_BYTES_MAX) return data;
  }
  return toData({ ...kept, artifacts: [] } satisfies Ended);
}

function withoutConfig(description: TopologyDescription): TopologyDescription {
  return { ...description, components: description.components.map((each) => ({ ...each, config: {} })) };
}
