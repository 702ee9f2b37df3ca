// `file-lines` and `file-sink` as JSON topologies name them, with the schemas of their settings. Apart from index.ts,
// which stays free of the schema library. Any thread.

import { Type } from 'typebox';
import { LINE_BYTES_MAX } from '../../limits.js';
import type { ComponentType } from '../../model/registry.js';
import { FileLines, LINE_BYTES_CEILING } from './file-lines.js';
import { FileSink } from './file-sink.js';

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
        description: 'One file or a list of files; a relative path starts in the working directory.',
      }),
      lineBytesMax: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: LINE_BYTES_CEILING,
          default: LINE_BYTES_MAX,
          description: 'The longest line in bytes; a longer one ends the topology.',
        }),
      ),
    },
    closed,
  ),
  outputs: { default: FileLines.outputs },
  create: (config) => new FileLines(config),
};

/** Type `file-sink`. */
export const fileSinkType: ComponentType = {
  type: 'file-sink',
  kind: 'bolt',
  description: 'Writes each tuple to a file as one line of JSON by field name, and acks it when it is in the file.',
  schema: Type.Object(
    {
      path: Type.String({ minLength: 1, description: 'The file; its directory must exist.' }),
      append: Type.Optional(Type.Boolean({ default: false, description: 'Keep what the file holds and add to it.' })),
      sync: Type.Optional(
        Type.Boolean({ default: false, description: 'Force every batch to the disk before it is acked.' }),
      ),
    },
    closed,
  ),
  outputs: {},
  create: (config) => new FileSink(config),
};
