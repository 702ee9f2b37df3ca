// What the metrics of a topology look like, as TypeBox schemas that follow the table of figures (engine/metrics). The
// shapes are those of engine/metrics/snapshot.ts. Pure, main thread.

import { Type, type TSchema } from 'typebox';
import { recentFigures, taskFigures } from '../../engine/metrics/figures.js';

const number = (description: string) => Type.Number({ description });

function tableOf(table: Readonly<Record<string, { readonly help: string }>>): Record<string, TSchema> {
  return Object.fromEntries(Object.entries(table).map(([key, { help }]) => [key, number(help)]));
}

const distribution = Type.Object({
  count: number('How many were recorded.'),
  sum: number(''),
  mean: number(''),
  p50: number('Half of them are not above it; right to 6 %.'),
  p90: number(''),
  p99: number(''),
  p999: number(''),
  max: number(''),
});

const distributions = (description: string) =>
  Type.Union([
    Type.Object({ all: distribution, '10s': distribution, '10m': distribution }, { description }),
    Type.Null(),
  ]);

const recent = Type.Object({
  ...tableOf(recentFigures),
  seconds: number('How long the window is: less than its name says at first.'),
});

const windows = Type.Object(
  { '10s': recent, '10m': recent },
  { description: 'Windows that end now: the last ten seconds, and ten minutes.' },
);

const condition = Type.Object({
  state: Type.String({
    description:
      'ended, broken, inactive, starting, blocked, waiting-for-acks, calls-full, busy, backlogged, flowing or idle.',
  }),
  text: Type.String({ description: 'The same in words, with who blocks and how much.' }),
});

const user = Type.Object(
  {
    counters: Type.Record(Type.String(), Type.Number()),
    gauges: Type.Record(Type.String(), Type.Number()),
    histograms: Type.Record(Type.String(), distribution),
  },
  { description: 'What its code measures itself, by name.' },
);

const task = Type.Object({
  task: number('Its number in the topology.'),
  index: number('Which task of its component it is, from 0.'),
  worker: number(''),
  ...tableOf(taskFigures),
  blockedBy: Type.Union([Type.Number(), Type.Null()], {
    description: 'The number of the task that is full now and makes it rest.',
  }),
  windows,
  condition,
  user,
});

const component = Type.Object({
  kind: Type.Enum(['spout', 'bolt']),
  parallelism: number('Tasks.'),
  ...tableOf(taskFigures),
  openTreesMax: Type.Union([Type.Number(), Type.Null()], {
    description: 'Spouts: how many trees its tasks may have open together.',
  }),
  windows,
  executeLatencyMs: distributions('Bolts: calls of `execute`, sampled; bolts that they call directly are inside.'),
  processLatencyMs: distributions('Bolts: until tuples that outlive their calls are settled, sampled.'),
  completeLatencyMs: distributions('Spouts: from emit to the end of acked trees, sampled.'),
  condition,
  user,
  tasks: Type.Array(task),
});

export const topologyMetrics = Type.Object({
  name: Type.String(),
  id: Type.String({ description: 'This one submission.' }),
  state: Type.String(),
  seconds: number('Since it was started on this host; all counts begin there.'),
  workers: Type.Array(
    Type.Object({
      worker: number(''),
      busy: Type.Object(
        { '10s': Type.Number(), '10m': Type.Number() },
        { description: 'The share of its time that its turns took.' },
      ),
    }),
  ),
  workerDeaths: number('Workers that died and were replaced.'),
  components: Type.Record(Type.String(), component),
});
