// The sink of lines: what it writes, when, and that no failure leaves a torn line behind.

import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FileSink } from '../../../engine/connect/file/file-sink.js';
import { nodeFileSystem, type FileSystem } from '../../../engine/connect/file/file-system.js';
import { fileSink } from '../../../engine/connect/file/index.js';
import { JsonLines } from '../../../engine/connect/json-line.js';
import { brokenFileSystem, fakeContext, systemError, thrownBy, tupleOf } from './fakes.js';
import type { FakeContext } from './fakes.js';
import type { MillraceError } from '../../../engine/errors.js';

function started(
  config: Readonly<Record<string, unknown>>,
  system: FileSystem = nodeFileSystem,
  context: FakeContext = fakeContext(),
): FileSink {
  const sink = new FileSink({ fsync: false, ...config }, { system });
  sink.prepare(context);
  sink.activate();
  return sink;
}

const whale = tupleOf({ word: 'whale', count: 1 });
const ship = tupleOf({ word: 'ship', count: 2 });

t.test('a line for each tuple by field name, written when the batch ends', async (t) => {
  const path = join(t.testdir(), 'out.jsonl');
  const sink = started({ path });
  sink.execute(whale);
  sink.execute(ship);
  t.equal(readFileSync(path, 'utf8'), '');
  void sink.endBatch();
  t.equal(readFileSync(path, 'utf8'), '{"word":"whale","count":1}\n{"word":"ship","count":2}\n');
  void sink.endBatch();
  sink.execute(tupleOf({ other: 'é"\n' }));
  void sink.finish();
  sink.close();
  t.equal(readFileSync(path, 'utf8').split('\n')[2], '{"other":"é\\"\\n"}');
});

t.test('values that JSON does not have', async (t) => {
  const values = {
    big: 12n,
    huge: 2n ** 63n,
    at: new Date(0),
    never: new Date(NaN),
    bytes: new Uint8Array([1, 2, 255]),
    floats: new Float32Array([1]),
    buffer: new Uint8Array([7]).buffer,
    nan: NaN,
    zero: -0,
    none: undefined,
    list: [1n, undefined, [null]],
    inner: { 'a"b': true, skipped: undefined },
    half: '\ud800',
  };
  const text = new JsonLines().text(tupleOf(values));
  t.strictSame(JSON.parse(text), {
    big: 12,
    huge: '9223372036854775808',
    at: '1970-01-01T00:00:00.000Z',
    never: null,
    bytes: 'AQL/',
    floats: 'AACAPw==',
    buffer: 'Bw==',
    nan: null,
    zero: 0,
    none: null,
    list: [1, null, [null]],
    inner: { 'a"b': true },
    half: '\ud800',
  });
  t.equal(new JsonLines().text(tupleOf({})), '{}');
});

t.test('it is emptied when the topology starts and not before, and only in its first incarnation', async (t) => {
  const path = join(t.testdir({ 'out.jsonl': '{"old":1}\n' }), 'out.jsonl');
  const first = new FileSink({ path, fsync: false });
  first.prepare(fakeContext());
  t.equal(readFileSync(path, 'utf8'), '{"old":1}\n', 'a start that fails elsewhere destroys nothing');
  first.activate();
  t.equal(readFileSync(path, 'utf8'), '');
  first.execute(whale);
  void first.endBatch();
  first.activate();
  first.close();
  const second = started({ path }, nodeFileSystem, fakeContext({ incarnation: 1 }));
  second.execute(ship);
  void second.endBatch();
  second.close();
  t.equal(readFileSync(path, 'utf8'), '{"word":"whale","count":1}\n{"word":"ship","count":2}\n');
});

t.test('who goes on takes the file when it has something to write, and writes over nobody', async (t) => {
  const path = join(t.testdir(), 'out.jsonl');
  const lines: string[] = [];
  const write = (sink: FileSink, by: string): void => {
    for (let line = 0; line < 3; line++) {
      const tuple = tupleOf({ by, number: lines.length });
      lines.push(JSON.stringify({ by, number: lines.length }));
      sink.execute(tuple);
    }
    void sink.endBatch();
  };
  const first = started({ path });
  write(first, 'first');
  const second = started({ path }, nodeFileSystem, fakeContext({ incarnation: 1000 }));
  write(first, 'first, while the second one is prepared');
  void second.endBatch();
  write(second, 'second');
  write(first, 'first, to its end');
  write(second, 'second');
  first.close();
  write(second, 'second');
  second.close();
  t.equal(readFileSync(path, 'utf8'), `${lines.join('\n')}\n`);
});

t.test('a torn last line is cut off when the file is taken, and not from under who still writes', async (t) => {
  const path = join(t.testdir({ 'out.jsonl': '{"a":1}\n{"b":' }), 'out.jsonl');
  const context = fakeContext({ incarnation: 1 });
  const sink = started({ path }, nodeFileSystem, context);
  t.equal(readFileSync(path, 'utf8'), '{"a":1}\n{"b":');
  sink.execute(whale);
  void sink.endBatch();
  sink.close();
  t.equal(readFileSync(path, 'utf8'), '{"a":1}\n{"word":"whale","count":1}\n');
  t.equal(context.warnings.length, 1);
});

t.test('what another one has torn since is not cut off, for it may be writing it', async (t) => {
  const path = join(t.testdir({ 'out.jsonl': '{"a":1}\n' }), 'out.jsonl');
  const context = fakeContext({ incarnation: 1 });
  const sink = started({ path }, nodeFileSystem, context);
  appendFileSync(path, '{"b":');
  sink.execute(whale);
  void sink.endBatch();
  sink.close();
  t.equal(readFileSync(path, 'utf8'), '{"a":1}\n{"b":\n{"word":"whale","count":1}\n', 'no line of ours is spoilt');
  t.strictSame(context.warnings, []);
});

t.test('what is taken back is cut off, unless another one has written behind it', async (t) => {
  const path = join(t.testdir(), 'out.jsonl');
  let rejects = (_error: Error): void => undefined;
  const failing = brokenFileSystem({
    sync: () => new Promise<void>((_resolve, reject) => (rejects = reject)),
    syncNames: () => undefined,
  });
  const first = started({ path, fsync: true }, failing);
  const second = started({ path }, nodeFileSystem, fakeContext({ incarnation: 1 }));
  first.execute(whale);
  const batch = Promise.resolve(first.endBatch());
  second.execute(ship);
  void second.endBatch();
  rejects(systemError('EIO'));
  await t.rejects(batch, { code: 'MILLRACE_FILE_WRITE' });
  const both = '{"word":"whale","count":1}\n{"word":"ship","count":2}\n';
  t.equal(readFileSync(path, 'utf8'), both);
  first.execute(ship);
  const again = Promise.resolve(first.endBatch());
  t.equal(readFileSync(path, 'utf8'), `${both}{"word":"ship","count":2}\n`);
  rejects(systemError('EIO'));
  await t.rejects(again, { code: 'MILLRACE_FILE_WRITE' });
  t.equal(readFileSync(path, 'utf8'), both, 'nothing stands behind it');
});

t.test('appending cuts a torn last line off, and completes one that only lacks its end', async (t) => {
  const path = join(t.testdir(), 'out.jsonl');
  const long = 'x'.repeat(200_000);
  for (const [before, after, warned] of [
    ['', '', 0],
    ['{"a":1}\n', '{"a":1}\n', 0],
    ['{"a":1}\n{"b":', '{"a":1}\n', 1],
    ['{"b":', '', 1],
    ['{"a":1}', '{"a":1}\n', 0],
    [`{"a":1}\n{"b":"${long}`, '{"a":1}\n', 1],
    [`{"a":"${long}"}\n{"b":2}\n`, `{"a":"${long}"}\n{"b":2}\n`, 0],
  ] as const) {
    writeFileSync(path, before);
    const context = fakeContext();
    const sink = started({ path, append: true }, nodeFileSystem, context);
    sink.execute(whale);
    void sink.endBatch();
    sink.close();
    t.equal(readFileSync(path, 'utf8'), `${after}{"word":"whale","count":1}\n`);
    t.equal(context.warnings.length, warned);
  }
});

t.test('one that was made ready writes behind what the version before has written since', async (t) => {
  const path = join(t.testdir(), 'out.jsonl');
  const line = (sink: FileSink, word: string): void => {
    sink.execute(tupleOf({ word }));
    void sink.endBatch();
  };
  const fsync = false;
  const old = started({ path, fsync, rotateBytes: 4096 });
  line(old, 'old');
  const next = started({ path, fsync, rotateBytes: 4096 }, nodeFileSystem, fakeContext({ incarnation: 1 }));
  line(old, 'later');
  renameSync(path, `${path}.aside`);
  const moved = started({ path, fsync }, nodeFileSystem, fakeContext({ incarnation: 2 }));
  line(moved, 'moved');
  line(next, 'new');
  // Both write for a moment: the one before still has something to end.
  line(moved, 'last');
  line(next, 'on');
  for (const sink of [old, moved, next]) sink.close();
  t.equal(readFileSync(`${path}.aside`, 'utf8'), '{"word":"old"}\n{"word":"later"}\n');
  t.strictSame(
    readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((text) => (JSON.parse(text) as { word: string }).word),
    ['moved', 'new', 'last', 'on'],
  );
});

t.test('a file that is none of lines is not appended to, and not cut', async (t) => {
  const path = join(t.testdir(), 'video');
  writeFileSync(path, Buffer.alloc(17 * 1024 * 1024, 1));
  const error = thrownBy(() => started({ path, append: true }));
  t.match(error, { code: 'MILLRACE_FILE_NOT_LINES', fatal: true });
  t.equal(readFileSync(path).length, 17 * 1024 * 1024);
});

t.test('a full disk: the batch is taken back and fails, and works again when there is room', async (t) => {
  const path = join(t.testdir(), 'out.jsonl');
  let room = 40;
  const full = brokenFileSystem({
    write: (file, buffer, from, bytes, position) => {
      const fits = Math.min(room, bytes);
      if (fits === 0) throw systemError('ENOSPC');
      room -= fits;
      return nodeFileSystem.write(file, buffer, from, fits, position);
    },
  });
  const context = fakeContext();
  const sink = started({ path }, full, context);
  sink.execute(whale);
  void sink.endBatch();
  const failing = (): MillraceError => {
    sink.execute(ship);
    sink.execute(whale);
    return thrownBy(() => sink.endBatch());
  };
  const error = failing();
  t.match(error, { code: 'MILLRACE_FILE_WRITE', fatal: false });
  t.match(error.message, path);
  t.match(error.message, /after 27 bytes: ENOSPC/);
  t.equal(readFileSync(path, 'utf8'), '{"word":"whale","count":1}\n');
  context.clock.step(29_999);
  t.equal(failing().fatal, false);
  context.clock.step(30_000);
  t.equal(failing().fatal, true, 'for too long');
  room = 1000;
  sink.execute(ship);
  void sink.endBatch();
  room = 10;
  t.equal(failing().fatal, false, 'counted anew after a success');
  sink.close();
  t.equal(readFileSync(path, 'utf8'), '{"word":"whale","count":1}\n{"word":"ship","count":2}\n');
});

t.test('a write that fails in the middle of a batch fails all of it', async (t) => {
  const path = join(t.testdir(), 'out.jsonl');
  let works = false;
  const failing = brokenFileSystem({
    write: (file, buffer, from, bytes, position) => {
      if (!works) throw systemError('EIO');
      return nodeFileSystem.write(file, buffer, from, bytes, position);
    },
  });
  const sink = started({ path }, failing);
  const large = tupleOf({ text: 'x'.repeat(1_100_000) });
  sink.execute(whale);
  t.match(
    thrownBy(() => sink.execute(large)),
    { code: 'MILLRACE_FILE_WRITE' },
  );
  works = true;
  sink.execute(ship);
  t.match(
    thrownBy(() => sink.endBatch()),
    { code: 'MILLRACE_FILE_WRITE' },
    'the line of the first tuple is gone',
  );
  sink.execute(ship);
  void sink.endBatch();
  t.equal(readFileSync(path, 'utf8'), '{"word":"ship","count":2}\n');
});

t.test('what cannot be cut off at once is cut off before the next write', async (t) => {
  const path = join(t.testdir(), 'out.jsonl');
  let broken = false;
  const failing = brokenFileSystem({
    write: (file, buffer, from, bytes, position) => {
      if (broken && position !== 0) throw systemError('EIO');
      return nodeFileSystem.write(file, buffer, from, broken ? Math.min(40, bytes) : bytes, position);
    },
    truncate: (file, bytes) => {
      if (broken) throw systemError('EIO');
      nodeFileSystem.truncate(file, bytes);
    },
  });
  const sink = started({ path }, failing);
  broken = true;
  sink.execute(whale);
  sink.execute(ship);
  t.match(
    thrownBy(() => sink.endBatch()),
    { code: 'MILLRACE_FILE_WRITE' },
  );
  t.equal(readFileSync(path, 'utf8').length, 40, 'torn for now');
  sink.execute(ship);
  t.match(
    thrownBy(() => sink.endBatch()),
    { code: 'MILLRACE_FILE_WRITE' },
    'still not to be cut',
  );
  broken = false;
  sink.execute(ship);
  void sink.endBatch();
  t.equal(readFileSync(path, 'utf8'), '{"word":"ship","count":2}\n');
});

t.test('a limit on the size of files does not pass: it ends the topology at once', async (t) => {
  const limited = brokenFileSystem({
    write: () => {
      throw systemError('EFBIG');
    },
  });
  const sink = started({ path: join(t.testdir(), 'out.jsonl') }, limited);
  sink.execute(whale);
  t.match(
    thrownBy(() => sink.endBatch()),
    { code: 'MILLRACE_FILE_WRITE', fatal: true },
  );
});

t.test('short writes are gone on with', async (t) => {
  const path = join(t.testdir(), 'out.jsonl');
  const slow = brokenFileSystem({
    write: (file, buffer, from, bytes, position) =>
      nodeFileSystem.write(file, buffer, from, Math.min(3, bytes), position),
  });
  const sink = started({ path }, slow);
  sink.execute(whale);
  sink.execute(ship);
  void sink.endBatch();
  sink.close();
  t.equal(readFileSync(path, 'utf8'), '{"word":"whale","count":1}\n{"word":"ship","count":2}\n');
});

t.test('the real full disk', { skip: existsSync('/dev/full') ? false : 'no /dev/full here' }, async (t) => {
  const sink = started({ path: '/dev/full' });
  sink.execute(whale);
  t.match(
    thrownBy(() => sink.endBatch()),
    { code: 'MILLRACE_FILE_WRITE', message: /ENOSPC/ },
  );
  sink.close();
});

t.test('with fsync the batch ends when it is on the disk, and what may not be there is taken back', async (t) => {
  const path = join(t.testdir(), 'out.jsonl');
  const waiting: { resolve(): void; reject(error: Error): void }[] = [];
  let names = 0;
  const counting = brokenFileSystem({
    sync: () => new Promise<void>((resolve, reject) => waiting.push({ resolve, reject })),
    syncNames: () => void names++,
  });
  const sink = started({ path, fsync: true }, counting);
  t.equal(sink.endBatch(), undefined, 'nothing to force');
  sink.execute(whale);
  const first = sink.endBatch();
  let isOver = false;
  void first?.then(() => (isOver = true));
  await new Promise(setImmediate);
  t.equal(isOver, false);
  t.equal(names, 0);
  waiting.shift()?.resolve();
  await first;
  t.equal(names, 1, 'its name is on the disk, too');
  sink.execute(ship);
  const second = sink.endBatch();
  waiting.shift()?.reject(systemError('EIO'));
  await t.rejects(Promise.resolve(second), { code: 'MILLRACE_FILE_WRITE', message: /after 27 bytes: EIO/ });
  t.equal(readFileSync(path, 'utf8'), '{"word":"whale","count":1}\n');
  sink.execute(ship);
  const third = sink.endBatch();
  waiting.shift()?.resolve();
  await third;
  t.equal(readFileSync(path, 'utf8'), '{"word":"whale","count":1}\n{"word":"ship","count":2}\n');
  t.equal(names, 1);
});

t.test('much is written before the batch ends', async (t) => {
  const path = join(t.testdir(), 'out.jsonl');
  const sink = started({ path });
  const text = 'x'.repeat(600_000);
  sink.execute(tupleOf({ text }));
  sink.execute(tupleOf({ text }));
  t.equal(readFileSync(path).length, 2 * 600_012);
  sink.close();
});

t.test('each of several tasks writes a file of its own', async (t) => {
  const folder = t.testdir();
  for (const [path, expected] of [
    ['out.jsonl', 'out-1.jsonl'],
    ['out', 'out-1'],
    ['.hidden', '.hidden-1'],
    ['a.b/out', 'a.b/out-1'],
  ] as const) {
    if (path.includes('/')) mkdirSync(join(folder, 'a.b'));
    started({ path: join(folder, path) }, nodeFileSystem, fakeContext({ index: 1, parallelism: 2 })).close();
    t.ok(existsSync(join(folder, expected)), expected);
  }
});

t.test('a missing directory, a directory, a file that may not be written: told at the start', async (t) => {
  const folder = t.testdir();
  const missing = thrownBy(() => started({ path: join(folder, 'none', 'out.jsonl') }));
  t.match(missing, { code: 'MILLRACE_FILE_DIRECTORY_MISSING', fatal: true });
  t.match(missing.message, join(folder, 'none', 'out.jsonl'));
  t.match(
    thrownBy(() => started({ path: folder })),
    { code: 'MILLRACE_FILE_NOT_REGULAR', message: /a directory/ },
  );
  const refusing = brokenFileSystem({
    openToWrite: () => {
      throw systemError('EACCES');
    },
  });
  t.match(
    thrownBy(() => started({ path: join(folder, 'out') }, refusing)),
    {
      code: 'MILLRACE_FILE_UNWRITABLE',
      message: /EACCES/,
    },
  );
  for (const config of [{}, { path: '' }, { path: 'a', append: 'yes' }, { path: 'a', fsync: 1 }]) {
    t.match(
      thrownBy(() => new FileSink(config)),
      { code: 'MILLRACE_CONNECT_SETTING' },
    );
  }
});

t.test('the function makes a component of that type', async (t) => {
  const spec = fileSink({ path: 'a', append: true });
  t.match(spec, { type: 'file-sink', outputs: [], config: { path: 'a', append: true } });
  t.ok(spec.create(spec.config, []) instanceof FileSink);
});
