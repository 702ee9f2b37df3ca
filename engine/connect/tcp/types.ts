// The type `tcp-lines` as JSON topologies name it, with the schema of its settings. Only the registry imports this: it
// brings the schema library. Any thread.

import { Type } from 'typebox';
import {
  LINE_BYTES_MAX,
  RETRIES_MAX,
  TCP_CONNECTIONS,
  TCP_CONNECTIONS_MAX,
  TCP_PENDING,
  TCP_PENDING_MAX,
  TCP_RETRIES,
} from '../../limits.js';
import { fieldsWithDeadLetters } from '../../component/dead-letter.js';
import { DURATION_PATTERN } from '../../model/duration.js';
import type { ComponentType } from '../../model/registry.js';
import { TCP_LINE_BYTES_CEILING, TcpLines } from './tcp-lines.js';

const whole = (minimum: number, maximum: number, fallback: number, description: string) =>
  Type.Optional(Type.Integer({ minimum, maximum, default: fallback, description }));

/** See `tcpLines`. */
export const tcpLinesType: ComponentType = {
  type: 'tcp-lines',
  kind: 'spout',
  description: 'Listens for TCP connections and emits each line that comes as "line", with its "peer", tracked.',
  addresses: ['host'],
  schema: Type.Object(
    {
      port: Type.Integer({
        minimum: 0,
        maximum: 65_535,
        description: 'Where to listen; 0 takes a free port, which is logged. Task i of several listens on port + i.',
      }),
      host: Type.Optional(
        Type.String({ minLength: 1, default: '127.0.0.1', description: 'The address of this machine to listen on.' }),
      ),
      ack: Type.Optional(
        Type.Boolean({ default: false, description: 'Answer each line when it is done: "ok <n>" or "failed <n>".' }),
      ),
      connectionsMax: whole(1, TCP_CONNECTIONS_MAX, TCP_CONNECTIONS, 'Connections of a task; further ones are closed.'),
      lineBytesMax: whole(
        1,
        TCP_LINE_BYTES_CEILING,
        LINE_BYTES_MAX,
        'The longest line in bytes; who sends a longer one is closed.',
      ),
      pendingMax: whole(
        1,
        TCP_PENDING_MAX,
        TCP_PENDING,
        'Lines of a task that may be out and not done before it stops reading.',
      ),
      idleTimeout: Type.Optional(
        Type.Union([Type.String({ pattern: DURATION_PATTERN }), Type.Integer({ minimum: 1 })], {
          description: 'Closes a connection from which nothing came for that long: "5m". Left out: never.',
        }),
      ),
      retries: whole(
        0,
        RETRIES_MAX,
        TCP_RETRIES,
        'Without "ack": how often a failed line is emitted again before it is given up; stated, it then comes on the stream "dead-letter".',
      ),
    },
    { additionalProperties: false },
  ),
  outputs: fieldsWithDeadLetters(TcpLines.outputs),
  create: (config) => new TcpLines(config),
};
