// Each rule broken in turn: what is built wrong, in the wiring of the simulated world and never in the code that is
// tested, and the rule that has to notice. A rule that no mutation breaks would prove nothing by being kept.

import { ASSIGNMENTS, CHECKPOINTS, EPOCH, HOSTS, MASTERS, REPORTS, TOPOLOGIES } from '../../coordination/paths.js';
import { fromNode, isJson, toData } from '../../coordination/store/json-node.js';
import type { Assignment, Report } from '../../coordination/topology-records.js';
import type { RunningTopology } from '../../coordination/host/runner.js';
import type { Rule } from './journal.js';
import type { Wiring } from './machine.js';
import { rewritten, type Rewrite } from './rewritten.js';

export interface Mutation {
  readonly name: string;
  /** Which one notices. */
  readonly rule: Rule;
  readonly wiring: Wiring;
  /** Where to begin to look for one that notices: what it takes does not happen on every day. Default 1. */
  readonly firstSeed?: number;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'masters write without proving that they lead',
    rule: 'one master',
    wiring: store({
      isDropped: ({ type, path }) => type === 'check' && (path === EPOCH || path.startsWith(`${MASTERS}/`)),
    }),
  },
  {
    name: 'masters write the epoch of the first one',
    rule: 'only grows',
    wiring: assignments((assignment) => ({ ...assignment, epoch: 1 })),
  },
  {
    name: 'what was moved keeps its revision',
    rule: 'stays',
    firstSeed: 4,
    wiring: assignments((assignment) => ({ ...assignment, revision: Math.min(1, assignment.revision) })),
  },
  {
    name: 'what only has to be told is moved as well',
    rule: 'stays',
    wiring: assignments((assignment) =>
      assignment.wanted === 'inactive' ? { ...assignment, places: assignment.places.toReversed() } : assignment,
    ),
  },
  {
    name: 'slots are given away without looking who has them',
    rule: 'own slot',
    wiring: assignments((assignment) => ({
      ...assignment,
      places: assignment.places.map((place, slot) => ({ ...place, slot })),
    })),
  },
  {
    name: 'a run is started again in the same revision',
    rule: 'not twice',
    wiring: {
      runner: (runner) => ({
        start: (order, listener) => {
          runner.clock.after(1_000, () => runner.start(order, listener));
          return runner.start(order, listener);
        },
        join: (order) => runner.join(order),
      }),
    },
  },
  {
    name: 'a new version is opened as soon as it has a place',
    rule: 'one version',
    wiring: assignments((assignment) =>
      assignment.next === undefined ? assignment : { ...assignment, next: { ...assignment.next, stage: 'open' } },
    ),
  },
  {
    name: 'progress is written without proving the claim',
    rule: 'progress',
    firstSeed: 28,
    wiring: store({ isDropped: ({ type, path }) => type === 'check' && path.startsWith(`${CHECKPOINTS}/`) }),
  },
  {
    name: 'a wish is acknowledged and not kept',
    rule: 'as wished',
    wiring: store({ isSwallowed: (operations) => operations.some((each) => isCreated(each, TOPOLOGIES)) }),
  },
  {
    name: 'masters see only some of the hosts',
    rule: 'placed',
    wiring: store({
      names: (path, names) => (path === HOSTS ? names.filter((name) => name.startsWith('h0~')) : names),
    }),
  },
  {
    name: 'a run does not end when it is not wanted there any more',
    rule: 'runs',
    firstSeed: 11,
    wiring: running((run) => ({ kill: ({ waitMs }) => (waitMs === 0 ? undefined : run.kill({ waitMs })) })),
  },
  {
    name: 'a run goes on when it is to rest',
    rule: 'runs',
    firstSeed: 16,
    wiring: running(() => ({ deactivate: () => undefined })),
  },
  {
    name: 'a run says that its spouts have let go, and they have not',
    rule: 'one version',
    wiring: {
      runner: (runner) => ({
        start: (order, listener) => {
          const run = runner.start(order, listener);
          const standAside = (): void => listener.stage('aside');
          return Object.assign(Object.create(run) as typeof run, { standAside });
        },
        join: (order) => runner.join(order),
      }),
    },
  },
  {
    name: 'the version before does not take back what it let go of',
    rule: 'runs',
    wiring: running(() => ({ comeBack: () => undefined })),
  },
  {
    name: 'hosts do not say what ended',
    rule: 'name free',
    firstSeed: 3,
    wiring: store({
      data: (path, data) => {
        if (!path.startsWith(`${REPORTS}/`)) return data;
        const report = fromNode({ path, data }, isJson) as Report;
        return toData({ ...report, runs: report.runs.filter(({ state }) => state === 'running') });
      },
    }),
  },
  {
    name: 'progress of what ended is not deleted',
    rule: 'no leftovers',
    wiring: store({ isDropped: ({ type, path }) => type === 'delete' && path.startsWith(`${CHECKPOINTS}/`) }),
  },
  {
    name: 'a run throws where nobody catches it',
    rule: 'no throw',
    wiring: running((run) => ({
      deactivate: () => {
        run.deactivate();
        void Promise.reject(new Error('thrown for the test'));
      },
    })),
  },
];

function store(rewrite: Rewrite): Wiring {
  return { session: (session) => rewritten(session, rewrite) };
}

/** Has masters write something else. */
function assignments(change: (assignment: Assignment) => Assignment): Wiring {
  return store({
    data: (path, data) => {
      if (!path.startsWith(`${ASSIGNMENTS}/`)) return data;
      return toData(change(fromNode({ path, data }, isJson) as Assignment));
    },
  });
}

/** Has runs do something else. */
function running(change: (run: RunningTopology) => Partial<RunningTopology>): Wiring {
  return {
    runner: (runner) => ({
      start: (order, listener) => {
        const run = runner.start(order, listener);
        const { ended } = run;
        return {
          ended,
          activate: () => run.activate(),
          deactivate: () => run.deactivate(),
          rebalance: (to) => run.rebalance(to),
          place: (places) => run.place(places),
          open: (checkpoints) => run.open(checkpoints),
          standAside: () => run.standAside(),
          comeBack: () => run.comeBack(),
          kill: (options) => run.kill(options),
          ...change(run),
        };
      },
      join: (order) => runner.join(order),
    }),
  };
}

function isCreated({ type, path }: { readonly type: string; readonly path: string }, directory: string): boolean {
  return type === 'create' && path.startsWith(`${directory}/`);
}
