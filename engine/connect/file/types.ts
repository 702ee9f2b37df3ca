// `file-lines` and `file-sink` as JSON topologies name them, with the schemas of their settings. Apart from index.ts,
// which stays free of the schema library. Any thread.

import { Type } from 'typebox';
import { DURATION_MAX_MS, LINE_BYTES_MAX, ROTATE_BYTES_MIN, ROTATED_KEPT_MAX } from '../../limits.js';
import { DURATION_PATTERN } from '../../model/duration.js';
import type { ComponentType } from '../../model/registry.js';
import { fieldsWithDeadLetters } from '../../component/dead-letter.js';
import { retriesSchema } from '../retries.js';
import { FileLines, FROM, LINE_BYTES_CEILING } from './file-lines.js';
import { FileSink } from './file-sink.js';
import { ROTATED_NAMES } from './rotated-names.js';

const closed = { additionalProperties: false } as const;

const path = Type.String({ minLength: 1 });

/** Type `file-lines`. */
export const fileLinesType: ComponentType = {
  type: 'file-lines',
  kind: 'spout',
  description: 'Emits each line of one or more text files as "line", tracked.',
  schema: Type.Object(
    {
      path: Type.Union([path, Type.Array(path, { minItems: 1, uniqueItems: true })], {
        description:
          'One file, a pattern such as logs/**/*.log, or a list of these; a relative path starts in the working directory.',
      }),
      follow: Type.Optional(
        Type.Boolean({
          default: false,
          description: 'Never end: emit lines as they are added, and go along when files are rotated.',
        }),
      ),
      from: Type.Optional(
        Type.Union(
          FROM.map((from) => Type.Literal(from)),
          {
            default: 'start',
            description: 'Where following starts in files that are there already when nothing is kept of them.',
          },
        ),
      ),
      lineBytesMax: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: LINE_BYTES_CEILING,
          default: LINE_BYTES_MAX,
          description: 'The longest line in bytes; a longer one ends the topology.',
        }),
      ),
      retries: retriesSchema,
    },
    closed,
  ),
  paths: ['path'],
  outputs: fieldsWithDeadLetters(FileLines.outputs),
  create: (config) => new FileLines(config),
};

/** Type `file-sink`. */
export const fileSinkType: ComponentType = {
  type: 'file-sink',
  kind: 'bolt',
  description: 'Writes each tuple to a file as one line of JSON by field name, and acks it when it is on the disk.',
  schema: Type.Object(
    {
      path: Type.String({ minLength: 1, description: 'The file; its directory must exist.' }),
      append: Type.Optional(Type.Boolean({ default: false, description: 'Keep what the file holds and add to it.' })),
      fsync: Type.Optional(
        Type.Boolean({
          default: true,
          description:
            'Force every batch to the disk before it is acked; false is faster, and may lose acked lines with the machine.',
        }),
      ),
      rotateBytes: Type.Optional(
        Type.Integer({
          minimum: ROTATE_BYTES_MIN,
          maximum: Number.MAX_SAFE_INTEGER,
          description: 'Put the file aside before it becomes larger than this, and begin a new one.',
        }),
      ),
      rotateEvery: Type.Optional(
        Type.Union(
          [Type.String({ pattern: DURATION_PATTERN }), Type.Integer({ minimum: 1, maximum: DURATION_MAX_MS })],
          {
            description:
              'Put the file aside when its first line is this old and the next one comes: "1h", or milliseconds.',
          },
        ),
      ),
      rotateNames: Type.Optional(
        Type.Union(
          ROTATED_NAMES.map((naming) => Type.Literal(naming)),
          {
            default: 'number',
            description: 'What files put aside are called: counts.1.jsonl, …, or counts.20260131T235959Z.jsonl.',
          },
        ),
      ),
      keep: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: ROTATED_KEPT_MAX,
          description: 'Files put aside that are kept, the oldest removed first; left out: all.',
        }),
      ),
    },
    closed,
  ),
  paths: ['path'],
  outputs: {},
  create: (config) => new FileSink(config),
};
