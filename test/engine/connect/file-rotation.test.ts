// What a sink puts aside: when, under which names, how many are kept, and that every acked line is in one of them.

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import { FileSink, type FileSinkInternals } from '../../../engine/connect/file/file-sink.js';
import { nodeFileSystem } from '../../../engine/connect/file/file-system.js';
import { brokenFileSystem, fakeContext, systemError, thrownBy, tupleOf, type FakeContextOptions } from './fakes.js';

function started(
  config: Readonly<Record<string, unknown>>,
  options: FakeContextOptions = {},
  internals: FileSinkInternals = {},
): FileSink {
  const sink = new FileSink({ fsync: false, ...config }, internals);
  sink.prepare(fakeContext(options));
  sink.activate();
  return sink;
}

/** A line of that many bytes with its end. */
const lineOf = (n: number, bytes: number) => tupleOf({ n, x: 'x'.repeat(bytes - 14 - String(n).length) });

const WALL_MS = Date.UTC(2026, 0, 31, 23, 59, 59);

t.test('by size: no file is larger, nothing is empty, lines stay in order', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'out.jsonl');
  const sink = started({ path, rotateBytes: 1024 });
  for (let n = 0; n < 35; n++) {
    sink.execute(lineOf(n, 100));
    if (n % 7 === 6) void sink.endBatch();
  }
  sink.close();
  t.strictSame(readdirSync(folder).toSorted(), ['out.1.jsonl', 'out.2.jsonl', 'out.3.jsonl', 'out.jsonl']);
  const texts = ['out.1.jsonl', 'out.2.jsonl', 'out.3.jsonl', 'out.jsonl'].map((name) =>
    readFileSync(join(folder, name), 'utf8'),
  );
  t.ok(texts.every((text) => text.length > 0 && text.length <= 1024 && text.endsWith('\n')));
  const numbers = texts
    .join('')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { n: number }).n);
  t.strictSame(
    numbers,
    Array.from({ length: 35 }, (_, n) => n),
  );
});

t.test('any lines, batches, sizes and restarts: each line once, no file too large but by one line', async (t) => {
  const folder = t.testdir();
  let run = 0;
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ bytes: fc.integer({ min: 20, max: 1500 }), then: fc.constantFrom('go on', 'end', 'restart') }),
        {
          maxLength: 60,
        },
      ),
      fc.integer({ min: 1024, max: 3000 }),
      (steps, rotateBytes) => {
        const directory = join(folder, String(run++));
        mkdirSync(directory);
        const config = { path: join(directory, 'out'), rotateBytes };
        let sink = started(config);
        for (const [n, { bytes, then }] of steps.entries()) {
          sink.execute(lineOf(n, bytes));
          if (then === 'go on') continue;
          void sink.endBatch();
          if (then === 'end') continue;
          sink.close();
          sink = started(config, { incarnation: 1 });
        }
        void sink.endBatch();
        sink.close();
        const names = readdirSync(directory).toSorted((a, b) => order(a) - order(b));
        const texts = names.map((name) => readFileSync(join(directory, name), 'utf8'));
        const fits = texts.every((text) => text.length <= rotateBytes || text.indexOf('\n') === text.length - 1);
        const lines = texts.join('').split('\n').slice(0, -1);
        const numbers = lines.map((line) => (JSON.parse(line) as { n: number }).n);
        return fits && JSON.stringify(numbers) === JSON.stringify(steps.map((_, n) => n));
      },
    ),
    { numRuns: 100 },
  );
});

function order(name: string): number {
  return name === 'out' ? Infinity : Number(name.split('.')[1]);
}

t.test('by time: when the first line is that old and another one comes, also after a restart', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'out.jsonl');
  const clock = new VirtualClock(5000);
  let wallMs = WALL_MS;
  const wallNow = (): number => wallMs;
  const sink = started({ path, rotateEvery: '1m', rotateNames: 'time' }, { clock }, { wallNow });
  const write = (into: FileSink, n: number): void => {
    into.execute(tupleOf({ n }));
    void into.endBatch();
  };
  clock.step(100_000);
  write(sink, 1);
  clock.step(159_999);
  write(sink, 2);
  t.strictSame(readdirSync(folder), ['out.jsonl']);
  clock.step(160_000);
  write(sink, 3);
  clock.step(220_000);
  write(sink, 4);
  clock.step(280_000);
  wallMs += 1000;
  write(sink, 5);
  sink.close();
  const names = [
    'out.20260131T235959Z-2.jsonl',
    'out.20260131T235959Z.jsonl',
    'out.20260201T000000Z.jsonl',
    'out.jsonl',
  ];
  t.strictSame(readdirSync(folder).toSorted(), names);
  t.equal(readFileSync(join(folder, names[1]!), 'utf8'), '{"n":1}\n{"n":2}\n');
  t.equal(readFileSync(join(folder, names[0]!), 'utf8'), '{"n":3}\n');

  wallMs = statSync(path).birthtimeMs + 59_000;
  const young = started({ path, rotateEvery: 60_000, append: true }, { clock }, { wallNow });
  write(young, 6);
  young.close();
  t.equal(readFileSync(path, 'utf8'), '{"n":5}\n{"n":6}\n');
  wallMs += 1000;
  const old = started({ path, rotateEvery: 60_000, append: true }, { clock }, { wallNow });
  write(old, 7);
  old.close();
  t.equal(readFileSync(path, 'utf8'), '{"n":7}\n');
});

t.test('keep: the oldest are removed, other files are not', async (t) => {
  const folder = t.testdir({
    'out.x.jsonl': '',
    'out.007.jsonl': '',
    'output.1.jsonl': '',
    'out.9.jsonl': '',
    'out-1.jsonl': '',
  });
  const config = { path: join(folder, 'out.jsonl'), rotateBytes: 1024, keep: 2 };
  const sink = started(config);
  for (let n = 0; n < 5; n++) sink.execute(lineOf(n, 1000));
  void sink.endBatch();
  sink.close();
  const others = ['out-1.jsonl', 'out.007.jsonl', 'out.x.jsonl', 'output.1.jsonl'];
  t.strictSame(readdirSync(folder).toSorted(), [...others, 'out.12.jsonl', 'out.13.jsonl', 'out.jsonl'].toSorted());
  const none = started({ ...config, keep: 0, append: true });
  none.execute(lineOf(6, 1000));
  void none.endBatch();
  none.close();
  t.strictSame(readdirSync(folder).toSorted(), [...others, 'out.jsonl'].toSorted());
});

t.test('one that cannot be removed is warned of; one that cannot be renamed fails the batch', async (t) => {
  const folder = t.testdir();
  const refusing = brokenFileSystem({
    remove: () => {
      throw systemError('EACCES');
    },
  });
  const context = fakeContext();
  const sink = new FileSink(
    { path: join(folder, 'a'), fsync: false, rotateBytes: 1024, keep: 0 },
    { system: refusing },
  );
  sink.prepare(context);
  for (let n = 0; n < 2; n++) sink.execute(lineOf(n, 1000));
  void sink.endBatch();
  sink.close();
  t.match(context.warnings, [/a\.1" is one too many, and could not be removed: EACCES/]);

  let isFixed = false;
  const fixed = brokenFileSystem({
    rename: (from, to) => {
      if (isFixed) throw systemError('EACCES');
      nodeFileSystem.rename(from, to);
    },
  });
  const path = join(folder, 'b');
  const stuck = started({ path, rotateBytes: 1024 }, {}, { system: fixed });
  stuck.execute(lineOf(0, 1000));
  void stuck.endBatch();
  isFixed = true;
  stuck.execute(lineOf(1, 1000));
  const error = thrownBy(() => stuck.endBatch());
  t.match(error, { code: 'MILLRACE_FILE_ROTATE', message: /"b?.*b" could not be put aside as ".*b\.1" .*: EACCES/ });
  isFixed = false;
  stuck.execute(lineOf(1, 1000));
  void stuck.endBatch();
  stuck.close();
  t.equal(statSync(path).size, 1000);
  t.equal(statSync(`${path}.1`).size, 1000);
});

t.test('a batch that fails after a rotation is taken back from both files', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'out');
  let works = false;
  const system = brokenFileSystem({
    sync: async () => {
      if (!works) throw systemError('EIO');
    },
  });
  const sink = started({ path, rotateBytes: 1024, fsync: true }, {}, { system });
  for (let n = 0; n < 3; n++) sink.execute(lineOf(n, 500));
  await t.rejects(Promise.resolve(sink.endBatch()), { code: 'MILLRACE_FILE_WRITE' });
  t.strictSame([readdirSync(folder), statSync(path).size], [['out'], 0]);
  works = true;
  for (let n = 0; n < 3; n++) sink.execute(lineOf(n, 500));
  await sink.endBatch();
  sink.close();
  t.strictSame([statSync(path).size, statSync(`${path}.1`).size], [500, 1000]);
});

t.test('a device is not put aside', { skip: process.platform === 'win32' ? 'no /dev here' : false }, async (t) => {
  const sink = started({ path: '/dev/null', rotateBytes: 1024, rotateEvery: 1 });
  for (let n = 0; n < 3; n++) {
    sink.execute(lineOf(n, 1000));
    void sink.endBatch();
  }
  sink.close();
  t.pass('it went through');
});

t.test('what starts anew leaves alone what was put aside before', async (t) => {
  const folder = t.testdir({ 'out.1': 'before\n' });
  const path = join(folder, 'out');
  writeFileSync(path, 'old\n');
  const sink = started({ path, rotateBytes: 1024 });
  for (let n = 0; n < 2; n++) sink.execute(lineOf(n, 1000));
  void sink.endBatch();
  sink.close();
  t.strictSame(readdirSync(folder).toSorted(), ['out', 'out.1', 'out.2']);
  t.equal(readFileSync(`${path}.1`, 'utf8'), 'before\n');
});

t.test('settings that make no sense', async (t) => {
  for (const config of [
    { rotateBytes: 1000 },
    { rotateEvery: 'often' },
    { rotateEvery: 0 },
    { rotateNames: 'letters' },
    { keep: -1 },
    { keep: 1.5 },
  ]) {
    t.match(
      thrownBy(() => new FileSink({ path: 'a', ...config })),
      { code: 'MILLRACE_CONNECT_SETTING', message: new RegExp(`"${Object.keys(config)[0]}"`) },
    );
  }
});
