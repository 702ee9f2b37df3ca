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
  DRAINS,
  EPOCH,
  FINALS,
  HISTORY,
  HOSTS,
  memberOf,
  PAYLOADS,
  REPORTS,
  TOPOLOGIES,
} from '../../coordination/paths.js';
import type { Epoch } from '../../coordination/recipes/election.js';
import type { Change } from '../../coordination/store/simulated/leader.js';
import {
  changesOf,
  isSame,
  type Assignment,
  type Ended,
  type EndState,
  type Report,
  type Wish,
  type WorkerPlace,
} from '../../coordination/topology-records.js';
import { placesOf, stateIdOf, versionsOf, type Version } from '../../coordination/versions.js';
import type { Journal } from './journal.js';
import { jsonOf, Mirror, type NodeChange } from './mirror.js';
import { Kept } from './progress.js';
import { Replaced } from './replaced.js';
import { Spans } from './spans.js';

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
  /** Hosts that are not there, that are drained, and that leads do not reach, each as `LEAD ID HOST~BOOT`. */
  private readonly gone = new Spans(true);
  private readonly drained = new Spans(false);
  private readonly unreached = new Spans(false);
  /** Which of those each member reported last. */
  private readonly reported = new Map<string, ReadonlySet<string>>();
  /** The last assignment of each submission, by id: also of those whose node is gone. */
  private readonly placed = new Map<string, Version>();
  readonly replaced: Replaced;
  private readonly wishes = new Map<string, Wish>();
  private session = '';

  /**
   * @param slotsOf - how many slots the host of that name has
   * @param reading - where spouts of that version are open, as its present lead has them; null: nowhere
   */
  constructor(journal: Journal, slotsOf: (host: string) => number, reading: (id: string) => string | null) {
    this.journal = journal;
    this.slotsOf = slotsOf;
    this.kept = new Kept(journal);
    this.replaced = new Replaced(journal, reading);
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
    } else if (directory === DRAINS) {
      this.drainChanged(change);
    } else if (directory === REPORTS) {
      this.reportChanged(change);
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
    return [...this.wishes.values()].some((wish) => stateIdOf(wish) === id);
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
    if (!this.gone.set(name, type === 'delete', this.mirror.revision)) return;
    this.journal.note(`host ${name} is ${type === 'delete' ? 'gone' : 'there'}`);
  }

  private drainChanged({ type, name }: NodeChange): void {
    this.drained.set(name, type !== 'delete', this.mirror.revision);
    this.journal.note(`host ${name} is ${type === 'delete' ? 'not drained any more' : 'to be drained'}`);
  }

  private reportChanged({ type, name, node }: NodeChange): void {
    const { runs } = jsonOf<Report>(node);
    const { revision } = this.mirror;
    const now = new Set(
      type === 'delete' ? [] : runs.flatMap(({ id, away = [] }) => away.map((each) => `${name} ${id} ${each}`)),
    );
    const before = [...(this.reported.get(name) ?? [])].join();
    if (before !== [...now].join()) this.journal.note(`${name} does not reach: ${[...now].join() || 'nobody'}`);
    for (const key of this.reported.get(name) ?? []) if (!now.has(key)) this.unreached.set(key, false, revision);
    for (const key of now) this.unreached.set(key, true, revision);
    this.reported.set(name, now);
  }

  private assignmentChanged(now: Assignment): void {
    const { journal, reign, replaced } = this;
    const { name, epoch, next } = now;
    if (epoch !== reign.epoch) journal.broken('only grows', `"${name}" has epoch ${epoch} in epoch ${reign.epoch}`);
    if (next !== undefined) replaced.checkOpen(now, this.placed.get(next.id), this.mirror);
    this.checkSlots(now);
    for (const version of versionsOf(now)) this.versionChanged(version);
  }

  private versionChanged(now: Version): void {
    const { journal, replaced } = this;
    const { name, id, epoch, revision, places, wanted, stage } = now;
    const where = places.map(({ host, slot }) => `${host}/${slot}`).join(' ') || 'nowhere';
    journal.note(`"${name}" ${id.slice(0, 6)} r${revision} e${epoch} ${wanted} ${stage ?? ''} on ${where}`);
    if (this.ended.has(id)) journal.broken('as wished', `"${name}" has ended and is assigned again`);
    const before = this.placed.get(id);
    this.placed.set(id, now);
    if (before === undefined) {
      if (!replaced.isNext(id) && revision !== Math.min(1, places.length))
        journal.broken('only grows', `"${name}" begins with revision ${revision}`);
      return;
    }
    if (revision < before.revision || epoch < before.epoch || changesOf(now) < changesOf(before)) {
      journal.broken('only grows', `"${name}": ${JSON.stringify(before)}, then ${JSON.stringify(now)}`);
    }
    this.checkMoves(before, now);
  }

  /** No slot twice, and each of those that the host has. */
  private checkSlots(now: Assignment): void {
    const { name } = now;
    const taken = new Map<string, string>();
    for (const { value } of this.mirror.readAll<Assignment>(ASSIGNMENTS)) {
      for (const { host, boot, slot } of placesOf(value)) {
        const key = `${memberOf(host, boot)}/${slot}`;
        const other = taken.get(key);
        if (other !== undefined) this.journal.broken('own slot', `${key} is of "${other}" and of "${value.name}"`);
        taken.set(key, value.name);
      }
    }
    for (const { host, slot } of placesOf(now)) {
      if (slot < 0 || slot >= this.slotsOf(host)) this.journal.broken('own slot', `"${name}": no ${host}/${slot}`);
    }
  }

  /** A lead that stays keeps all that need not move; one that has to go starts all of it anew. */
  private checkMoves(before: Version, now: Version): void {
    const { name } = now;
    const lost = before.places.filter((place) => this.mayLeave(place, before));
    const isAsked = changesOf(now) > changesOf(before);
    if (now.revision > before.revision) {
      if (before.places.length === 0 || lost.length > 0 || this.makesRoom(now)) return;
      this.journal.broken('stays', `"${name}" starts anew, and all of ${placesText(before.places)} are there`);
      return;
    }
    before.places.forEach((place, worker) => {
      const next = now.places[worker];
      if (next !== undefined && isSame(place, next)) return;
      const isMovable = isAsked || lost.includes(place) || (next === undefined && lost.length > 0);
      if (worker > 0 && (isMovable || this.wishes.get(name)?.placing?.autoRebalance === true)) return;
      const to = next === undefined ? 'nowhere' : placesText([next]);
      this.journal.broken('stays', `worker ${worker} of "${name}" moved from ${placesText([place])} to ${to}`);
    });
  }

  /** Whether its master may have known a reason since its epoch began. */
  private mayLeave({ host, boot }: WorkerPlace, { id, places: [lead] }: Version): boolean {
    const { since } = this.reign;
    const member = memberOf(host, boot);
    const { gone, drained, unreached } = this;
    // Only what its lead says counts: one of an older revision may still be there, and reach nobody.
    const key = lead === undefined ? '' : `${memberOf(lead.host, lead.boot)} ${id} ${member}`;
    return gone.was(member, since) || drained.was(host, since) || unreached.was(key, since);
  }

  /** It loses its places to one of higher priority. */
  private makesRoom({ name, places }: Version): boolean {
    const priority = this.wishes.get(name)?.placing?.priority ?? 0;
    return places.length === 0 && [...this.wishes.values()].some(({ placing }) => (placing?.priority ?? 0) > priority);
  }

  private wishChanged(change: NodeChange): void {
    const wish = jsonOf<Wish>(change.node);
    const { name, id, wanted, workers, change: number = 0 } = wish;
    this.replaced.wishChanged(change.type === 'delete' ? null : wish, this.wishes.get(name));
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
    const wish = this.wishes.get(name);
    if (wish?.id === id) {
      this.wishes.delete(name);
      this.endedNames.add(name);
    }
    if (this.replaced.wasReplaced(id)) return;
    const isSeen = state === 'killed' ? wish?.wanted === 'killed' : this.seenEnds.get(id)?.has(state) === true;
    if (!isSeen) journal.broken('as wished', `"${name}" is ${state}, which nobody asked for or saw`);
  }
}

function placesText(places: readonly WorkerPlace[]): string {
  return places.map(({ host, boot, slot }) => `${memberOf(host, boot)}/${slot}`).join(' ');
}
