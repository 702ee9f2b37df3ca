// Which slots the workers of a topology get. Which task runs in which worker follows from the topology and the number
// of its workers alone (`planTasks`), so every host works it out for itself and only places are published. All workers
// of a topology go to one host, because links between hosts are not built yet; what runs is never moved. Pure.

import type { Assignment, HostRecord, WorkerPlace } from '../topology-records.js';
import { memberOf } from '../paths.js';

/** The free slots of every host that is there. */
export class Slots {
  private readonly hosts: readonly { readonly record: HostRecord; readonly free: Set<number> }[];

  /** @param assignments - what runs, or is about to */
  constructor(hosts: readonly HostRecord[], assignments: Iterable<Assignment>) {
    this.hosts = hosts
      .map((record) => ({ record, free: new Set(Array.from({ length: record.slots }, (_, slot) => slot)) }))
      .sort((a, b) => (memberOf(a.record.host, a.record.boot) < memberOf(b.record.host, b.record.boot) ? -1 : 1));
    for (const { places } of assignments) this.take(places);
  }

  /**
   * Takes slots for so many workers: of the host with the most free ones, the lowest first.
   *
   * @returns by worker, or null when no host has so many
   */
  place(workers: number): readonly WorkerPlace[] | null {
    const most = this.hosts.reduce<(typeof this.hosts)[number] | null>(
      (best, each) => (best === null || each.free.size > best.free.size ? each : best),
      null,
    );
    if (most === null || most.free.size < workers) return null;
    const slots = [...most.free].sort((a, b) => a - b).slice(0, workers);
    const { host, boot } = most.record;
    const places = slots.map((slot) => ({ host, boot, slot }));
    this.take(places);
    return places;
  }

  /**
   * Has a topology that runs keep the slots of its first workers, and gives it as many more of its host as it needs.
   *
   * @returns by worker, or null when its host has not so many
   */
  resize(places: readonly WorkerPlace[], workers: number): readonly WorkerPlace[] | null {
    const [first] = places;
    const own = this.hosts.find(({ record }) => record.host === first?.host && record.boot === first.boot);
    if (first === undefined || own === undefined) return null;
    const kept = places.slice(0, workers);
    const more = [...own.free].sort((a, b) => a - b).slice(0, workers - kept.length);
    if (kept.length + more.length < workers) return null;
    const { host, boot } = first;
    const now = [...kept, ...more.map((slot) => ({ host, boot, slot }))];
    this.free(places);
    this.take(now);
    return now;
  }

  /** Gives slots back, of hosts that are still there. */
  free(places: readonly WorkerPlace[]): void {
    for (const { host, boot, slot } of places) {
      const of = this.hosts.find(({ record }) => record.host === host && record.boot === boot);
      if (of !== undefined && slot < of.record.slots) of.free.add(slot);
    }
  }

  /** Takes these slots, of hosts that are there; those that are taken already stay so. */
  take(places: readonly WorkerPlace[]): void {
    for (const { host, boot, slot } of places) {
      this.hosts.find(({ record }) => record.host === host && record.boot === boot)?.free.delete(slot);
    }
  }
}
