// Following files as they grow, are renamed, cut off, removed and made: which lines are emitted, and how it goes on
// after a restart.

import { appendFileSync, mkdirSync, renameSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { nodeFileSystem } from '../../../engine/connect/file/file-system.js';
import { FileLines } from '../../../engine/connect/file/file-lines.js';
import { brokenFileSystem, fakeContext, recorder, systemError, thrownBy } from './fakes.js';
import { Follower } from './follower.js';

t.test('lines come as they are added; the last one waits for its end', async (t) => {
  const path = join(t.testdir({ log: 'one\ntwo\nthr' }), 'log');
  const follower = await Follower.start(path);
  t.strictSame(follower.read(), ['one', 'two']);
  t.strictSame(follower.read(), []);
  appendFileSync(path, 'ee');
  t.strictSame(follower.read(), []);
  appendFileSync(path, '\r\nfour\n');
  t.strictSame(follower.read(50), [], 'not before it is time to look');
  t.strictSame(follower.read(50), ['three', 'four']);
  follower.spout.close();
});

t.test('a file that is not there yet is waited for', async (t) => {
  const folder = t.testdir();
  const follower = await Follower.start([join(folder, 'log'), join(folder, 'logs/*.log')]);
  t.strictSame(await follower.readAll(), []);
  writeFileSync(join(folder, 'log'), 'one\n');
  mkdirSync(join(folder, 'logs'));
  writeFileSync(join(folder, 'logs/a.log'), 'two\n');
  writeFileSync(join(folder, 'logs/a.txt'), 'no\n');
  t.strictSame(await follower.readAll(), ['one', 'two']);
  follower.spout.close();
});

t.test(
  'rotation by rename and create: the old one is read on until it is quiet, the new one from its start',
  async (t) => {
    const folder = t.testdir({ log: 'one\n' });
    const path = join(folder, 'log');
    const follower = await Follower.start(path);
    t.strictSame(follower.read(), ['one']);
    appendFileSync(path, 'two\n');
    renameSync(path, `${path}.1`);
    appendFileSync(path, 'new one\n');
    t.strictSame(follower.read(), ['two', 'new one']);
    appendFileSync(`${path}.1`, 'three\nlast');
    t.strictSame(follower.read(), ['three']);
    t.strictSame(follower.read(29_000), []);
    t.strictSame([...follower.read(1000), ...follower.read()], ['last'], 'nothing will end that line');
    follower.read();
    const kept = [...follower.context.progress.keys()].filter((partition) => partition.startsWith(folder));
    t.strictSame(
      kept,
      [`${folder}#${statSync(path, { bigint: true }).ino}`],
      'the progress of the old one is forgotten',
    );
    appendFileSync(path, 'new two\n');
    t.strictSame(follower.read(), ['new two']);
    follower.spout.close();
  },
);

t.test('a renamed file that matches still is the same file', async (t) => {
  const folder = t.testdir({ 'a.log': 'one\n' });
  const follower = await Follower.start(join(folder, '*.log*'));
  t.strictSame(await follower.readAll(), ['one']);
  renameSync(join(folder, 'a.log'), join(folder, 'a.log.1'));
  writeFileSync(join(folder, 'a.log'), 'two\n');
  t.strictSame(await follower.readAll(), ['two']);
  appendFileSync(join(folder, 'a.log.1'), 'three\n');
  t.strictSame(follower.read(60_000), ['three']);
  t.strictSame(follower.read(60_000), []);
  appendFileSync(join(folder, 'a.log.1'), 'four\n');
  t.strictSame(follower.read(), ['four'], 'it is at its path and never let go');
  follower.spout.close();
});

t.test('a file that moves to another directory that matches takes its progress along', async (t) => {
  const folder = t.testdir({ a: { log: 'one\n' }, b: {} });
  const progress = new Map<string, unknown>();
  const first = await Follower.start(join(folder, '*/log'), { progress });
  t.strictSame(await first.readAll(), ['one']);
  renameSync(join(folder, 'a/log'), join(folder, 'b/log'));
  t.strictSame(await first.readAll(), []);
  first.spout.close();
  appendFileSync(join(folder, 'b/log'), 'two\n');
  const second = await Follower.start(join(folder, '*/log'), { progress, incarnation: 1 });
  t.strictSame(second.read(), ['two']);
  second.spout.close();
});

t.test('rotation by copy and truncate, seen while it is short and after it has grown beyond', async (t) => {
  const path = join(t.testdir({ log: 'one\ntwo\n' }), 'log');
  const follower = await Follower.start(path);
  t.strictSame(follower.read(), ['one', 'two']);
  truncateSync(path);
  t.strictSame(follower.read(), []);
  appendFileSync(path, 'three\n');
  t.strictSame(follower.read(), ['three']);
  truncateSync(path);
  appendFileSync(path, 'four\nfive\nsix\n');
  t.strictSame(follower.read(), ['four', 'five', 'six']);
  truncateSync(path);
  appendFileSync(path, 'FOUR\nfive\nSIX\n');
  t.strictSame(follower.read(), ['FOUR', 'five', 'SIX'], 'as long as before, but not the same');
  appendFileSync(path, 'seven\n');
  t.strictSame(follower.read(), ['seven']);
  follower.spout.close();
});

t.test('lines that were open when their file was cut off are replayed all the same', async (t) => {
  const path = join(t.testdir({ log: 'one\ntwo\n' }), 'log');
  const follower = await Follower.start(path);
  follower.read(100, false);
  truncateSync(path);
  appendFileSync(path, 'three\n');
  t.strictSame(follower.read(), ['three']);
  for (const { id } of follower.emitted.slice(0, 2)) follower.spout.fail(id);
  t.strictSame(follower.read(), ['one', 'two']);
  follower.spout.close();
});

t.test('a line whose text was too much to keep is read again, and is told when it is gone', async (t) => {
  const path = join(t.testdir(), 'log');
  const large = 'x'.repeat(1_000_000);
  writeFileSync(path, `${large}\n`.repeat(17) + 'last\n');
  const follower = await Follower.start(path);
  const errors: string[] = [];
  Object.assign(follower.context.logger, { error: (message: string) => errors.push(message) });
  follower.read(100, false);
  t.equal(follower.emitted.length, 18);
  const unkept = follower.emitted[16]!;
  follower.spout.fail(unkept.id);
  t.equal(follower.read(100, false)[0], large);
  truncateSync(path);
  follower.spout.fail(unkept.id);
  t.strictSame(follower.read(300), []);
  t.match(errors, [/was cut off before its line at byte 16000016 was processed/]);
  follower.spout.close();
});

t.test('a removed file is read to its end, and its inode may be used again', async (t) => {
  const path = join(t.testdir({ log: 'one\n' }), 'log');
  const follower = await Follower.start(path);
  t.strictSame(follower.read(), ['one']);
  appendFileSync(path, 'two\n');
  unlinkSync(path);
  t.strictSame(follower.read(), ['two']);
  follower.read(31_000);
  follower.read(31_000);
  t.strictSame([...follower.context.progress.keys()], ['(began)#0/1']);
  writeFileSync(path, 'three\n');
  t.strictSame(follower.read(), ['three']);
  follower.spout.close();
});

t.test('from the end: what is there already is left out, from a whole line on', async (t) => {
  const folder = t.testdir({ 'a.log': 'old\nha', 'b.log': '' });
  const progress = new Map<string, unknown>();
  const config = { from: 'end' };
  const pattern = join(folder, '*.log');
  const first = await Follower.start(pattern, { config, progress });
  t.strictSame(first.read(), []);
  appendFileSync(join(folder, 'a.log'), 'lf\n');
  writeFileSync(join(folder, 'c.log'), 'new\n');
  t.strictSame(await first.readAll(), ['half', 'new']);
  first.spout.close();
  appendFileSync(join(folder, 'a.log'), 'more\n');
  appendFileSync(join(folder, 'b.log'), 'first\n');
  writeFileSync(join(folder, 'd.log'), 'made while it was down\n');
  const second = await Follower.start(pattern, { config, progress });
  t.strictSame(second.read().toSorted(), ['first', 'made while it was down', 'more']);
  second.spout.close();
});

t.test('after a restart it goes on behind what was acked', async (t) => {
  const path = join(t.testdir({ log: 'one\ntwo\nthree\n' }), 'log');
  const progress = new Map<string, unknown>();
  const first = await Follower.start(path, { progress });
  first.read(100, false);
  first.spout.ack(first.emitted[0]?.id);
  first.spout.ack(first.emitted[2]?.id);
  first.read();
  const second = await Follower.start(path, { progress, incarnation: 1 });
  t.strictSame(second.read(), ['two', 'three']);
  for (const each of [first, second]) each.spout.close();
});

t.test('after a restart: cut off, replaced, renamed', async (t) => {
  for (const [change, lines, says] of [
    [(path: string) => writeFileSync(path, 'x\n'), ['x'], /has 2 bytes now and had 8/],
    [(path: string) => writeFileSync(path, 'ONE\ntwo\nthree\n'), ['ONE', 'two', 'three'], /holds other data/],
    [
      (path: string) => {
        appendFileSync(path, 'three\n');
        renameSync(path, `${path}.1`);
        writeFileSync(path, 'new\n');
      },
      ['new', 'three'],
      null,
    ],
  ] as const) {
    const path = join(t.testdir(), 'log');
    writeFileSync(path, 'one\ntwo\n');
    const progress = new Map<string, unknown>();
    const first = await Follower.start(path, { progress });
    t.strictSame(first.read(), ['one', 'two']);
    first.spout.close();
    change(path);
    const second = await Follower.start(path, { progress, incarnation: 1 });
    t.strictSame(second.read().toSorted(), lines.toSorted());
    if (says === null) t.strictSame(second.context.warnings, []);
    else t.match(second.context.warnings, [says]);
    second.spout.close();
    for (const end of ['', '.1']) if (nodeFileSystem.statPath(path + end) !== null) unlinkSync(path + end);
  }
});

t.test('several tasks split the files between them, also when files are renamed', async (t) => {
  const folder = t.testdir();
  for (let file = 0; file < 40; file++) writeFileSync(join(folder, `${file}.log`), `${file}\n`);
  const followers = await Promise.all(
    [0, 1, 2].map((index) => Follower.start(join(folder, '*.log'), { index, parallelism: 3 })),
  );
  const read = async (): Promise<unknown[]> => (await Promise.all(followers.map((each) => each.readAll()))).flat();
  const all = (await read()).map(Number).toSorted((a, b) => a - b);
  t.strictSame(
    all,
    Array.from({ length: 40 }, (_, file) => file),
  );
  t.ok(followers.every(({ emitted }) => emitted.length > 0));
  for (let file = 0; file < 40; file++) renameSync(join(folder, `${file}.log`), join(folder, `x${file}.log`));
  t.strictSame(await read(), []);
  for (const { spout } of followers) spout.close();
});

t.test('more files than may be open, and each look costs one call', async (t) => {
  const folder = t.testdir();
  let open = 0;
  let openMax = 0;
  let looks = 0;
  const system = brokenFileSystem({
    openToRead: (path) => {
      openMax = Math.max(openMax, ++open);
      return nodeFileSystem.openToRead(path);
    },
    close: (file) => {
      open--;
      nodeFileSystem.close(file);
    },
    statPath: (path) => {
      looks++;
      return nodeFileSystem.statPath(path);
    },
  });
  const files = Array.from({ length: 300 }, (_, file) => join(folder, `${file}`));
  for (const file of files) writeFileSync(file, 'a\n');
  const follower = await Follower.start(join(folder, '*'), { internals: { system } });
  const lines = (): number => Array.from({ length: 40 }, () => follower.read(10).length).reduce((a, b) => a + b);
  t.equal(lines(), 300);
  for (const file of files) appendFileSync(file, 'b\n');
  t.equal(lines(), 300);
  t.ok(openMax <= 256, `${openMax} open at once`);
  looks = 0;
  for (let call = 0; call < 1000 / 16; call++) follower.read(16);
  t.ok(looks <= 5000, `${looks} looks in a second`);
  follower.spout.close();
  t.equal(open, 0);
});

t.test('a file that has much does not keep the others waiting', async (t) => {
  const folder = t.testdir();
  writeFileSync(join(folder, 'a'), `${'x'.repeat(999)}\n`.repeat(10_000));
  writeFileSync(join(folder, 'b'), 'small\n');
  const follower = await Follower.start([join(folder, 'a'), join(folder, 'b')]);
  const lines = follower.read();
  t.equal(lines.length, 10_001);
  t.ok(lines.indexOf('small') < 5000);
  follower.spout.close();
});

t.test('what cannot be followed: told at the start, warned of once later', async (t) => {
  const folder = t.testdir({ directory: {} });
  await t.rejects(Follower.start(join(folder, 'directory')), { code: 'MILLRACE_FILE_NOT_REGULAR' });
  let isRefused = true;
  const system = brokenFileSystem({
    openToRead: (path) => {
      if (isRefused) throw systemError('EACCES');
      return nodeFileSystem.openToRead(path);
    },
  });
  const path = join(folder, 'log');
  const follower = await Follower.start(path, { internals: { system } });
  writeFileSync(path, 'one\n');
  t.strictSame([...follower.read(), ...follower.read()], []);
  t.match(follower.context.warnings, [/cannot be opened for reading: EACCES/]);
  t.equal(follower.context.warnings.length, 1);
  isRefused = false;
  t.strictSame(follower.read(), ['one']);
  follower.spout.close();
});

t.test('a line that is too long ends it, after the lines before it', async (t) => {
  const path = join(t.testdir({ log: 'one\n0123456789\n' }), 'log');
  const follower = await Follower.start(path, { config: { lineBytesMax: 5 } });
  const error = thrownBy(() => [follower.read(), follower.read()]);
  t.match(error, { code: 'MILLRACE_FILE_LINE_TOO_LONG', message: /byte 4 \(line 2\)/, fatal: true });
  t.equal(follower.emitted.length, 1);
  follower.spout.close();
});

t.test('a pattern that matches nothing is an error unless it is followed', async (t) => {
  const folder = t.testdir({ 'b[1].log': 'literal\n', 'b1.log': 'no\n', '2.log': 'two\n', '10.log': 'ten\n' });
  const open = (path: string | string[]): FileLines => new FileLines({ path });
  await t.rejects(Promise.resolve(open(join(folder, '*.txt')).open(fakeContext())), {
    code: 'MILLRACE_FILE_NO_MATCH',
    message: /no file matches ".*\*\.txt"/,
  });
  t.match(
    thrownBy(() => new FileLines({ path: 'a', from: 'end' })),
    { code: 'MILLRACE_CONNECT_SETTING', message: /"from"/ },
  );
  const spout = open([join(folder, 'b[1].log'), join(folder, '[0-9]*.log'), join(folder, '*.log')]);
  await spout.open(fakeContext());
  const { emit, emitted } = recorder();
  while (spout.nextTuple(emit) !== 'done');
  t.strictSame(
    emitted.map(({ values }) => values[0]),
    ['literal', 'ten', 'two', 'no'],
    'each file once, sorted within its pattern',
  );
  spout.close();
});

t.test('a pattern that matches more than one component should take', async (t) => {
  const search = async (): Promise<string[]> => Array.from({ length: 100_001 }, (_, n) => `${n}.log`);
  for (const follow of [false, true]) {
    const spout = new FileLines({ path: '*.log', follow }, { search });
    await t.rejects(Promise.resolve(spout.open(fakeContext())), {
      code: 'MILLRACE_FILE_TOO_MANY',
      message: /100001 files match "\*\.log"/,
    });
  }
});
