// The parameters that a host follows: those of the cluster, and those of the topologies that run here. They outlive
// sessions: while the store is away the last ones hold, and the first look of the next session brings the newest. Main
// thread.
//
//   /parameters/cluster ─┬──────────────────────────► hosts: what they log
//                        └─┐
//   /parameters/ID ────────┴─► seen, if different ──► the run with that id
//
// Invariant: who follows is told of states in the order of the store, never of one twice, and of the last one always.

import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../../engine/log.js';
import {
  checkParameters,
  NO_PARAMETERS,
  seenParameters,
  type ParameterOwner,
  type ParameterValues,
} from '../../engine/model/parameters.js';
import { CLUSTER_PARAMETERS, parametersPath } from '../paths.js';
import { SharedConfig } from '../recipes/shared-config.js';
import type { Session } from '../store/contract.js';

/** What a run sees, followed. */
export interface SeenParameters {
  readonly now: ParameterValues;
  /** Resolves when all of it was read once; never, when the store stays away. */
  readonly ready: Promise<void>;
  close(): void;
}

export interface LiveParametersOptions {
  readonly logger: Logger;
  /** Told those of the cluster whenever they change. */
  readonly cluster: (parameters: ParameterValues) => void;
}

export class LiveParameters {
  private readonly options: LiveParametersOptions;
  private readonly cluster: Followed;
  private readonly followed = new Set<Followed>();
  private readonly runs = new Set<() => void>();
  private session: Session | null = null;

  constructor(options: LiveParametersOptions) {
    this.options = options;
    this.cluster = this.add(CLUSTER_PARAMETERS, 'the cluster', () => {
      options.cluster(this.cluster.now);
      for (const changed of this.runs) changed();
    });
  }

  /** Goes on in that session; gives what ends it there. */
  inSession(session: Session): () => void {
    this.session = session;
    for (const each of this.followed) each.follow(session);
    return () => {
      this.session = null;
      for (const each of this.followed) each.rest();
    };
  }

  /**
   * What the components of that topology see.
   *
   * @param changed - called whenever that is something else, also before it is ready
   */
  follow(
    run: { readonly stateId: string; readonly name: string },
    changed: (seen: ParameterValues) => void,
  ): SeenParameters {
    const look = (): void => {
      const next = seenParameters(this.cluster.now, own.now);
      if (isDeepStrictEqual(next, seen)) return;
      seen = next;
      changed(seen);
    };
    const own: Followed = this.add(parametersPath(run.stateId), `topology "${run.name}"`, look);
    let seen = seenParameters(this.cluster.now, NO_PARAMETERS);
    this.runs.add(look);
    return {
      get now() {
        return seen;
      },
      ready: Promise.all([this.cluster.ready, own.ready]).then(() => undefined),
      close: () => {
        this.runs.delete(look);
        this.followed.delete(own);
        own.rest();
      },
    };
  }

  private add(path: string, owner: ParameterOwner, changed: () => void): Followed {
    const followed = new Followed(path, owner, this.options.logger, changed);
    this.followed.add(followed);
    if (this.session !== null && !this.session.ended.aborted) followed.follow(this.session);
    return followed;
  }
}

/** One node, over sessions. */
class Followed {
  readonly ready: Promise<void>;
  private readonly path: string;
  private readonly owner: ParameterOwner;
  private readonly logger: Logger;
  private readonly changed: () => void;
  private config: SharedConfig<ParameterValues> | null = null;
  private values = NO_PARAMETERS;
  /** Which change of the store was looked at last. */
  private seen = 0n;
  private looked: () => void = () => undefined;

  constructor(path: string, owner: ParameterOwner, logger: Logger, changed: () => void) {
    this.path = path;
    this.owner = owner;
    this.logger = logger;
    this.changed = changed;
    this.ready = new Promise((resolve) => (this.looked = resolve));
  }

  get now(): ParameterValues {
    return this.values;
  }

  follow(session: Session): void {
    this.rest();
    this.config = new SharedConfig<ParameterValues>({
      session,
      logger: this.logger,
      path: this.path,
      check: (value) => checkParameters(value, this.owner),
      initial: this.values,
      since: this.seen,
      changed: (values) => {
        this.values = values;
        this.changed();
      },
    });
    // A session that ends before is followed by another one.
    void this.config.ready.then(this.looked, () => undefined);
  }

  rest(): void {
    if (this.config === null) return;
    this.seen = this.config.seen;
    this.config.close();
    this.config = null;
  }
}
