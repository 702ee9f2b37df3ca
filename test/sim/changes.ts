// The rules that hold at each change of the store, checked at the moment when it counts: who may write, what only
// grows, what stays where it is, whose slot it is, what was kept of progress, and what ended.
//
//   Change of the leader ─► Mirror ─► rules of its directory ─► Journal
//
// A master acts on what it knew: its view is never older than its epoch, because it asks the store to catch up before
// it reads. So a host may be taken for gone that was away at some moment since its epoch began.

import {
  ASSIGNMENTS,
  CHECKPOINTS,
  EPOCH,
  FINALS,
  HISTORY,
  HOSTS,
  memberOf,
  PAYLOADS,
  TOPOLOGIES,
} from '../../coordination/paths.js';
import type { Epoch } from '../../coordination/recipes/election.js';
import type { Change } from '../../coordination/store/simulated/leader.js';
import {
  changesOf,
  type Assignment,
  type Ended,
  type EndState,
  type Wish,
  type WorkerPlace,
} from '../../coordination/topology-records.js';
import type { Journal } from './journal.js';
import { jsonOf, Mirror, type NodeChange } from './mirror.js';
import { Kept } from './progress.js';

/** Whether a member is there, since when, and when it was last seen to go. */
interface Presence {
  here: boolean;
  cameAt: number;
  wentAt: number;
}

interface Reign {
  readonly epoch: number;
  readonly member: string;
  readonly session: string;
  /** Which change began it. */
  readonly since: number;
}

export class ChangeRules {
  readonly mirror = new Mirror();
  readonly kept: Kept;
  /** How those that ended did, by id. */
  readonly ended = new Map<string, EndState>();
  /** Names that are free again. */
  readonly endedNames = new Set<string>();
  /** What their hosts saw of ends, by id: what no host saw has not happened. */
  readonly seenEnds = new Map<string, Set<EndState>>();
  /** Who leads, as the store has it. */
  reign: Reign = { epoch: 0, member: '', session: '', since: 0 };
  private readonly journal: Journal;
  private readonly slotsOf: (host: string) => number;
  private readonly presence = new Map<string, Presence>();
  /** The last assignment of each submission, by id: also of those whose node is gone. */
  private readonly assigned = new Map<string, Assignment>();
  private readonly wishes = new Map<string, Wish>();
  private session = '';

  /** @param slotsOf - how many slots the host of that name has */
  constructor(journal: Journal, slotsOf: (host: string) => number) {
    this.journal = journal;
    this.slotsOf = slotsOf;
    this.kept = new Kept(journal);
  }

  apply(change: Change): void {
    this.session = change.session;
    this.mirror.apply(change, (node) => this.changed(node));
  }

  /** The host has seen that it ended that way. */
  sawEnd(id: string, state: EndState): void {
    if (!this.seenEnds.has(id)) this.seenEnds.set(id, new Set());
    this.seenEnds.get(id)!.add(state);
  }

  private changed(change: NodeChange): void {
    const { type, path, directory, node } = change;
    this.journal.mark(`${type} ${path}`);
    if (path === EPOCH) {
      this.epochChanged(jsonOf<Epoch>(node));
    } else if (directory === HOSTS) {
      this.hostChanged(change);
    } else if (directory === ASSIGNMENTS) {
      this.byMaster(change);
      if (type !== 'delete') this.assignmentChanged(jsonOf<Assignment>(node));
    } else if (directory === TOPOLOGIES) {
      this.wishChanged(change);
    } else if (directory === HISTORY) {
      this.byMaster(change);
      if (type === 'create') this.historyChanged(jsonOf<Ended>(node));
    } else if (directory.startsWith(`${CHECKPOINTS}/`)) {
      if (type === 'delete') this.byMaster(change);
      this.kept.changed(change, this.wished(directory.slice(CHECKPOINTS.length + 1)));
    } else if (type === 'delete' && [PAYLOADS, CHECKPOINTS, FINALS].some((each) => path.startsWith(`${each}/`))) {
      this.byMaster(change);
    }
  }

  private wished(id: string): boolean {
    return [...this.wishes.values()].some((wish) => wish.id === id);
  }

  private byMaster({ type, path }: NodeChange): void {
    const { session, reign } = this;
    if (session === reign.session) return;
    this.journal.broken(
      'one master',
      `${session} did ${type} ${path}, but "${reign.member}" leads in ${reign.session}`,
    );
  }

  private epochChanged(epoch: Epoch): void {
    const { journal, reign, session } = this;
    if (epoch.epoch === 0 && reign.epoch === 0) return;
    journal.note(`epoch ${epoch.epoch}: "${epoch.member}" leads`);
    if (epoch.epoch !== reign.epoch + 1) {
      journal.broken(
        'one master',
        `epoch ${epoch.epoch} of "${epoch.member}" after ${reign.epoch} of "${reign.member}"`,
      );
    }
    this.reign = { epoch: epoch.epoch, member: epoch.member, session, since: this.mirror.revision };
  }

  private hostChanged({ type, name }: NodeChange): void {
    const { revision } = this.mirror;
    const presence = this.presence.get(name) ?? { here: false, cameAt: 0, wentAt: 0 };
    this.presence.set(name, presence);
    if (type === 'delete') {
      presence.here = false;
      presence.wentAt = revision;
      this.journal.note(`host ${name} is gone`);
    } else if (!presence.here) {
      presence.here = true;
      // A new session takes the node over in one step: nobody sees it gone.
      if (presence.wentAt !== revision) presence.cameAt = revision;
      this.journal.note(`host ${name} is there`);
    }
  }

  /** Whether it was not there at some moment since the present epoch began. */
  private wasAway({ host, boot }: WorkerPlace): boolean {
    const presence = this.presence.get(memberOf(host, boot));
    return presence === undefined || !presence.here || presence.cameAt > this.reign.since;
  }

  private assignmentChanged(now: Assignment): void {
    const { journal, reign } = this;
    const { name, id, epoch, revision, places, wanted } = now;
    const where = places.map(({ host, slot }) => `${host}/${slot}`).join(' ') || 'nowhere';
    journal.note(`"${name}" r${revision} e${epoch} ${wanted} on ${where}`);
    if (epoch !== reign.epoch) journal.broken('only grows', `"${name}" has epoch ${epoch} in epoch ${reign.epoch}`);
    if (this.ended.has(id)) journal.broken('as wished', `"${name}" has ended and is assigned again`);
    const before = this.assigned.get(id);
    this.assigned.set(id, now);
    this.checkSlots(now);
    if (before === undefined) {
      if (revision !== 1) journal.broken('only grows', `"${name}" begins with revision ${revision}`);
      return;
    }
    if (revision < before.revision || epoch < before.epoch || changesOf(now) < changesOf(before)) {
      journal.broken('only grows', `"${name}": ${JSON.stringify(before)}, then ${JSON.stringify(now)}`);
    }
    this.checkMoves(before, now);
  }

  /** No slot twice, and each of those that the host has. */
  private checkSlots({ name, places }: Assignment): void {
    const taken = new Map<string, string>();
    for (const { value } of this.mirror.readAll<Assignment>(ASSIGNMENTS)) {
      for (const { host, boot, slot } of value.places) {
        const key = `${memberOf(host, boot)}/${slot}`;
        const other = taken.get(key);
        if (other !== undefined) this.journal.broken('own slot', `${key} is of "${other}" and of "${value.name}"`);
        taken.set(key, value.name);
      }
    }
    for (const { host, slot } of places) {
      if (slot < 0 || slot >= this.slotsOf(host)) this.journal.broken('own slot', `"${name}": no ${host}/${slot}`);
    }
  }

  private checkMoves(before: Assignment, now: Assignment): void {
    const { journal } = this;
    const { name } = now;
    const text = (place: WorkerPlace | undefined): string =>
      place === undefined ? 'nowhere' : `${memberOf(place.host, place.boot)}/${place.slot}`;
    const [lead] = before.places;
    if (now.revision > before.revision) {
      // It had no place, or its lead's host was away, or it lost it because it rests.
      if (lead !== undefined && !this.mayLeave(lead, before)) {
        journal.broken('stays', `"${name}" starts anew, and its lead ${text(lead)} was never away`);
      }
      return;
    }
    before.places.forEach((place, worker) => {
      const next = now.places[worker];
      if (text(place) === text(next)) return;
      if (next === undefined && worker > 0 && changesOf(now) > changesOf(before)) return;
      if (worker > 0 && this.mayLeave(place, before)) return;
      journal.broken('stays', `worker ${worker} of "${name}" moved from ${text(place)} to ${text(next)}`);
    });
    if (now.places.length !== before.places.length && changesOf(now) === changesOf(before)) {
      journal.broken('stays', `"${name}" has ${now.places.length} workers after ${before.places.length}`);
    }
  }

  private mayLeave(place: WorkerPlace, _before: Assignment): boolean {
    return this.wasAway(place);
  }

  private wishChanged(change: NodeChange): void {
    const wish = jsonOf<Wish>(change.node);
    const { name, id, wanted, workers, change: number = 0 } = wish;
    if (change.type === 'delete') {
      this.byMaster(change);
      return;
    }
    this.journal.note(`wished: "${name}" ${id.slice(0, 6)} ${wanted}, ${workers} workers, change ${number}`);
    if (this.ended.has(id)) this.journal.broken('as wished', `"${name}" has ended and is wished again`);
    this.wishes.set(name, wish);
    this.endedNames.delete(name);
  }

  private historyChanged({ name, id, state }: Ended): void {
    const { journal } = this;
    journal.note(`"${name}" ${id.slice(0, 6)} has ended: ${state}`);
    if (this.ended.has(id)) journal.broken('as wished', `"${name}" ended twice`);
    this.ended.set(id, state);
    this.endedNames.add(name);
    const wish = this.wishes.get(name);
    if (wish?.id === id) this.wishes.delete(name);
    const isSeen = state === 'killed' ? wish?.wanted === 'killed' : this.seenEnds.get(id)?.has(state) === true;
    if (!isSeen) journal.broken('as wished', `"${name}" is ${state}, which nobody asked for or saw`);
  }
}
