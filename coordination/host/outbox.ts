// What a host has to say to the master: its one report node, and how topologies ended. Said again until the store took
// it, over sessions and outages; of several reports only the last one counts. Main thread.

import type { Clock } from '../../engine/clock.js';
import { reasonOf } from '../../engine/errors.js';
import { FINAL_BYTES_MAX, STORE_RETRY_MAX_MS, STORE_RETRY_MIN_MS } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import { finalPath, reportPath } from '../paths.js';
import { toData } from '../store/json-node.js';
import type { Session } from '../store/contract.js';
import { pause } from '../store/signals.js';
import { hasCode } from '../store/store-errors.js';
import { smallError } from '../small-error.js';
import type { Final, Report } from '../topology-records.js';

export interface OutboxOptions {
  readonly session: () => Promise<Session>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly member: string;
}

export class Outbox {
  private readonly options: OutboxOptions;
  private readonly stopping = new AbortController();
  private readonly finals = new Map<string, Final>();
  private report: Report | null = null;
  private sending: Promise<void> | null = null;

  constructor(options: OutboxOptions) {
    this.options = options;
  }

  /** How that topology ended: is said before the next report. */
  addFinal(id: string, final: Final): void {
    this.finals.set(id, small(final));
    this.send();
  }

  setReport(report: Report): void {
    this.report = report;
    this.send();
  }

  /** Tries once more to say what is left, and then nothing. */
  async close(): Promise<void> {
    this.stopping.abort();
    while (this.sending !== null) await this.sending;
    if (this.finals.size === 0 && this.report === null) return;
    const { session, logger } = this.options;
    await session()
      .then((each) => this.sendOnce(each))
      .catch((error: unknown) => logger.warn(`a last report was not kept: ${reasonOf(error)}`));
  }

  private send(): void {
    if (this.stopping.signal.aborted) return;
    this.sending ??= this.sendAll();
  }

  private async sendAll(): Promise<void> {
    const { session, clock, logger } = this.options;
    const { signal } = this.stopping;
    for (let waitMs = STORE_RETRY_MIN_MS; (this.finals.size > 0 || this.report !== null) && !signal.aborted;) {
      try {
        await this.sendOnce(await session());
        waitMs = STORE_RETRY_MIN_MS;
      } catch (error) {
        logger.warn(`a report was not kept, and is tried again: ${reasonOf(error)}`);
        await pause(clock, waitMs, signal);
        waitMs = Math.min(waitMs * 2, STORE_RETRY_MAX_MS);
      }
    }
    this.sending = null;
  }

  private async sendOnce(session: Session): Promise<void> {
    for (const [id, final] of this.finals) {
      await put(session, finalPath(id), toData(final));
      // Another one may have come meanwhile.
      if (this.finals.get(id) === final) this.finals.delete(id);
    }
    const { report } = this;
    if (report === null) return;
    await put(session, reportPath(this.options.member), toData(report));
    if (this.report === report) this.report = null;
  }
}

/** Sets the node, or creates it. */
async function put(session: Session, path: string, data: Uint8Array): Promise<void> {
  for (;;) {
    try {
      await session.set(path, data, null);
      return;
    } catch (error) {
      if (!hasCode(error, 'MILLRACE_STORE_NO_NODE')) throw error;
    }
    try {
      await session.create(path, data);
      return;
    } catch (error) {
      if (!hasCode(error, 'MILLRACE_STORE_NODE_EXISTS')) throw error;
    }
  }
}

/** With what fits into a node. */
function small(final: Final): Final {
  const fits = Buffer.byteLength(JSON.stringify(final.final ?? null)) <= FINAL_BYTES_MAX;
  return { ...final, error: final.error && smallError(final.error), final: fits ? final.final : null };
}
