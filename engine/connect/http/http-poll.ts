// The spout `http-poll`: asks a URL again and again and emits the records that come. Time is looked at whenever it is
// asked for a tuple, so it needs no timers. Invariants: one request at a time, and none before the records of the last
// answer are emitted; records that are out are bounded in number and bytes; what is kept as progress (ETag, date) is
// that of an answer whose records, and those of all before it, are processed. On the worker's thread.
//
//   resting ──due──► asking ──page──► emitting ──last record──► resting until `every` after the request
//      ▲               ├──unchanged──────────────────────────────┘
//      └── longer and longer, with jitter, at least Retry-After ──failed

import { createHash, randomInt } from 'node:crypto';
import { AckedOffsets } from '../../component/acked-offsets.js';
import type { SpoutContext } from '../../component/context.js';
import type { Emit } from '../../component/emit.js';
import { Replay } from '../../component/replay.js';
import type { DynamicOutputs } from '../../component/spec.js';
import { Spout, type FailCause, type NextTuple, type TreeFailure } from '../../component/spout.js';
import { POLL_BACKOFF_MAX_MS, POLL_BACKOFF_MIN_MS, POLL_PAGES_KEPT_MAX, POLL_PENDING_BYTES_MAX } from '../../limits.js';
import { Random } from '../../random.js';
import { readPollSettings, type PollSettings } from './poll-settings.js';
import { NO_VALIDATORS, request, unusable, type Answer, type Validators } from './request.js';
import { SeenIds } from './seen.js';

/** The records of an answer that are not emitted yet. */
interface Page {
  readonly records: readonly unknown[];
  /** What each record takes, about. */
  readonly recordBytes: number;
  readonly validators: Validators;
  next: number;
}

/** A record that is out. */
interface OpenRecord {
  readonly values: readonly unknown[];
  readonly bytes: number;
  readonly offset: number;
}

/** What an `http-poll` with these settings emits. */
export const pollOutputs: DynamicOutputs = (_inputs, config) => {
  const { fields } = config;
  return { default: Array.isArray(fields) ? (fields as readonly string[]) : ['record'] };
};

/** Emits what a URL gives. */
export class HttpPoll extends Spout {
  private readonly settings: PollSettings;
  private readonly random: Random;
  private readonly seen: SeenIds;
  private readonly offsets = new AckedOffsets();
  /** Answers whose records are all emitted, and where those of each end: the first one is kept when it is processed. */
  private readonly emittedPages: { readonly end: number; readonly validators: Validators }[] = [];
  private context!: SpoutContext;
  private replay = new Replay<OpenRecord>(() => 0);
  private partition = '';
  private validators = NO_VALIDATORS;
  private kept = NO_VALIDATORS;
  private closed = false;
  private page: Page | null = null;
  private answer: Answer | null = null;
  private asking: AbortController | null = null;
  private askedMs = 0;
  private dueMs = 0;
  private failures = 0;
  private nextOffset = 0;
  private pendingBytes = 0;

  /**
   * @param seed - of the jitter; another one each time when it is left out
   * @throws MILLRACE_CONNECT_SETTING
   */
  constructor(config: Readonly<Record<string, unknown>>, seed = randomInt(0x7fffffff)) {
    super();
    this.settings = readPollSettings(config);
    this.random = new Random(seed);
    this.seen = new SeenIds(this.settings.seenMax);
  }

  /** @throws MILLRACE_CONNECT_SETTING with more than one task */
  override open(context: SpoutContext): void {
    this.context = context;
    this.settings.checkParallelism(context.parallelism);
    this.replay = new Replay(() => context.now(), { retries: this.settings.retries });
    this.partition = createHash('sha256').update(this.settings.url).digest('hex').slice(0, 32);
    this.validators = this.kept = validatorsOf(context.restored(this.partition));
    this.dueMs = context.now();
    context.signal.addEventListener('abort', () => this.asking?.abort());
  }

  override nextTuple(emit: Emit): NextTuple {
    if (this.replay.waiting > 0 && this.replay.emitDue(emit, ({ values }) => values)) return undefined;
    if (this.answer !== null) this.take(this.answer);
    if (this.page !== null) this.emitNext(this.page, emit);
    else this.ask();
    return undefined;
  }

  override ack(id: unknown): void {
    const record = id as OpenRecord;
    this.replay.ack(record);
    this.settle(record);
  }

  override fail(id: unknown, _cause?: FailCause, failure?: TreeFailure): void {
    if (this.replay.fail(id as OpenRecord, failure)) this.context.metrics.counter('deadLetters').add();
  }

  override close(): void {
    this.closed = true;
    this.asking?.abort();
  }

  /** Asks when it is time; cuts what takes too long. */
  private ask(): void {
    const nowMs = this.context.now();
    const { url, timeoutMs } = this.settings;
    if (this.asking !== null) {
      if (nowMs - this.askedMs >= timeoutMs) this.asking.abort(new Error(`no answer within ${timeoutMs} ms`));
      return;
    }
    if (nowMs < this.dueMs || this.context.signal.aborted) return;
    const asking = new AbortController();
    this.asking = asking;
    this.askedMs = nowMs;
    void request(url, this.validators, this.settings, asking.signal).then((answer) => {
      this.asking = null;
      if (this.closed) return;
      this.answer = answer;
      this.context.wake();
    });
  }

  /** @throws what went wrong, for the operator; the next request follows all the same */
  private take(answer: Answer): void {
    this.answer = null;
    let { kind } = answer;
    let error: unknown = null;
    if (answer.kind === 'page') {
      try {
        this.page = this.pageOf(answer);
      } catch (thrown) {
        kind = 'failed';
        error = thrown;
      }
    } else if (answer.kind === 'failed') {
      ({ error } = answer);
    }
    this.context.metrics.counter(kind === 'failed' ? 'pollsFailed' : 'polls').add();
    if (kind !== 'failed') {
      this.failures = 0;
      this.dueMs = this.askedMs + this.settings.everyMs;
      return;
    }
    const waitMs = Math.min(POLL_BACKOFF_MAX_MS, POLL_BACKOFF_MIN_MS * 2 ** Math.min(this.failures++, 30));
    const jitteredMs = waitMs * (0.5 + this.random.nextFloat() / 2);
    const patienceMs = answer.kind === 'failed' ? answer.waitMs : 0;
    this.dueMs = this.context.now() + Math.max(jitteredMs, patienceMs);
    throw error;
  }

  private pageOf({ document, bytes, validators }: Extract<Answer, { kind: 'page' }>): Page {
    const { url, items, fields } = this.settings;
    const found = items.find(document);
    if (found === undefined) throw unusable(url, `it has nothing at "${items.text}"`);
    const records: readonly unknown[] = Array.isArray(found) ? found : [found];
    const odd = fields === null ? -1 : records.findIndex((record) => !isObject(record));
    if (odd !== -1) throw unusable(url, `record ${odd} of "${items.text}" is no object, so it has no fields`);
    this.validators = validators;
    return { records, recordBytes: bytes / Math.max(1, records.length), validators, next: 0 };
  }

  private emitNext(page: Page, emit: Emit): void {
    const { id, pendingMax } = this.settings;
    while (page.next < page.records.length) {
      if (this.offsets.pending >= pendingMax || this.pendingBytes >= POLL_PENDING_BYTES_MAX) return;
      const record = page.records[page.next++];
      const found = id?.find(record);
      if (found !== undefined && this.seen.meet(found)) continue;
      const open: OpenRecord = { values: this.valuesOf(record), bytes: page.recordBytes, offset: this.nextOffset++ };
      this.offsets.open(open.offset);
      this.pendingBytes += open.bytes;
      try {
        emit(open.values, { id: open });
      } catch (thrown) {
        // No tuple can hold it: it is left out, and told.
        this.settle(open);
        throw thrown;
      }
      return;
    }
    this.page = null;
    // Each that is left out in the middle makes progress coarser, no less right.
    if (this.emittedPages.length >= POLL_PAGES_KEPT_MAX) this.emittedPages.pop();
    this.emittedPages.push({ end: this.nextOffset, validators: page.validators });
    this.keepProgress();
  }

  private valuesOf(record: unknown): readonly unknown[] {
    const { fields } = this.settings;
    if (fields === null || !isObject(record)) return [record];
    return fields.map((field) => (Object.hasOwn(record, field) ? record[field] : null));
  }

  private settle(record: OpenRecord): void {
    const wasFull = this.offsets.pending >= this.settings.pendingMax;
    if (!this.offsets.ack(record.offset)) return;
    this.pendingBytes -= record.bytes;
    if (wasFull) this.context.wake();
    this.keepProgress();
  }

  private keepProgress(): void {
    let done: Validators | null = null;
    for (let first = this.emittedPages[0]; first !== undefined && first.end <= this.offsets.low;) {
      done = first.validators;
      this.emittedPages.shift();
      first = this.emittedPages[0];
    }
    if (done === null || (done.etag === this.kept.etag && done.modified === this.kept.modified)) return;
    this.kept = done;
    this.context.checkpoint(this.partition, { ...done });
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function validatorsOf(progress: unknown): Validators {
  if (!isObject(progress)) return NO_VALIDATORS;
  const { etag, modified } = progress;
  return { etag: typeof etag === 'string' ? etag : null, modified: typeof modified === 'string' ? modified : null };
}
