// Micro-benchmarks of what runs for each tuple, with mitata: the codec, the ledger, the mailbox, the groupings, the
// hash. They say where to look, not how fast a topology is: V8 may inline here what it does not there.

import { measure as timed } from 'mitata';
import { Ledger } from '../../../engine/ack/ledger.js';
import { readColumns, rowOf } from '../../../engine/codec/columns.js';
import { readDataFrame, SEGMENT_INTS } from '../../../engine/codec/data-frame.js';
import { DataFrameWriter } from '../../../engine/codec/data-frame-writer.js';
import { Outbox } from '../../../engine/codec/outbox.js';
import { ReceivedTexts } from '../../../engine/codec/text-dictionary.js';
import { createGrouping } from '../../../engine/grouping/create.js';
import { runtimeLimits } from '../../../engine/limits.js';
import { Histogram } from '../../../engine/metrics/histogram.js';
import type { InputDefinition } from '../../../engine/model/definition.js';
import { finishHash, HASH_SEED, hashValue } from '../../../engine/plan/hash.js';
import { Mailbox } from '../../../engine/task/mailbox.js';
import { Origin, TaskTuple } from '../../../engine/task/task-tuple.js';
import { SENTENCES } from '../data/sentences.js';
import type { Timing } from '../measured.js';
import type { TableReport } from '../report.js';
import type { Table } from '../tables.js';

/** One thing to time: what is called, and how many tuples that is. */
interface Micro {
  readonly name: string;
  readonly tuples: number;
  make(): () => unknown;
}

const BATCH = 1024;
const words = SENTENCES.flatMap((sentence) => sentence.split(' '));
const rows = Array.from({ length: BATCH }, (_, i) => [words[i % words.length]!, i] as const);

const codec: readonly Micro[] = [
  { name: 'write a frame of [word, count]', tuples: BATCH, make: () => frameWriter() },
  {
    name: 'read a frame of [word, count]',
    tuples: BATCH,
    make: () => {
      const write = frameWriter();
      const texts = textsOf(write());
      const frame = write();
      return () => {
        const columns = readColumns(readDataFrame(frame).payload, BATCH, texts);
        let sum = 0;
        for (let row = 0; row < BATCH; row++) sum += rowOf(columns, row).length;
        return sum;
      };
    },
  },
];

function frameWriter(): () => Uint8Array<ArrayBuffer> {
  const writer = new DataFrameWriter();
  const outbox = new Outbox();
  return () => {
    for (const row of rows) outbox.push(row, 0, null, 0, 0, 16);
    writer.addTuples(0, 1, 0, outbox, BATCH, BATCH * 16);
    outbox.drop(BATCH);
    return writer.finish();
  };
}

/** The dictionary that a first frame brings, in its last segment. */
function textsOf(frame: Uint8Array): readonly string[] {
  const { segments, payload } = readDataFrame(frame);
  const [, , , generation, count, first, bytes] = segments.subarray(-SEGMENT_INTS);
  const received = new ReceivedTexts();
  received.add(generation!, first!, count!, payload.subarray(-bytes!));
  return received.texts;
}

const ledger: readonly Micro[] = [1, 1000, 100_000].map((open) => ({
  name: `open and ack a tree, ${open} open`,
  tuples: 1,
  make: () => {
    const trees = new Ledger({
      spoutTask: 0,
      incarnation: 0,
      timeoutMs: 30_000,
      openRootsMax: runtimeLimits.openRootsMax,
      sparseRootsMax: runtimeLimits.sparseRootsMax,
      now: () => 0,
      latency: new Histogram(),
    });
    const receiver = { treeEnded: () => undefined };
    let last = 0;
    const openOne = (): void => {
      trees.begin(last++);
      trees.opened(1, 1);
    };
    for (let i = 1; i < open; i++) openOne();
    return () => {
      openOne();
      trees.ack(0, last - open, 1, 1);
      trees.takeEnded(receiver);
    };
  },
}));

const mailbox: readonly Micro[] = [
  {
    name: 'push 256 tuples and take them',
    tuples: 256,
    make: () => {
      const box = new Mailbox(runtimeLimits, 1);
      const origin = new Origin('source', 'default', 0, 0, ['value'], null);
      const tuple = new TaskTuple(['some data'], origin, null);
      return () => {
        for (let i = 0; i < 256; i++) box.push(tuple);
        for (let i = 0; i < 256; i++) box.shift();
      };
    },
  },
];

const groupings: readonly Micro[] = (['shuffle', 'fields', 'partial-key', 'all', 'global'] as const).map(
  (grouping) => ({
    name: grouping,
    tuples: rows.length,
    make: () => {
      const input: InputDefinition = { from: 'source', stream: 'default', grouping, fields: ['word'], locality: false };
      const targets = [0, 1, 2, 3].map((task) => ({ task, isLocal: true, fill: 0, saturated: false }));
      const worker = { saturated: false };
      const made = createGrouping(input, {
        fields: ['word', 'count'],
        targets,
        subscriber: 'sink',
        senderIndex: 0,
        worker,
        keyGroups: 1024,
      });
      return () => {
        let sum = 0;
        for (const row of rows) sum += made.select(row);
        return sum;
      };
    },
  }),
);

const hash: readonly Micro[] = [
  ['a word', 'moon'],
  ['a sentence', SENTENCES[0]!],
  ['an integer', 1452],
  ['a number', 14.52],
  ['an object', { origin: 'SFO', day: 12 }],
].map(([name, value]) => ({
  name: name as string,
  tuples: 1,
  make: () => () => finishHash(hashValue(HASH_SEED, value)),
}));

export const microTables: readonly Table[] = Object.entries({ codec, ledger, mailbox, groupings, hash }).map(
  ([label, micros]) => ({ label, measure: (timing) => microTable(label, micros, timing) }),
);

async function microTable(label: string, micros: readonly Micro[], { measureMs }: Timing): Promise<TableReport> {
  const measured: (readonly (string | number)[])[] = [];
  for (const { name, tuples, make } of micros) {
    const { p50, p99, min } = await timed(make(), { min_cpu_time: measureMs * 1e6 });
    measured.push([name, min / tuples, p50 / tuples, p99 / tuples]);
  }
  const columns = ['', 'min ns a tuple', 'p50', 'p99'];
  return { kind: 'table', benchmark: 'micro', title: `Micro: ${label}`, columns, rows: measured, flags: [] };
}
