// A process that is there to be killed: it copies lines with the built-in `file-lines` and `file-sink`, and keeps the
// progress of the spout in a journal, as a host does in its store. It says how many lines are acked, batch by batch.
// Arguments: the settings of the spout and of the sink as JSON, the journal, how often it was started before.

import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Emit, EmitOptions } from '../../engine/component/emit.js';
import type { Values } from '../../engine/component/tuple.js';
import { FileLines } from '../../engine/connect/file/file-lines.js';
import { FileSink } from '../../engine/connect/file/file-sink.js';
import { fakeContext, tupleOf } from '../engine/connect/fakes.js';

const BATCH = 200;

const [spoutConfig = '', sinkConfig = '', journal = '', incarnation = ''] = process.argv.slice(2);

/** What the journal holds; a line that a kill left torn was not kept. */
function kept(): Map<string, unknown> {
  const progress = new Map<string, unknown>();
  if (!existsSync(journal)) return progress;
  for (const line of readFileSync(journal, 'utf8').split('\n').slice(0, -1)) {
    const [partition, value] = JSON.parse(line) as [string, unknown];
    if (value === null) progress.delete(partition);
    else progress.set(partition, value);
  }
  return progress;
}

const context = {
  ...fakeContext({ incarnation: Number(incarnation), progress: kept() }),
  now: () => performance.now(),
  checkpoint: (partition: string, value: unknown) => {
    appendFileSync(journal, `${JSON.stringify([partition, value ?? null])}\n`);
  },
};
const spout = new FileLines(JSON.parse(spoutConfig) as Record<string, unknown>);
const sink = new FileSink(JSON.parse(sinkConfig) as Record<string, unknown>);
await spout.open(context);
sink.prepare(context);
sink.activate();

let acked = 0;
let isDone = false;
const open: unknown[] = [];
const take = (values: Values, options?: EmitOptions): void => {
  sink.execute(tupleOf({ line: values[0] }));
  open.push(options?.id);
};
const emit: Emit = Object.assign(take, {
  direct: () => undefined,
  ready: async () => undefined,
  signal: new AbortController().signal,
});
while (!isDone) {
  for (let call = 0; call < BATCH && !isDone; call++) isDone = spout.nextTuple(emit) === 'done';
  await sink.endBatch();
  for (const id of open) spout.ack(id);
  acked += open.length;
  if (open.length > 0) process.stdout.write(`${acked}\n`);
  else await new Promise((resolve) => setTimeout(resolve, 5));
  open.length = 0;
}
spout.close();
sink.close();
