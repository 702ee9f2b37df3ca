// `millrace/connect/ingest`: tuples from outside, each answered when its tree is done. Light, any thread.

import { defineSpout, type DynamicOutputs, type SpoutSpec } from '../../component/spec.js';
import { Ingest } from './ingest.js';

export { Ingest } from './ingest.js';

/** Settings of {@link ingest}. */
export interface IngestConfig<F extends readonly string[] = readonly string[]> {
  /** The fields of its tuples, in order. */
  readonly fields: F;
}

/**
 * A spout whose tuples are given from outside: by `running.ingest` of an embedded host, or by HTTP. Type `ingest`.
 *
 * ```ts
 * const orders = t.spout('orders', ingest({ fields: ['customer', 'amount'] }));
 * ```
 *
 * Each record is emitted with an id by one of its tasks in turn, and answered when its tree is acked, has failed, has
 * timed out, or was lost with a worker. It is never emitted again by itself: whoever gave it decides. Records that do
 * not fit into `maxSpoutPending` wait; a topology that is deactivated refuses them. The spout has no end of its own.
 *
 * @throws MILLRACE_CONNECT_SETTING when a worker makes it
 */
export function ingest<const F extends readonly string[]>(config: IngestConfig<F>): SpoutSpec<Ingest, F> {
  return defineSpout<Ingest, F>({
    type: 'ingest',
    // For the compiler they are those written here; a setting may still change them.
    outputs: ingestOutputs as unknown as F,
    config: { ...config },
    configKeys: ['fields'],
    create: (settings) => new Ingest(settings),
  });
}

/** What an ingest spout with these settings emits: its fields. */
export const ingestOutputs: DynamicOutputs = (_inputs, config) => {
  const { fields } = config;
  return { default: Array.isArray(fields) ? (fields as readonly string[]) : [] };
};
