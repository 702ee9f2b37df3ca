// Why a topology does not run, or not as a whole, for people: the reason that the master gave with its assignment, and,
// as whoever asks finds them now, the slots that there are. Numbers are left to the reader, because the master would
// have to write each time that one changes. Pure.

import { HOSTS_NAMED_MAX } from '../engine/limits.js';
import type { KnownHost } from './hosts.js';
import { memberOf } from './paths.js';
import type { KnownTopology } from './topologies.js';
import type { Assignment, Wish } from './topology-records.js';

/**
 * Whether it waits for something, so that hosts have to be looked at.
 *
 * @param there - the hosts that are there, as `host~boot`
 */
export function isWaiting(known: KnownTopology, there: ReadonlySet<string>): boolean {
  if (known.kind === 'ended' || known.wish.wanted !== 'active') return false;
  const { assignment } = known;
  if (assignment === null || assignment.places.length === 0 || assignment.waiting !== undefined) return true;
  return missingOf(assignment, there).length > 0;
}

/** Hosts that it is placed on and that are not there. */
function missingOf({ places }: Assignment, there: ReadonlySet<string>): readonly string[] {
  const missing = places.filter(({ host, boot }) => !there.has(memberOf(host, boot)));
  return [...new Set(missing.map(({ host }) => host))];
}

/**
 * What a topology waits for, in a line: `not enough free slots for its 3 workers; 3 slots are asked for, 1 is free: …`.
 * Null when it waits for nothing.
 */
export function waitsFor(known: KnownTopology, hosts: readonly KnownHost[]): string | null {
  const there = new Set(hosts.map(({ host, boot }) => memberOf(host, boot)));
  if (known.kind === 'ended' || !isWaiting(known, there)) return null;
  const { wish, assignment } = known;
  const missing = assignment === null ? [] : missingOf(assignment, there);
  const gone = missing.length === 0 ? null : `not there: ${listed(missing)}, so the master has to place it anew`;
  const reason = assignment?.waiting ?? gone ?? 'the master has not decided on it yet';
  return [reason, slotsText(wish, assignment, hosts), ...othersText(wish, hosts)].join('; ');
}

function slotsText(wish: Wish, assignment: Assignment | null, hosts: readonly KnownHost[]): string {
  const staying = hosts.filter(({ drainedSinceMs }) => drainedSinceMs === null);
  const keep = new Set(staying.map(({ host, boot }) => memberOf(host, boot)));
  // Those on hosts that are drained, or gone, are to be placed again.
  const stay = (assignment?.places ?? []).filter(({ host, boot }) => keep.has(memberOf(host, boot))).length;
  const asked = wish.workers - stay;
  const fitting = hosts.filter((host) => host.state === 'up' && hasLabels(wish, host));
  const free = fitting.reduce((sum, host) => sum + freeOf(host), 0);
  const each = listed(fitting.map((host) => `${host.host} ${freeOf(host)} of ${host.slots}`));
  const shown = each === '' ? '' : ` (${each})`;
  const more = assignment === null || assignment.places.length === 0 ? '' : ' more';
  return `${slots(Math.max(0, asked))}${more} asked for, ${free} free${shown}`;
}

/** Hosts that are there and yet take nothing of it. */
function othersText(wish: Wish, hosts: readonly KnownHost[]): string[] {
  const named = (what: string, which: readonly KnownHost[]): string[] =>
    which.length === 0 ? [] : [`${what}: ${listed(which.map(({ host }) => host))}`];
  return [
    ...named(
      'drained',
      hosts.filter(({ drainedSinceMs }) => drainedSinceMs !== null),
    ),
    ...named(
      'leaving',
      hosts.filter(({ state }) => state === 'leaving'),
    ),
    ...named(
      `without the labels ${(wish.placing?.hostLabels ?? []).join(', ')}`,
      hosts.filter((host) => host.state === 'up' && !hasLabels(wish, host)),
    ),
  ];
}

function hasLabels({ placing }: Wish, { labels = [] }: KnownHost): boolean {
  return (placing?.hostLabels ?? []).every((label) => labels.includes(label));
}

function freeOf({ slots: total, used }: KnownHost): number {
  return Math.max(0, total - used);
}

function slots(count: number): string {
  return count === 1 ? '1 slot' : `${count} slots`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, HOSTS_NAMED_MAX).join(', ');
  return names.length > HOSTS_NAMED_MAX ? `${shown} and ${names.length - HOSTS_NAMED_MAX} more` : shown;
}
