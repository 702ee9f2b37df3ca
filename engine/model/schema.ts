// The JSON document of a topology, as a schema: what documents are checked against and what editors and readers are
// given (`topologySchema` is JSON Schema as it stands). Each property says what it is for and what holds without it.
// The rules that no schema can state (a stream that exists, no cycle) stand in validate.ts. Pure, any thread.

import { Type } from 'typebox';
import {
  KEY_GROUPS_MAX,
  LABELS_MAX,
  NAME_LENGTH_MAX,
  PRIORITY_MAX,
  TASKS_MAX,
  WORKERS_MAX,
  WORKER_MB_MAX,
  WORKER_MB_MIN,
  runtimeLimits,
} from '../limits.js';
import { GROUPINGS, OVERFLOWS, PLACEMENTS } from './definition.js';
import { DURATION_PATTERN } from './duration.js';
import { NAME_PATTERN } from './names.js';

const closed = { additionalProperties: false } as const;

/** What a 64-digit hexadecimal SHA-256 matches. */
export const ARTIFACT_PATTERN = '^[0-9a-f]{64}$';

const name = (description: string) => Type.String({ pattern: NAME_PATTERN, description });

const parallelism = Type.Optional(
  Type.Integer({ minimum: 1, maximum: TASKS_MAX, description: 'How many tasks run this component. Default 1.' }),
);

const labelList = (description: string) =>
  Type.Array(Type.String({ pattern: NAME_PATTERN }), { maxItems: LABELS_MAX, description });

const labels = Type.Optional(
  labelList('Labels that a host must have, all of them, to run tasks of this component. Default none: every host may.'),
);

const apart = Type.Optional(
  name('The id of another component: no task of this one runs on a host with a task of that one. Default none.'),
);

const config = Type.Optional(
  Type.Object({}, { description: 'Settings of the component, as its type documents them. Default none.' }),
);

const inputSchema = Type.Object(
  {
    from: name('The id of the component whose tuples this bolt takes.'),
    stream: Type.Optional(name('Which of its streams. Default "default".')),
    grouping: Type.Enum([...GROUPINGS], {
      description:
        'How tuples are dealt to the tasks of this bolt: "shuffle" in equal shares, less to those that fall behind, ' +
        '"fields" by key (equal values in "fields" go to the same task), "partial-key" by key to one of two tasks, ' +
        '"all" to every task, "global" to the first task, "none" as "shuffle", "direct" to the task that the emitter ' +
        'names, "local-or-shuffle" to those of the same worker if there are any, "custom" as the code in "custom" says.',
    }),
    fields: Type.Optional(
      Type.Array(Type.String(), {
        description:
          'The key, for the groupings "fields" and "partial-key" only: names of fields of the stream, each once, at least one.',
      }),
    ),
    locality: Type.Optional(
      Type.Boolean({
        description:
          'For "shuffle" and "none" only: whether tuples stay in the worker of their sender while that keeps up. Default true.',
      }),
    ),
    custom: Type.Optional(
      Type.String({
        description:
          'For "custom" only: which export of the artifact deals the tuples, a function or a class with a method "choose".',
      }),
    ),
    feedback: Type.Optional(
      Type.Boolean({
        description:
          'Whether this subscription leads back and closes a cycle; it then never holds its sender. Default false.',
      }),
    ),
    overflow: Type.Optional(
      Type.Enum([...OVERFLOWS], {
        description:
          'What becomes of a tuple that is not tracked where the feedback is full: "fail" refuses it, "drop" drops and counts it. A tracked one fails its tree. Default "fail".',
      }),
    ),
  },
  { ...closed, description: 'One subscription: a stream of a component, and how its tuples are dealt.' },
);

const spoutSchema = Type.Object(
  {
    type: Type.String({ description: 'A type of spout, such as "file-lines" or "generator".' }),
    parallelism,
    labels,
    apart,
    config,
  },
  { ...closed, description: 'A component that brings tuples in.' },
);

const boltSchema = Type.Object(
  {
    type: Type.String({ description: 'A type of bolt, such as "split-words", "count", "file-sink" or "log".' }),
    parallelism,
    labels,
    apart,
    config,
    callTimeout: Type.Optional(
      Type.Union([Type.String({ pattern: DURATION_PATTERN }), Type.Integer({ minimum: 1 }), Type.Null()], {
        description:
          'Time after which an asynchronous call is given up and its tuple fails: "5s" or milliseconds; null for never. Default: what the type says, mostly never.',
      }),
    ),
    inputs: Type.Array(inputSchema, {
      minItems: 1,
      description: 'The streams that the bolt takes. Each stream of a component at most once.',
    }),
  },
  { ...closed, description: 'A component that takes tuples, and may emit more.' },
);

const megabytes = (description: string) =>
  Type.Union([Type.Integer({ minimum: WORKER_MB_MIN, maximum: WORKER_MB_MAX }), Type.Null()], {
    description: `${description} Default null.`,
  });

const configSchema = Type.Object(
  {
    workers: Type.Optional(
      Type.Integer({ minimum: 1, maximum: WORKERS_MAX, description: 'Threads to spread the tasks over. Default 1.' }),
    ),
    messageTimeout: Type.Optional(
      Type.Union(
        [Type.String({ pattern: DURATION_PATTERN }), Type.Integer({ minimum: 1 }), Type.Null(), Type.Literal(false)],
        {
          description:
            'Time without progress after which an open tree fails: "30s", "5m" or milliseconds; null or false for never. Default "30s".',
        },
      ),
    ),
    maxSpoutPending: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1, maximum: runtimeLimits.openRootsMax }), Type.Null()], {
        description: "Open trees at which a spout task rests; null for the engine's own bound only. Default null.",
      }),
    ),
    tracking: Type.Optional(Type.Boolean({ description: 'Whether tuple trees are tracked. Default true.' })),
    keyGroups: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: KEY_GROUPS_MAX,
        description:
          'Groups that keys are hashed into; no bolt with fields grouping can have more tasks. Default 1024.',
      }),
    ),
    stallTimeout: Type.Optional(
      Type.Union(
        [Type.String({ pattern: DURATION_PATTERN }), Type.Integer({ minimum: 1 }), Type.Null(), Type.Literal(false)],
        {
          description:
            'Time after which a worker whose code never lets go of its thread is replaced: "10s" or milliseconds; null or false for never. Default "10s".',
        },
      ),
    ),
    workerHeapMb: Type.Optional(
      megabytes("Megabytes of heap at which a worker is replaced; null for its share of the machine's memory."),
    ),
    workerBuffersMb: Type.Optional(
      megabytes(
        "Megabytes in buffers, which the heap does not count, at which a worker is replaced; null for its share of the machine's memory.",
      ),
    ),
    placement: Type.Optional(
      Type.Enum([...PLACEMENTS], {
        description:
          'Where tasks go that whole rounds over the workers leave over: "together" puts them beside what they take from, "spread" where the fewest tasks are. Default "together".',
      }),
    ),
    hostLabels: Type.Optional(labelList('Labels that a host must have, all of them, to run any of it. Default [].')),
    priority: Type.Optional(
      Type.Integer({
        minimum: -PRIORITY_MAX,
        maximum: PRIORITY_MAX,
        description:
          'Where slots are short, topologies of higher priority get them first, and take them from lower ones that run. Default 0.',
      }),
    ),
    autoRebalance: Type.Optional(
      Type.Boolean({
        description: 'Whether it spreads onto hosts that join, without being asked to by a rebalance. Default false.',
      }),
    ),
  },
  { ...closed, description: 'Settings of the whole topology.' },
);

/** The JSON Schema of a topology document. */
export const topologySchema = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: 'The schema of this document, for editors. Not read.' })),
    version: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: NAME_LENGTH_MAX,
        description: 'Shown to operators; any text. Default none.',
      }),
    ),
    name: name('The name of the topology: unique where it runs.'),
    artifact: Type.Optional(
      Type.String({
        pattern: ARTIFACT_PATTERN,
        description:
          'The SHA-256 of the code whose exports are further types, in hexadecimal. Default: built-in types only.',
      }),
    ),
    config: Type.Optional(configSchema),
    spouts: Type.Record(Type.String({ pattern: NAME_PATTERN }), spoutSchema, {
      minProperties: 1,
      description: 'The spouts by id; at least one. Spouts and bolts share their ids.',
    }),
    bolts: Type.Optional(
      Type.Record(Type.String({ pattern: NAME_PATTERN }), boltSchema, {
        description: 'The bolts by id. Default none.',
      }),
    ),
  },
  {
    ...closed,
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Millrace topology',
    description: 'A directed graph of spouts and bolts of known types.',
  },
);
