// `millrace/connect/tcp`: lines that others send. Light: the schemas of the settings are in `types.ts`, which only the
// registry imports. Any thread.

import { fieldsWithDeadLetters, type deadLetterOutput } from '../../component/dead-letter.js';
import { defineSpout, type DynamicOutputs, type SpoutSpec } from '../../component/spec.js';
import type { Duration } from '../../model/duration.js';
import { TcpLines } from './tcp-lines.js';

export { TcpLines } from './tcp-lines.js';

type Line = typeof TcpLines.outputs;

/** Settings of {@link tcpLines}. */
export interface TcpLinesConfig {
  /** Where to listen; 0 takes a free port, which is logged. With a parallelism of n, task i listens on `port + i`. */
  readonly port: number;
  /** The address to listen on. Default "127.0.0.1": peers on this machine only. */
  readonly host?: string;
  /** Answer each line when its tree has ended: `ok <n>` or `failed <n>`, n counted from 1. Default false. */
  readonly ack?: boolean;
  /** Connections of a task at once; further ones are closed. Default 256. */
  readonly connectionsMax?: number;
  /** The longest line in bytes; who sends a longer one is closed. Default 1 MiB, at most 2 MiB less 4 kB. */
  readonly lineBytesMax?: number;
  /** Lines of a task that may be out and not done before it stops reading. Default 10,000. */
  readonly pendingMax?: number;
  /** Closes a connection from which nothing came for that long. Default never. */
  readonly idleTimeout?: Duration;
  /**
   * Without `ack`: how often a failed line is emitted again before it is given up. Default 10. When it is stated, what
   * is given up comes on the stream `dead-letter`.
   */
  readonly retries?: number;
}

/**
 * A spout that listens for TCP connections and emits each line that comes as `line`, with the `peer` that sent it
 * (`127.0.0.1:50412`), tracked. Type `tcp-lines`.
 *
 * Lines end with `\n` or `\r\n` and are UTF-8; what a connection leaves without a line end is dropped, as nobody can
 * tell whether it is a whole line. Each task reads only while it may emit, so a slow topology holds the senders back.
 * The order of the lines of one connection is kept but for those that failed.
 *
 * With `ack` a sender can rely on the answers: `ok 7` when line 7 of its connection is fully processed, `failed 7` when
 * it is not and should be sent again, in the order in which lines end. Without `ack` a failed line is emitted again
 * after 100 ms, 200 ms, … up to 30 s, and given up after `retries` times; lines that were received and not processed
 * are lost when their process ends.
 *
 * The log names the port; metrics: the gauges `port` and `connections`, the counters `connectionsRefused`,
 * `connectionsIdle`, `connectionsCut`, `linesTooLong`, `linesTorn` and `linesGivenUp`.
 *
 * @throws when it starts, and keeps the topology from running: MILLRACE_TCP_PORT_IN_USE, MILLRACE_TCP_LISTEN
 */
export function tcpLines(
  config: TcpLinesConfig & { readonly retries: number },
): SpoutSpec<TcpLines, { readonly default: Line } & typeof deadLetterOutput>;
export function tcpLines(config: TcpLinesConfig): SpoutSpec<TcpLines, Line>;
export function tcpLines(config: TcpLinesConfig): SpoutSpec<TcpLines> {
  return defineSpout<TcpLines, DynamicOutputs>({
    type: 'tcp-lines',
    outputs: fieldsWithDeadLetters(TcpLines.outputs),
    config: { ...config },
    configKeys: ['port', 'host', 'ack', 'connectionsMax', 'lineBytesMax', 'pendingMax', 'idleTimeout', 'retries'],
    create: (settings) => new TcpLines(settings),
  });
}
