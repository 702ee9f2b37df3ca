// The spout of lines: which lines it emits, from any text with any chunks on any number of tasks, and how it goes on
// after failures and restarts.

import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import { deadLetterOutput } from '../../../engine/component/dead-letter.js';
import type { DynamicOutputs } from '../../../engine/component/spec.js';
import { FileLines } from '../../../engine/connect/file/file-lines.js';
import { fileLines } from '../../../engine/connect/file/index.js';
import { brokenFileSystem, drain, fakeContext, recorder, systemError, thrownBy } from './fakes.js';
import { nodeFileSystem } from '../../../engine/connect/file/file-system.js';

function linesOf(text: string): readonly string[] {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  if (lines.at(-1) === '') lines.pop();
  const last = lines.length - 1;
  return lines.map((line, at) =>
    line.endsWith('\r') && (at < last || text.endsWith('\n')) ? line.slice(0, -1) : line,
  );
}

t.test('any text, any chunk and block size, any number of tasks: exactly its lines', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'text');
  const piece = fc.constantFrom('\n', '\r\n', '\r', 'a', 'whale ', 'é', '漢', '😀', '\uFEFF', '0123456789abcdef');
  const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(
      text,
      fc.boolean(),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 5 }),
      (body, marked, chunkBytes, blockBytes, parallelism) => {
        const whole = marked ? `\uFEFF${body}` : body;
        writeFileSync(path, whole);
        const found: { offset: number; line: unknown }[] = [];
        for (let index = 0; index < parallelism; index++) {
          const spout = new FileLines({ path }, { chunkBytes, blockBytes });
          void spout.open(fakeContext({ index, parallelism }));
          let offset = -1;
          for (const { values, id } of drain(spout, index)) {
            const at = (id as { offset: number }).offset;
            if (at <= offset) return false;
            offset = at;
            found.push({ offset, line: values[0] });
          }
          spout.close();
        }
        const lines = found.sort((a, b) => a.offset - b.offset).map((each) => each.line);
        return JSON.stringify(lines) === JSON.stringify(linesOf(whole));
      },
    ),
    { numRuns: 500 },
  );
});

t.test('several files are read one after another, spread over the tasks', async (t) => {
  const folder = t.testdir({ a: 'one\ntwo', b: '', c: 'three\r\n', d: '\n\n' });
  const path = ['a', 'b', 'c', 'd'].map((name) => join(folder, name));
  const spout = new FileLines({ path });
  const context = fakeContext();
  void spout.open(context);
  t.strictSame(
    drain(spout).map((each) => each.values[0]),
    ['one', 'two', 'three', '', ''],
  );
  const shares = [0, 1].map((index) => {
    const half = new FileLines({ path });
    void half.open(fakeContext({ index, parallelism: 2 }));
    return drain(half).map((each) => each.values[0]);
  });
  t.strictSame(shares, [
    ['one', 'two', 'three'],
    ['', ''],
  ]);
});

t.test('bytes that are no UTF-8 become U+FFFD, a chunk border within a character does not', async (t) => {
  const folder = t.testdir({ good: 'ää😀ö\n' });
  writeFileSync(join(folder, 'bad'), Buffer.from([0x61, 0xff, 0x62, 0x0a]));
  for (const chunkBytes of [1, 8, 9, 10, 11]) {
    const spout = new FileLines({ path: [join(folder, 'good'), join(folder, 'bad')] }, { chunkBytes });
    void spout.open(fakeContext());
    t.strictSame(
      drain(spout).map((each) => each.values[0]),
      ['ää😀ö', 'a\uFFFDb'],
    );
  }
});

t.test('a failed line is read from the file again, after a wait that grows', async (t) => {
  const folder = t.testdir({ a: '\uFEFFone\r\ntwo\n', b: 'three' });
  const clock = new VirtualClock();
  const context = fakeContext({ clock });
  const spout = new FileLines({ path: [join(folder, 'a'), join(folder, 'b')] });
  void spout.open(context);
  const { emit, emitted } = recorder();
  while (spout.nextTuple(emit) !== 'done');
  t.equal(emitted.length, 3);
  const [one, two, three] = emitted;
  spout.ack(two?.id);
  spout.fail(one?.id);
  spout.fail(three?.id);
  t.equal(spout.nextTuple(emit), undefined, 'not done while a line waits');
  t.equal(emitted.length, 3);
  clock.step(100);
  spout.nextTuple(emit);
  spout.nextTuple(emit);
  t.strictSame(
    emitted.slice(3).map((each) => each.values[0]),
    ['one', 'three'],
  );
  t.equal(spout.nextTuple(emit), 'done');
  spout.fail(one?.id);
  clock.step(299);
  spout.nextTuple(emit);
  t.equal(emitted.length, 5);
  clock.step(300);
  spout.nextTuple(emit);
  t.equal(emitted.length, 6);
  spout.ack(one?.id);
  spout.ack(three?.id);
  t.equal(spout.nextTuple(emit), 'done');
  t.match(Object.fromEntries(context.progress), {
    [`${join(folder, 'a')}#0/1`]: { offset: 12, upTo: 12 },
    [`${join(folder, 'b')}#0/1`]: { offset: 5, upTo: 5 },
  });
  spout.close();
});

t.test('progress never passes an open line, and is kept at a bounded rate', async (t) => {
  const folder = t.testdir({ a: 'a\nb\nc\nd\ne\nf\n' });
  const path = join(folder, 'a');
  const context = fakeContext();
  const spout = new FileLines({ path });
  void spout.open(context);
  const { emit, emitted } = recorder();
  for (let line = 0; line < 5; line++) spout.nextTuple(emit);
  spout.ack(emitted[1]?.id);
  spout.ack(emitted[2]?.id);
  t.strictSame(context.checkpoints, []);
  spout.ack(emitted[0]?.id);
  t.strictSame(context.checkpoints, [], 'looked at a moment ago');
  context.clock.step(100);
  spout.ack(emitted[4]?.id);
  t.match(context.checkpoints, [{ partition: `${path}#0/1`, progress: { offset: 6 } }]);
  spout.ack(emitted[3]?.id);
  t.equal(context.checkpoints.length, 1);
  spout.close();
  t.match(context.progress.get(`${path}#0/1`), { offset: 10 }, 'kept on the way out');
});

t.test('after a restart it goes on with the first line that was not acked, on any number of tasks', async (t) => {
  const folder = t.testdir();
  const path = join(folder, 'text');
  const text = Array.from({ length: 300 }, (_, at) => `line ${at} ${'x'.repeat(at % 37)}`).join('\n');
  writeFileSync(path, text);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.nat(300),
      fc.integer({ min: 16, max: 200 }),
      (parallelism, stop, bytes) => {
        const acked = new Set<unknown>();
        const again: unknown[] = [];
        for (let index = 0; index < parallelism; index++) {
          const progress = new Map<string, unknown>();
          const sizes = { chunkBytes: bytes, blockBytes: bytes };
          const first = new FileLines({ path }, sizes);
          void first.open(fakeContext({ index, parallelism, progress }));
          const { emit, emitted } = recorder();
          for (let call = 0; call < stop; call++) first.nextTuple(emit);
          for (const [at, { values, id }] of emitted.entries()) {
            if (at % 10 === 7) continue;
            first.ack(id);
            acked.add(values[0]);
          }
          first.close();
          const second = new FileLines({ path }, sizes);
          void second.open(fakeContext({ index, parallelism, progress, incarnation: 1 }));
          const rest = drain(second).map((each) => each.values[0]);
          const unacked = emitted.findIndex((_, at) => at % 10 === 7);
          if (unacked !== -1 && rest[0] !== emitted[unacked]?.values[0]) return false;
          again.push(...rest);
        }
        return new Set([...acked, ...again]).size === 300 && new Set(again).size === again.length;
      },
    ),
    { numRuns: 60 },
  );
});

t.test('a missing file, a directory, a pipe, one that may not be read: told before the first tuple', async (t) => {
  const folder = t.testdir({ good: 'x\n', secret: 'y\n' });
  const open = (path: string | string[], system = nodeFileSystem): (() => void) => {
    return () => void new FileLines({ path }, { system }).open(fakeContext());
  };
  const missing = thrownBy(open([join(folder, 'good'), join(folder, 'nothing')]));
  t.match(missing, { code: 'MILLRACE_FILE_MISSING', fatal: true });
  t.match(missing.message, join(folder, 'nothing'));
  mkdirSync(join(folder, 'directory'));
  t.match(thrownBy(open(join(folder, 'directory'))), { code: 'MILLRACE_FILE_NOT_REGULAR', message: /a directory/ });
  if (process.platform !== 'win32') {
    t.match(thrownBy(open('/dev/null')), { code: 'MILLRACE_FILE_NOT_REGULAR', message: /a device/ });
  }
  const refusing = brokenFileSystem({
    openToRead: (path) => {
      if (path.endsWith('secret')) throw systemError('EACCES');
      return nodeFileSystem.openToRead(path);
    },
  });
  const refused = thrownBy(open(join(folder, 'secret'), refusing));
  t.match(refused, { code: 'MILLRACE_FILE_UNREADABLE', fatal: true, message: /EACCES/ });
});

t.test(
  'a disk that fails in the middle: all before it is processed first, then one error with the place',
  async (t) => {
    const folder = t.testdir({ a: 'one\ntwo\nthree\nfour\nfive\n' });
    const path = join(folder, 'a');
    const failing = brokenFileSystem({
      read: (file, buffer, from, bytes, position) => {
        if (position >= 16) throw systemError('EIO');
        return nodeFileSystem.read(file, buffer, from, bytes, position);
      },
    });
    const context = fakeContext();
    const spout = new FileLines({ path }, { system: failing, chunkBytes: 8 });
    void spout.open(context);
    const { emit, emitted } = recorder();
    for (let call = 0; call < 20; call++) spout.nextTuple(emit);
    t.strictSame(
      emitted.map((each) => each.values[0]),
      ['one', 'two', 'three'],
    );
    spout.fail(emitted[1]?.id);
    spout.ack(emitted[0]?.id);
    spout.ack(emitted[2]?.id);
    t.equal(spout.nextTuple(emit), undefined);
    context.clock.step(100);
    t.equal(spout.nextTuple(emit), undefined);
    t.equal(emitted[3]?.values[0], 'two', 'the failed line still got its replay');
    spout.ack(emitted[3]?.id);
    const error = thrownBy(() => spout.nextTuple(emit));
    t.match(error, { code: 'MILLRACE_FILE_READ', fatal: true });
    t.match(error.message, /at byte 16 \(line 4\): EIO/);
    t.match(error.message, path);
    spout.close();
    t.match(context.progress.get(`${path}#0/1`), { offset: 14 });
  },
);

t.test('a bad place is told after a while even when a line before it never succeeds', async (t) => {
  const folder = t.testdir({ a: `one\n${'x'.repeat(100)}\n` });
  const context = fakeContext();
  const spout = new FileLines({ path: join(folder, 'a'), lineBytesMax: 10 });
  void spout.open(context);
  const { emit, emitted } = recorder();
  spout.nextTuple(emit);
  for (let call = 0; call < 5; call++) t.equal(spout.nextTuple(emit), undefined);
  t.equal(emitted.length, 1);
  context.clock.step(29_999);
  t.equal(spout.nextTuple(emit), undefined);
  context.clock.step(30_000);
  t.match(
    thrownBy(() => spout.nextTuple(emit)),
    { code: 'MILLRACE_FILE_LINE_TOO_LONG' },
  );
});

t.test('a file that is cut off while it is read, or is shorter than its progress', async (t) => {
  const folder = t.testdir({ a: 'one\ntwo\nthree\nfour\nfive\n' });
  const path = join(folder, 'a');
  const spout = new FileLines({ path }, { chunkBytes: 8 });
  void spout.open(fakeContext());
  const { emit, emitted } = recorder();
  spout.nextTuple(emit);
  const file = openSync(path, 'r+');
  ftruncateSync(file, 6);
  closeSync(file);
  for (let call = 0; call < 3; call++) spout.nextTuple(emit);
  for (const { id } of emitted) spout.ack(id);
  const error = thrownBy(() => spout.nextTuple(emit));
  t.match(error, { code: 'MILLRACE_FILE_TRUNCATED', fatal: true });
  t.match(error.message, /ended at byte 6 .*it had 24 bytes/);
});

t.test('a file that was replaced while the topology was down is read from its start, and that is said', async (t) => {
  const folder = t.testdir({ a: 'one\ntwo\nthree\n' });
  const path = join(folder, 'a');
  for (const [text, says] of [
    ['one\n', /has 4 bytes now and had 14/],
    ['ONE\ntwo\nthree\nfour\n', /holds other data than when it was last read/],
    ['one\ntwo\nthree\nfour\n', null],
  ] as const) {
    writeFileSync(path, 'one\ntwo\nthree\n');
    const progress = new Map<string, unknown>();
    const first = new FileLines({ path });
    void first.open(fakeContext({ progress }));
    const { emit, emitted } = recorder();
    first.nextTuple(emit);
    first.nextTuple(emit);
    for (const { id } of emitted) first.ack(id);
    first.close();
    writeFileSync(path, text);
    const context = fakeContext({ progress, incarnation: 1 });
    const second = new FileLines({ path });
    void second.open(context);
    const lines = drain(second).map((each) => each.values[0]);
    t.strictSame(lines, text.split('\n').slice(says === null ? 2 : 0, -1));
    if (says === null) t.strictSame(context.warnings, []);
    else t.match(context.warnings, [says]);
  }
});

t.test('a line of 100 MB is refused by its place, without holding it', async (t) => {
  const folder = t.testdir({ a: 'short\n' });
  const path = join(folder, 'a');
  const file = openSync(path, 'r+');
  ftruncateSync(file, 100 * 1024 * 1024);
  closeSync(file);
  let asked = 0;
  const counting = brokenFileSystem({
    read: (descriptor, buffer, from, bytes, position) => {
      asked += bytes;
      return nodeFileSystem.read(descriptor, buffer, from, bytes, position);
    },
  });
  const spout = new FileLines({ path }, { system: counting });
  void spout.open(fakeContext());
  const { emit, emitted } = recorder();
  t.equal(spout.nextTuple(emit), undefined);
  t.equal(emitted[0]?.values[0], 'short');
  t.equal(spout.nextTuple(emit), undefined);
  spout.ack(emitted[0]?.id);
  const error = thrownBy(() => spout.nextTuple(emit));
  t.match(error, { code: 'MILLRACE_FILE_LINE_TOO_LONG', fatal: true });
  t.match(error.message, /starts at byte 6 \(line 2\).*longer than 1048576 bytes/);
  t.ok(asked <= 2.5 * 1024 * 1024, `asked for ${asked} bytes only`);
});

t.test('the longest line passes with any line end, one byte more does not', async (t) => {
  const folder = t.testdir({ a: '\uFEFF12345\r\n12345\n12345', b: '123456\n', c: '123456', d: 'é234\n漢456\n' });
  for (const chunkBytes of [1, 7, 100]) {
    const run = (name: string): unknown[] => {
      const spout = new FileLines({ path: join(folder, name), lineBytesMax: 5 }, { chunkBytes });
      void spout.open(fakeContext());
      return drain(spout).map((each) => each.values[0]);
    };
    t.strictSame(run('a'), ['12345', '12345', '12345']);
    t.match(
      thrownBy(() => run('b')),
      { code: 'MILLRACE_FILE_LINE_TOO_LONG', message: /byte 0 \(line 1\)/ },
    );
    t.match(
      thrownBy(() => run('c')),
      { code: 'MILLRACE_FILE_LINE_TOO_LONG' },
    );
    t.match(
      thrownBy(() => run('d')),
      { code: 'MILLRACE_FILE_LINE_TOO_LONG', message: /byte 6 \(line 2\)/ },
    );
  }
});

t.test('senseless settings are told by name', async (t) => {
  for (const [config, key] of [
    [{}, 'path'],
    [{ path: 7 }, 'path'],
    [{ path: '' }, 'path'],
    [{ path: [] }, 'path'],
    [{ path: ['a', 'a'] }, 'path'],
    [{ path: 'a', lineBytesMax: 0 }, 'lineBytesMax'],
    [{ path: 'a', lineBytesMax: 1e9 }, 'lineBytesMax'],
  ] as const) {
    const error = thrownBy(() => new FileLines(config));
    t.equal(error.code, 'MILLRACE_CONNECT_SETTING');
    t.match(error.message, `"${key}"`);
  }
});

t.test('the function makes a component of that type', async (t) => {
  const spec = fileLines({ path: 'a' });
  t.match(spec, { type: 'file-lines', config: { path: 'a' } });
  const outputs = spec.outputs as unknown as DynamicOutputs;
  const around = { component: 'it', inputFields: [] };
  t.strictSame(outputs([], spec.config, around), { default: ['line'] });
  t.strictSame(outputs([], { ...spec.config, retries: 3 }, around), { default: ['line'], ...deadLetterOutput });
  t.ok(spec.create(spec.config) instanceof FileLines);
});
