// `millrace/connect/log`: tuples to the standard output. Light, any thread.

import { defineBolt, type BoltSpec, type NoOutputs } from '../../component/spec.js';
import { Log } from './log.js';

export { Log } from './log.js';

/** Settings of {@link log}. */
export interface LogConfig {
  /** Stands in front of each line. Default nothing. */
  readonly prefix?: string;
}

/**
 * A bolt that prints each tuple as one line of JSON by field name, in front of it the prefix. Type `log`.
 *
 * A tuple is acked when its line is written. For values that JSON does not have see `fileSink`.
 */
export function log(config: LogConfig = {}): BoltSpec<Log, NoOutputs> {
  return defineBolt({
    type: 'log',
    config: { ...config },
    configKeys: ['prefix'],
    create: (settings) => new Log(settings),
  });
}
