// The log: one line of JSON a tuple, acked when written, a bounded number under way.

import t from 'tap';
import { log, Log } from '../../../engine/connect/log/index.js';
import { fakeContext, tupleOf } from './fakes.js';

t.test('prints each tuple as one line, with its prefix', async (t) => {
  const context = fakeContext();
  const bolt = log({ prefix: 'seen ' }).create({ prefix: 'seen ' }, []);
  bolt.prepare(context);
  void bolt.execute(tupleOf({ word: 'whale', count: 1 }));
  void bolt.execute(tupleOf({ word: 'two\nlines', count: 2 }));
  await bolt.endBatch();
  t.strictSame(context.printed, ['seen {"word":"whale","count":1}', 'seen {"word":"two\\nlines","count":2}']);
});

t.test('a batch ends when its lines are written, and nothing is waited for when there are none', async (t) => {
  const written: (() => void)[] = [];
  const bolt = new Log();
  bolt.prepare(fakeContext({ print: () => new Promise((resolve) => written.push(resolve)) }));
  t.equal(bolt.endBatch(), undefined);
  t.equal(bolt.execute(tupleOf({ a: 1 })), undefined);
  let ended = false;
  const ending = Promise.resolve(bolt.endBatch()).then(() => (ended = true));
  await Promise.resolve();
  t.equal(ended, false);
  written[0]?.();
  await ending;
  t.equal(bolt.endBatch(), undefined);
});

t.test('with 256 lines under way execute waits', async (t) => {
  const written: (() => void)[] = [];
  const bolt = new Log();
  bolt.prepare(fakeContext({ print: () => new Promise((resolve) => written.push(resolve)) }));
  for (let line = 1; line < 256; line++) t.equal(bolt.execute(tupleOf({ line })), undefined);
  const waiting = bolt.execute(tupleOf({ line: 256 }));
  t.ok(waiting instanceof Promise);
  for (const resolve of written) resolve();
  await waiting;
  t.equal(bolt.execute(tupleOf({ line: 257 })), undefined);
});

t.test('a print that fails fails the batch, once', async (t) => {
  let broken = true;
  const bolt = new Log();
  bolt.prepare(fakeContext({ print: async () => (broken ? Promise.reject(new Error('EPIPE')) : undefined) }));
  void bolt.execute(tupleOf({ a: 1 }));
  broken = false;
  void bolt.execute(tupleOf({ a: 2 }));
  await t.rejects(Promise.resolve(bolt.endBatch()), { message: 'EPIPE' });
  t.equal(bolt.endBatch(), undefined);
});
