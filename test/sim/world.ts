// A simulated world: machines over one simulated store, what is known of what was asked and answered, and the rules
// that watch. It does what it is told, and moves time on; what is done to it is the day's (day.ts).

import { Random } from '../../engine/random.js';
import type { Change } from '../../coordination/store/simulated/leader.js';
import { SimulatedStore } from '../../coordination/store/simulated/simulated-store.js';
import type { ClusterHost } from '../../coordination/host/cluster-host.js';
import { assignmentPath } from '../../coordination/paths.js';
import type { Assignment, Checkpoint, EndState } from '../../coordination/topology-records.js';
import { reasonOf } from '../../engine/errors.js';
import { ChangeRules } from './changes.js';
import { Journal } from './journal.js';
import { Machine, type Wiring } from './machine.js';
import type { SimRun } from './run.js';
import type { SimMembership } from './runner.js';
import type { PartAt, RunAt, RunHabits, RunWitness } from './witness.js';
import { WorldTime } from './time.js';

/** Servers of the store. */
export const SERVERS = 3;

export interface WorldOptions {
  readonly seed: number;
  /** How many machines there are. */
  readonly hosts: number;
  readonly wiring?: Wiring;
  /** Told each line of what happens. */
  readonly print?: (line: string) => void;
}

/** What was acknowledged. */
interface Acknowledged {
  readonly name: string;
  readonly id: string;
  isKilled: boolean;
}

export class World implements RunWitness {
  readonly time = new WorldTime(1_000);
  readonly random: Random;
  readonly journal: Journal;
  readonly rules: ChangeRules;
  readonly store: SimulatedStore;
  readonly machines: readonly Machine[];
  readonly acknowledged = new Map<string, Acknowledged>();
  /** All servers are stopped. */
  isStoreAway = false;
  habits: RunHabits = { completes: 0.1, fails: 0.05, refuses: 0.2, paceMs: 5_000 };
  private readonly begun = new Set<string>();
  private readonly incarnations = new Set<string>();

  constructor({ seed, hosts, wiring = {}, print }: WorldOptions) {
    this.random = new Random(seed);
    const { time, random } = this;
    this.journal = new Journal(() => time.now(), print ?? null);
    const slots = new Map<string, number>();
    this.rules = new ChangeRules(
      this.journal,
      (host) => slots.get(host) ?? 0,
      (id) => this.runs().find((run) => run.order.id === id && run.isOpen && this.leads(run))?.where ?? null,
    );
    this.store = new SimulatedStore({
      clock: time,
      seed: random.nextInt32(),
      servers: SERVERS,
      changed: (change: Change) => this.rules.apply(change),
    });
    this.machines = Array.from({ length: hosts }, (_, number): Machine => {
      const name = `h${number}`;
      slots.set(name, 1 + random.nextBelow(6));
      return new Machine({
        name,
        slots: slots.get(name)!,
        seed: random.nextInt32(),
        offMs: (random.nextFloat() - 0.5) * 48 * 3_600_000,
        time,
        store: this.store,
        journal: this.journal,
        witness: this,
        habits: () => this.habits,
        wiring,
        isStoreAway: () => this.isStoreAway,
      });
    });
  }

  /** Something is wrong: nothing else is of interest. */
  get isOver(): boolean {
    return this.journal.violation !== null;
  }

  async advance(ms: number): Promise<void> {
    if (!this.isOver) await this.time.advance(ms, () => this.isOver);
  }

  /** Moves time on until that is so, for that long at most; whether it is. */
  async until(ms: number, isSo: () => boolean): Promise<boolean> {
    if (!this.isOver) await this.time.advance(ms, () => this.isOver || isSo());
    return isSo();
  }

  between(fromMs: number, toMs: number): number {
    return fromMs + this.random.nextFloat() * (toMs - fromMs);
  }

  pick<T>(from: readonly T[]): T | undefined {
    return from[this.random.nextBelow(from.length)];
  }

  /** Every run that is not over, of processes that are there. */
  runs(): readonly SimRun[] {
    return this.machines.flatMap(({ life }) => (life === null ? [] : [...life.runner.runs]));
  }

  /** Its assignment says so: one that was moved may be cut off, and not know it yet. */
  private leads({ order: { name, id, revision }, where }: SimRun): boolean {
    const now = this.rules.mirror.read<Assignment>(assignmentPath(name));
    return now?.id === id && now.revision === revision && now.places[0]?.host === where;
  }

  /** Every part that is taken in them. */
  memberships(): readonly SimMembership[] {
    return this.machines.flatMap(({ life }) => (life === null ? [] : [...life.runner.memberships]));
  }

  reach({ where, order }: RunAt, member: string): SimMembership | null {
    const machine = this.machines.find((each) => each.member === member);
    const isCut = machine?.isApart === true || this.machines.find(({ name }) => name === where)?.isApart === true;
    if (machine?.isRunning !== true || isCut) return null;
    const all = [...machine.life!.runner.memberships];
    return (
      all.find((each) => each.isOpen && each.order.id === order.id && each.order.revision === order.revision) ?? null
    );
  }

  /** A user asks some host for something; refused or not answered, it is not held to it. */
  ask<T>(what: string, call: (host: ClusterHost) => Promise<T>, done: (answer: T) => void = () => undefined): void {
    const machine = this.pick(this.machines.filter(({ isUp }) => isUp));
    if (machine === undefined) return;
    this.journal.note(`a user asks ${machine.name}: ${what}`);
    call(machine.life!.host).then(
      (answer) => {
        this.journal.note(`${machine.name} has answered: ${what}`);
        done(answer);
      },
      (error: unknown) => this.journal.note(`${machine.name} has not done it: ${what}: ${reasonOf(error)}`),
    );
  }

  note(line: string): void {
    this.journal.note(line);
  }

  started({ where, order }: RunAt): void {
    const { name, id, stateId, revision, checkpoints, standby } = order;
    const run = `${id} r${revision}`;
    this.journal.note(`${where}: "${name}" r${revision} is started`);
    if (this.begun.has(run)) this.journal.broken('not twice', `"${name}" r${revision} is started again, by ${where}`);
    this.begun.add(run);
    if (!standby) this.rules.kept.started(stateId, checkpoints);
  }

  opened({ where, order: { name, stateId, revision } }: RunAt, checkpoints: readonly Checkpoint[]): void {
    this.journal.note(`${where}: "${name}" r${revision} opens its spouts`);
    this.rules.kept.started(stateId, checkpoints);
  }

  joined({ where, order }: PartAt): void {
    const { name, id, revision } = order;
    this.journal.note(`${where} takes part in "${name}" r${revision}`);
    for (const other of this.memberships()) {
      if (other.where !== where || other.order.id !== id) continue;
      this.journal.broken('not twice', `${where} takes part in "${name}" r${revision} and r${other.order.revision}`);
    }
  }

  incarnated({ where, order }: RunAt, worker: number, incarnation: number): void {
    const key = `${order.id} ${worker} ${incarnation}`;
    const what = `worker ${worker} of "${order.name}" has incarnation ${incarnation} again, at ${where}`;
    if (this.incarnations.has(key)) this.journal.broken('not twice', what);
    this.incarnations.add(key);
  }

  sawEnd(id: string, state: EndState): void {
    this.rules.sawEnd(id, state);
  }
}
