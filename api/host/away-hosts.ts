// The hosts that the lead of a topology cannot reach, as it reports them. One that has no worker of it any more is not
// looked for, so it is forgotten after a while: by then it may be reached again. Main thread.

import type { Clock, Timer } from '../../engine/clock.js';
import { HOST_AWAY_FORGOTTEN_MS } from '../../engine/limits.js';

export class AwayHosts {
  private readonly clock: Clock;
  private readonly changed: (hosts: readonly string[]) => void;
  private readonly hosts = new Map<string, Timer>();

  /** @param changed - told all of them each time that they are others */
  constructor(clock: Clock, changed: (hosts: readonly string[]) => void) {
    this.clock = clock;
    this.changed = changed;
  }

  set(host: string, isAway: boolean): void {
    const known = this.hosts.get(host);
    known?.cancel();
    if (isAway) {
      const forgotten = this.clock.after(HOST_AWAY_FORGOTTEN_MS, () => this.set(host, false));
      this.hosts.set(host, forgotten);
    } else {
      this.hosts.delete(host);
    }
    if ((known !== undefined) !== isAway) this.changed([...this.hosts.keys()]);
  }

  /** Nobody is told any more. */
  close(): void {
    for (const timer of this.hosts.values()) timer.cancel();
    this.hosts.clear();
  }
}
