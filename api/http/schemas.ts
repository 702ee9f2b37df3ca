// What requests and replies look like, as TypeBox schemas: they check what comes in (validation.ts), turn replies into
// JSON, so that nothing leaves but what stands here, and are the OpenAPI document. The shapes are those of
// api/host/service.ts. Pure, main thread.

import { Type, type TSchema } from 'typebox';
import { ARTIFACT_PATTERN, topologySchema } from '../../engine/model/schema.js';
import { DURATION_PATTERN } from '../../engine/model/duration.js';
import { NAME_PATTERN } from '../../engine/model/names.js';
import { DURATION_MAX_MS, NAME_LENGTH_MAX } from '../../engine/limits.js';

export const closed = { additionalProperties: false } as const;

const REASON_LENGTH_MAX = 1000;
const FILE_LENGTH_MAX = 1000;

const text = (description: string) => Type.String({ description });
const count = (description: string) => Type.Number({ minimum: 0, description });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const name = (description: string) => Type.String({ pattern: NAME_PATTERN, description });

export const hostParams = Type.Object({ name: name('The name of a host.') }, closed);

export const nameParams = Type.Object({ name: name('The name of a topology.') }, closed);

export const spoutParams = Type.Object(
  { name: name('The name of a topology.'), spout: name('The id of a spout of type "ingest".') },
  closed,
);

export const artifactParams = Type.Object(
  { sha256: Type.String({ pattern: ARTIFACT_PATTERN, description: 'The SHA-256 of the content, in lower-case hex.' }) },
  closed,
);

/** What may stand beside a document, and beside the hash of an artifact. */
export const submissionOptions = {
  active: Type.Optional(Type.Boolean({ description: 'False: it is kept asleep until it is activated. Default true.' })),
  settings: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      description: 'Changes by name: "messageTimeout", "lines.path", "count.parallelism". Default none.',
    }),
  ),
  replace: Type.Optional(
    Type.Boolean({
      description:
        'True: it replaces the topology of its name, and is active when that one is; the reply comes when it has. Default false.',
    }),
  ),
  wait: Type.Optional(
    Type.Boolean({
      description:
        'Only where it replaces. False: the reply comes when that is wished; the list shows how it goes. Default true.',
    }),
  ),
};

/** An artifact that default-exports a topology. */
export const artifactSubmission = Type.Object(
  {
    artifact: Type.String({ pattern: ARTIFACT_PATTERN, description: 'The SHA-256 of a bundle that was put before.' }),
    file: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: FILE_LENGTH_MAX,
        description: 'What the bundled file is called in errors.',
      }),
    ),
    ...submissionOptions,
  },
  { ...closed, description: 'An artifact that default-exports a topology.' },
);

const documentSubmission = Type.Object(
  { ...topologySchema.properties, ...submissionOptions },
  { ...closed, description: 'A topology document, with what else holds for this submission.' },
);

export const submission = Type.Union([documentSubmission, artifactSubmission]);

export const killRequest = Type.Object(
  {
    wait: Type.Optional(
      Type.Union([Type.String({ pattern: DURATION_PATTERN }), Type.Integer({ minimum: 0, maximum: DURATION_MAX_MS })], {
        description:
          'How long bolts may go on after the spouts have stopped: "10s" or milliseconds. Default: the message timeout.',
      }),
    ),
    reason: Type.Optional(
      Type.String({ minLength: 1, maxLength: REASON_LENGTH_MAX, description: 'Why, for whoever looks later.' }),
    ),
  },
  closed,
);

export const rebalanceRequest = Type.Object(
  {
    workers: Type.Optional(Type.Integer({ description: 'Over how many workers it is spread.' })),
    parallelism: Type.Optional(
      Type.Record(Type.String(), Type.Integer(), {
        description: 'How many tasks components have, by their id. What is left out stays as it is.',
      }),
    ),
  },
  closed,
);

export const parametersRequest = Type.Object(
  {
    values: Type.Record(Type.String(), Type.Unknown(), { description: 'All of them, by key: any JSON.' }),
    version: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'The version that they have now, 0 where none were set: refused when it is another. Default: any.',
      }),
    ),
  },
  closed,
);

export const keptParameters = Type.Object({
  version: Type.Integer({ minimum: 0, description: 'Counts up each time that they are set; 0: nobody has.' }),
  values: Type.Record(Type.String(), Type.Unknown(), { description: 'By key.' }),
  problem: nullable(text('Why what somebody wrote into the store by hand is not heeded; null when all is well.')),
});

export const nothing = Type.Object({}, closed);

export const record = Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Array(Type.Unknown())], {
  description: 'One record: an object with the fields of the spout, or their values as a list.',
});

const problem = Type.Object({
  code: text('Which rule.'),
  path: text('Where: "bolts.count.inputs[0].fields[0]"; empty for the whole.'),
  message: text('What is wrong.'),
  hint: text('What to do.'),
});

/** Every reply that is not a success. */
export const errorReply = Type.Object(
  {
    code: text('MILLRACE_<AREA>_<WHAT>; the page about errors lists them.'),
    message: text('What went wrong, with the name of the thing in quotes.'),
    hint: text('What to do.'),
    problems: Type.Array(problem, { description: 'Each thing that is wrong, where there can be several; else empty.' }),
  },
  { description: 'What went wrong.' },
);

const wireError = Type.Object({
  name: Type.String(),
  code: nullable(Type.String()),
  message: Type.String(),
  hint: nullable(Type.String()),
  stack: nullable(text('Mapped to the source of the topology.')),
  fatal: Type.Boolean(),
  problems: Type.Array(problem),
});

const latency = Type.Object({
  count: count('How many were timed.'),
  p50Ms: count(''),
  p99Ms: count(''),
  maxMs: count(''),
});

const places = Type.Array(Type.Object({ host: Type.String(), slot: Type.Integer({ minimum: 0 }) }), {
  description: 'Where each worker runs, by its number; empty while it has no place. The host of the first one leads.',
});

const replacement = Type.Object(
  {
    id: text('The submission of the new version.'),
    version: nullable(text('What its author calls it.')),
    submittedAtMs: count('Milliseconds since 1970.'),
    workers: count('Threads.'),
    tasks: count('Running instances of its components.'),
    places,
    stage: Type.Enum(['placing', 'preparing', 'releasing', 'opening', 'draining'], {
      description:
        'It gets its slots; its bolts are made ready; the spouts of the one before let go; its own are opened; the bolts of the one before finish.',
    }),
  },
  { description: 'What is about to replace it.' },
);

const refused = Type.Object(
  { id: text('The submission of the new version.'), error: wireError },
  { description: 'The last one that was to replace it, and why it did not; until another one is to.' },
);

/** The reply to a submission that replaces, where nobody waits. */
export const replacementBegun = Type.Object({
  name: Type.String(),
  id: text('The submission of the new version.'),
  replaces: text('The submission that it is to replace.'),
});

const summaryProperties = {
  name: Type.String(),
  id: text('This one submission, different for each that ever had the name.'),
  version: nullable(text('What its author calls it.')),
  state: Type.Enum(['inactive', 'waiting', 'active', 'draining', 'completed', 'killed', 'failed'], {
    description: 'The last three are ends, after which the name is free again.',
  }),
  submittedAtMs: count('Milliseconds since 1970.'),
  seconds: count('How long it has run, or ran.'),
  workers: count('Threads.'),
  tasks: count('Running instances of its components.'),
  places,
  waiting: nullable(text('What it waits for, with the slots that there are now; null when it waits for nothing.')),
  reason: nullable(text('Why it failed, or was killed, or what the master says that it waits for.')),
  replaces: nullable(text('The submission that this one replaced, while it has not ended.')),
  replacement: nullable(replacement),
  refused: nullable(refused),
};

const errorsNewestFirst = (description: string) =>
  Type.Array(
    Type.Object({ task: Type.Integer(), count: count('How many like it.'), atMs: count(''), error: wireError }),
    { description: `${description}Newest first.` },
  );

const componentDetails = Type.Object({
  kind: Type.Enum(['spout', 'bolt']),
  parallelism: count('Tasks.'),
  emitted: count('Tuples.'),
  executed: count('Tuples.'),
  acked: count('Spouts: trees; bolts: tuples.'),
  failed: count('Spouts: trees; bolts: tuples.'),
  errors: count('Errors of its code.'),
  restarts: count('Tasks that were started again: in their place, or with their worker.'),
  queued: count('Tuples that wait in mailboxes.'),
  outbox: count('Tuples that wait to leave their worker.'),
  dropped: count('Tuples that were not tracked and found feedback full, where it may drop them.'),
  rate: count('Tuples a second over the last ten seconds: emitted by a spout, executed by a bolt.'),
  latency,
  metrics: Type.Record(Type.String(), Type.Number(), { description: 'What its code counts itself.' }),
  lastErrors: errorsNewestFirst(''),
});

const plan = Type.Object({
  workers: count('Threads.'),
  nextTask: count('The number that the next new task gets.'),
  tasks: Type.Array(
    Type.Object({
      task: Type.Integer({ minimum: 0 }),
      component: Type.String(),
      index: Type.Integer({ minimum: 0 }),
      worker: Type.Integer({ minimum: 0 }),
    }),
  ),
});

export const topologyDetails = Type.Object({
  ...summaryProperties,
  plan,
  components: Type.Record(Type.String(), componentDetails),
  openTrees: count('Tuple trees that are not done.'),
  workerDeaths: count('Workers that died and were replaced.'),
  workerErrors: errorsNewestFirst('Deaths of workers that no component can be blamed for. '),
});

export const topologyList = Type.Object({
  topologies: Type.Array(Type.Object(summaryProperties), {
    description: 'Running ones, and a bounded history of ended ones, newest first.',
  }),
});

export const artifactInfo = Type.Object({
  sha256: Type.String(),
  bytes: Type.Integer({ minimum: 0 }),
  created: Type.Boolean({ description: 'False when it was there already.' }),
});

export const hostHealth = Type.Object({
  status: Type.Enum(['ok', 'closing']),
  host: text('The name of this host.'),
  version: text('Of Millrace.'),
  slots: Type.Object({ total: Type.Integer({ minimum: 0 }), used: Type.Integer({ minimum: 0 }) }),
  problem: nullable(text('Why it is not in its cluster at present; null when it is.')),
});

export const hostSummary = Type.Object({
  host: text('Its name.'),
  state: Type.Enum(['up', 'draining', 'drained', 'leaving', 'away'], {
    description:
      'It takes workers; it is drained and has some, or none any more; it is on its way out; drained and not there.',
  }),
  url: nullable(text('Where it is; null when it does not listen.')),
  door: nullable(text('Where other hosts join the topologies that it leads; null when they cannot.')),
  slots: hostHealth.properties.slots,
  master: Type.Boolean({ description: 'It decides where topologies run.' }),
  labels: Type.Array(Type.String(), { description: 'What topologies may ask for.' }),
  protocol: Type.Integer({ description: 'Only hosts with equal ones run a topology together.' }),
  version: nullable(text('Of Millrace.')),
  drainedSinceMs: nullable(count('Milliseconds since 1970; null when it is not drained.')),
  problem: nullable(text('Why it does not do what the others do, though it is there; null when it does.')),
});

const refusal = Type.Object({
  host: nullable(text('What it is called; null for one that did not say.')),
  address: nullable(text('Where it is, as far as that is known.')),
  code: nullable(text('Of the error that it was refused with; null at a door.')),
  reason: text('Why.'),
  count: Type.Integer({ minimum: 1, description: 'How often, since it was refused first.' }),
  atMs: count('The last time, in milliseconds since 1970.'),
  by: nullable(text('The host that refused it at its door; null: the cluster did.')),
});

export const hostList = Type.Object({ hosts: Type.Array(hostSummary), refused: Type.Array(refusal) });

/** How long a name may be in a path once it is decoded; longer ones are nobody's. */
export const PARAM_LENGTH_MAX = NAME_LENGTH_MAX * 2;
