// Parameters as any host sets and tells them: one node for the cluster, one for each topology that has not ended. Who
// sets them may say which version they are to follow, so that two never overwrite each other; a topology's are written
// in one transaction with a check of its wish, so that none are left behind by one that ends at that moment.
//
//   version 0: nobody has set any ─ set ─► 1 ─ set ─► 2 …      `{}` is set, too
//
// Those of a topology belong to its submission, by id, and not to its name: what is set late never reaches another one
// that has the name by then. Main thread.

import { failure, reasonOf } from '../engine/errors.js';
import { PARAMETERS_TRIES_MAX } from '../engine/limits.js';
import {
  checkParameters,
  NO_PARAMETERS,
  type ParameterOwner,
  type ParameterValues,
} from '../engine/model/parameters.js';
import { CLUSTER_PARAMETERS, PARAMETERS, parametersPath, wishPath } from './paths.js';
import { fromNode, isJson, toData } from './store/json-node.js';
import type { Operation, Session, StoreNode } from './store/contract.js';
import { hasCode } from './store/store-errors.js';
import { isWish } from './topology-records.js';
import type { Topologies } from './topologies.js';
import { stateIdOf } from './versions.js';

/** What is set. */
export interface KeptParameters {
  /** Counts up each time that they are set; 0: nobody has. */
  readonly version: number;
  readonly values: ParameterValues;
  /**
   * Why what somebody wrote into the node by hand is not heeded: what held before still does. Null: nothing is wrong.
   */
  readonly problem: string | null;
}

/** Whose they are: a topology by name, and if given only that submission of it; null: the cluster's. */
export type ParameterTarget = { readonly name: string; readonly id?: string } | null;

interface Place {
  readonly path: string;
  readonly owner: ParameterOwner;
  /** What has to be so when they are written. */
  readonly checks: readonly Operation[];
}

export interface ParameterNodesOptions {
  readonly session: () => Promise<Session>;
  readonly topologies: Topologies;
}

export class ParameterNodes {
  private readonly options: ParameterNodesOptions;

  constructor(options: ParameterNodesOptions) {
    this.options = options;
  }

  /** @throws MILLRACE_TOPOLOGY_UNKNOWN, MILLRACE_PARAMETERS_ENDED, what the store throws */
  async get(target: ParameterTarget): Promise<KeptParameters> {
    const session = await this.upToDate();
    const { path, owner } = await this.placeOf(session, target);
    return kept(await read(session, path), owner);
  }

  /**
   * Replaces all of them.
   *
   * @param given - what they are to be, as JSON
   * @param expected - the version that they have; null: any
   * @throws MILLRACE_PARAMETERS_INVALID, MILLRACE_PARAMETERS_VERSION, MILLRACE_TOPOLOGY_UNKNOWN,
   *   MILLRACE_PARAMETERS_ENDED, what the store throws
   */
  async set(target: ParameterTarget, given: unknown, expected: number | null): Promise<KeptParameters> {
    const values = checkParameters(given, target === null ? 'the cluster' : `topology "${target.name}"`);
    const data = toData(values);
    /** The version that a write has given them whose answer was lost, if it was carried out. */
    let perhaps: number | null = null;
    for (let tries = 1; ; tries++) {
      const session = await this.upToDate();
      const { path, owner, checks } = await this.placeOf(session, target);
      const node = await read(session, path);
      const version = versionOf(node);
      if (version === perhaps && node !== null && Buffer.from(node.data).equals(data)) return kept(node, owner);
      if (expected !== null && version !== expected) {
        throw failure('MILLRACE_PARAMETERS_VERSION', { owner, version, expected });
      }
      const write: Operation =
        node === null ? { type: 'create', path, data } : { type: 'set', path, data, version: node.stat.version };
      try {
        await session.multi([...checks, write]);
        return { version: version + 1, values, problem: null };
      } catch (error) {
        const raced = hasCode(
          error,
          'MILLRACE_STORE_BAD_VERSION',
          'MILLRACE_STORE_NODE_EXISTS',
          'MILLRACE_STORE_NO_NODE',
        );
        if (!(raced || hasCode(error, 'MILLRACE_STORE_UNCERTAIN')) || tries === PARAMETERS_TRIES_MAX) throw error;
        if (!raced) perhaps = version + 1;
      }
    }
  }

  /** A session that sees all that was acknowledged to anybody by now. */
  private async upToDate(): Promise<Session> {
    const session = await this.options.session();
    await session.sync(PARAMETERS);
    return session;
  }

  private async placeOf(session: Session, target: ParameterTarget): Promise<Place> {
    if (target === null) return { path: CLUSTER_PARAMETERS, owner: 'the cluster', checks: [] };
    const { name, id } = target;
    const node = await read(session, wishPath(name));
    const wish = node === null ? null : fromNode(node, isWish);
    if (node !== null && wish !== null && (id === undefined || wish.id === id)) {
      const check: Operation = { type: 'check', path: node.path, version: node.stat.version };
      return { path: parametersPath(stateIdOf(wish)), owner: `topology "${name}"`, checks: [check] };
    }
    const known = await this.options.topologies.get(name, id);
    if (known.kind === 'ended') throw failure('MILLRACE_PARAMETERS_ENDED', { name, state: known.state });
    // It has come in between.
    return await this.placeOf(session, target);
  }
}

function kept(node: StoreNode | null, owner: ParameterOwner): KeptParameters {
  const version = versionOf(node);
  if (node === null) return { version, values: NO_PARAMETERS, problem: null };
  try {
    return { version, values: checkParameters(fromNode(node, isJson), owner), problem: null };
  } catch (error) {
    if (!hasCode(error, 'MILLRACE_STORE_CONTENT', 'MILLRACE_PARAMETERS_INVALID')) throw error;
    return { version, values: NO_PARAMETERS, problem: reasonOf(error) };
  }
}

function versionOf(node: StoreNode | null): number {
  return node === null ? 0 : node.stat.version + 1;
}

/** The node, or null when there is none; of a name that is no path there is none. */
async function read(session: Session, path: string): Promise<StoreNode | null> {
  try {
    return await session.get(path);
  } catch (error) {
    if (hasCode(error, 'MILLRACE_STORE_NO_NODE', 'MILLRACE_STORE_PATH')) return null;
    throw error;
  }
}
