// The built-in components by the names that JSON topologies call them, each with the schema of its settings. Only
// readers of JSON topologies import this: it brings the schema library, which the TypeScript functions (`fileLines`, …)
// stay free of. Invariant: a type here and its function make the same component from the same settings. Any thread.

import { Type } from 'typebox';
import { FIELDS_MAX, LINE_BYTES_MAX } from '../limits.js';
import type { ComponentRegistry, ComponentType } from '../model/registry.js';
import { Count, countKey, countOutputs } from './count/count.js';
import { FileLines, LINE_BYTES_CEILING } from './file/file-lines.js';
import { FileSink } from './file/file-sink.js';
import { Generator } from './generator/generator.js';
import { generatorOutputs } from './generator/index.js';
import { GENERATED_LENGTH_MAX } from './generator/template.js';
import { ingestOutputs } from './ingest/index.js';
import { Ingest } from './ingest/ingest.js';
import { Log } from './log/log.js';
import { SplitWords } from './words/split-words.js';

const closed = { additionalProperties: false } as const;

const path = Type.String({ minLength: 1 });

const fileLines: ComponentType = {
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

const generatedValue = Type.Union([
  Type.String(),
  Type.Number(),
  Type.Boolean(),
  Type.Null(),
  Type.Array(Type.Unknown()),
  Type.Object({ oneOf: Type.Array(Type.Unknown(), { minItems: 1 }) }, closed),
  Type.Object({ integer: Type.Tuple([Type.Integer(), Type.Integer()]) }, closed),
  Type.Object({ float: Type.Tuple([Type.Number(), Type.Number()]) }, closed),
  Type.Object({ sequence: Type.Integer() }, closed),
  Type.Object(
    {
      string: Type.Object(
        {
          length: Type.Integer({ minimum: 0, maximum: GENERATED_LENGTH_MAX }),
          alphabet: Type.Optional(Type.String({ minLength: 1 })),
        },
        closed,
      ),
    },
    closed,
  ),
]);

const generator: ComponentType = {
  type: 'generator',
  kind: 'spout',
  description: 'Makes tuples with the fields of its template, at a rate or as fast as they are taken.',
  schema: Type.Object(
    {
      template: Type.Record(Type.String(), generatedValue, {
        minProperties: 1,
        description:
          'For each field a constant or one of { "oneOf": [...] }, { "integer": [min, max] }, { "float": [min, max] }, ' +
          '{ "sequence": start }, { "string": { "length": n, "alphabet": "abc" } }.',
      }),
      seed: Type.Optional(
        Type.Integer({
          minimum: -0x80000000,
          maximum: 0xffffffff,
          default: 1,
          description: 'The same seed makes the same tuples.',
        }),
      ),
      rate: Type.Optional(
        Type.Number({
          exclusiveMinimum: 0,
          description: 'Tuples a second over all tasks; left out: as fast as it goes.',
        }),
      ),
      count: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: Number.MAX_SAFE_INTEGER,
          description: 'Tuples in total over all tasks; left out: without end.',
        }),
      ),
      tracked: Type.Optional(
        Type.Boolean({ default: true, description: 'Emit with ids, and emit what failed again.' }),
      ),
    },
    closed,
  ),
  outputs: generatorOutputs,
  create: (config) => new Generator(config),
};

const ingest: ComponentType = {
  type: 'ingest',
  kind: 'spout',
  description: 'Emits the records that it is given from outside, and answers each when its tree is done.',
  schema: Type.Object(
    {
      fields: Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        maxItems: FIELDS_MAX,
        uniqueItems: true,
        description: 'The fields of its tuples, in order.',
      }),
    },
    closed,
  ),
  outputs: ingestOutputs,
  create: (config) => new Ingest(config),
};

const splitWords: ComponentType = {
  type: 'split-words',
  kind: 'bolt',
  description: 'Emits each word of a text as "word": letters a to z and apostrophes, in lower case.',
  schema: Type.Object(
    {
      field: Type.Optional(
        Type.String({ minLength: 1, description: 'The field that holds the text; left out: the first.' }),
      ),
    },
    closed,
  ),
  outputs: { default: SplitWords.outputs },
  create: (config) => new SplitWords(config),
};

const count: ComponentType = {
  type: 'count',
  kind: 'bolt',
  description:
    'Counts tuples by the fields of its fields grouping and emits these and "count"; starts empty when restarted.',
  schema: Type.Object({}, closed),
  outputs: countOutputs,
  create: (_config, inputs) => new Count(countKey(inputs)),
};

const fileSink: ComponentType = {
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

const log: ComponentType = {
  type: 'log',
  kind: 'bolt',
  description: 'Prints each tuple as one line of JSON by field name.',
  schema: Type.Object(
    { prefix: Type.Optional(Type.String({ default: '', description: 'Stands in front of each line.' })) },
    closed,
  ),
  outputs: {},
  create: (config) => new Log(config),
};

/** The types of components that come with Millrace. */
export const builtins: ComponentRegistry = new Map(
  [fileLines, generator, ingest, splitWords, count, fileSink, log].map((type) => [type.type, type]),
);
