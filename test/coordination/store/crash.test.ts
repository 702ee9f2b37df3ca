// What is left of an embedded store after a crash: everything that was acknowledged. Processes are killed while they
// write, logs are cut at every byte, damaged at every byte, and locks are left behind.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { EmbeddedStore } from '../../../coordination/store/embedded/embedded-store.js';
import { text, textOf } from './contract.js';

const writer = fileURLToPath(new URL('writer.js', import.meta.url));

/** Starts the writer; it is killed at the end of the test at the latest. */
function start(t: Test, directory: string, first: number, logBytesMax = 1_000_000): ChildProcess {
  const child = spawn(process.execPath, [writer, directory, String(first), String(logBytesMax)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

/** Kills it after so many lines; gives back all that it said. */
async function killedAfter(child: ChildProcess, count: number): Promise<string[]> {
  const lines: string[] = [];
  const exit = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout! })) {
    lines.push(line);
    if (lines.length === count) child.kill('SIGKILL');
  }
  await exit;
  return lines;
}

void t.test('after kill -9 in the middle of writing, every acknowledged write is there', async (t) => {
  const directory = join(t.testdir(), 'store');
  const acknowledged = new Set<number>();
  let generations = 0;
  for (const round of [0, 1, 2, 3]) {
    const lines = await killedAfter(start(t, directory, round * 1_000_000, 20_000), 60 + 97 * round);
    for (const line of lines.slice(1)) acknowledged.add(Number(line));
    const store = await EmbeddedStore.open({ directory });
    const session = await store.connect();
    t.equal(await session.exists('/alive'), null, 'its session is gone');
    const kept = new Set((await session.children('/n')).map(Number));
    for (const number of acknowledged) {
      const node = await session.get(`/n/${number}`);
      if (textOf(node.data) !== `value ${number}`.repeat(1 + (number % 50))) t.fail(`${number} is another`);
    }
    t.strictSame(
      [...acknowledged].filter((number) => !kept.has(number)),
      [],
      `${acknowledged.size} numbers`,
    );
    t.ok(kept.size <= acknowledged.size + 4 * (round + 1), 'and at most the four that were under way beside them');
    generations = Math.max(...readdirSync(directory).map((name) => Number.parseInt(name, 10) || 0));
    await store.close();
  }
  t.ok(generations > 0, 'logs were replaced by snapshots meanwhile');
});

/** A directory with a log of some records, and what was acknowledged with which length of the log. */
async function written(directory: string): Promise<{ readonly log: Buffer; readonly lengths: readonly number[] }> {
  const store = await EmbeddedStore.open({ directory });
  const session = await store.connect();
  const lengths: number[] = [];
  for (let number = 0; number < 6; number++) {
    await session.create(`/n${number}`, text('x'.repeat(number)));
    lengths.push(readFileSync(join(directory, '0.log')).byteLength);
  }
  await store.close();
  return { log: readFileSync(join(directory, '0.log')), lengths };
}

function copyWith(from: string, to: string, log: Buffer): void {
  mkdirSync(to);
  cpSync(join(from, 'format'), join(to, 'format'));
  writeFileSync(join(to, '0.log'), log);
}

void t.test('a log that ends at any byte is good up to its last whole record', async (t) => {
  const base = t.testdir();
  const origin = join(base, 'origin');
  const { log, lengths } = await written(origin);
  let torn = 0;
  for (let length = 0; length <= log.byteLength; length++) {
    const directory = join(base, String(length));
    copyWith(origin, directory, log.subarray(0, length));
    const warnings: string[] = [];
    const logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: (line: string) => void warnings.push(line),
      error: () => undefined,
    };
    const store = await EmbeddedStore.open({ directory, logger });
    const session = await store.connect();
    const names = await session.children('/');
    const complete = lengths.filter((each) => each <= length).length;
    if (names.length !== complete) t.fail(`${names.length} of ${complete} at ${length}`);
    if (store.tornBytes > 0) torn++;
    if (warnings.length !== (store.tornBytes > 0 ? 1 : 0)) t.fail(`torn and not told at ${length}`);
    await session.create('/later', text(''));
    await store.close();
    const again = await EmbeddedStore.open({ directory });
    if (again.tornBytes !== 0) t.fail(`still torn at ${length}`);
    if ((await (await again.connect()).exists('/later')) === null) t.fail(`lost what came later at ${length}`);
    await again.close();
  }
  t.equal(torn, log.byteLength - lengths.length - 1, 'all but the ends of records, and that of no record');
});

void t.test('a log that is damaged at any byte before its last record is refused, untouched', async (t) => {
  const base = t.testdir();
  const origin = join(base, 'origin');
  const { log, lengths } = await written(origin);
  const directory = join(base, 'damaged');
  copyWith(origin, directory, log);
  for (let at = 0; at < lengths.at(-2)!; at++) {
    const damaged = Buffer.from(log);
    damaged[at]! ^= 0x10;
    writeFileSync(join(directory, '0.log'), damaged);
    const error = await EmbeddedStore.open({ directory }).then(
      () => t.fail(`opened with byte ${at} damaged`),
      (thrown: unknown) => thrown as { code?: string },
    );
    if (error === false || error === true || error.code !== 'MILLRACE_STORE_CORRUPT') t.fail(`byte ${at}`);
    if (!readFileSync(join(directory, '0.log')).equals(damaged)) t.fail(`byte ${at}: it was touched`);
  }
  t.pass(`${lengths.at(-2)} bytes`);
  for (let at = lengths.at(-2)!; at < log.byteLength; at++) {
    const damaged = Buffer.from(log);
    damaged[at]! ^= 0x10;
    writeFileSync(join(directory, '0.log'), damaged);
    const store = await EmbeddedStore.open({ directory });
    if (store.tornBytes === 0) t.fail(`byte ${at} went by`);
    await store.close();
  }
});

void t.test('a damaged or missing file is named', async (t) => {
  const base = t.testdir();
  const directory = join(base, 'store');
  const store = await EmbeddedStore.open({ directory, logBytesMax: 1 });
  const session = await store.connect();
  for (const path of ['/a', '/b']) await session.create(path, text(path));
  await store.close();
  const refused = async (name: string, content: Buffer | null, file: string): Promise<void> => {
    const copy = join(base, name);
    cpSync(directory, copy, { recursive: true });
    const path = readdirSync(copy).find((each) => each.endsWith(file))!;
    if (content === null) writeFileSync(join(copy, path), readFileSync(join(copy, path)).subarray(0, -1));
    else writeFileSync(join(copy, path), content);
    const open = EmbeddedStore.open({ directory: copy });
    await t.rejects(open, { code: 'MILLRACE_STORE_CORRUPT', message: new RegExp(path.replace('.', '\\.')) }, name);
  };
  await refused('snapshot cut', null, '.snapshot');
  await refused('snapshot empty', Buffer.alloc(0), '.snapshot');
  await refused('format empty', Buffer.alloc(0), 'format');
  await refused('format odd', Buffer.from('{"format":"new"}'), 'format');
  const { rmSync } = await import('node:fs');
  for (const gone of ['format', '.log']) {
    const copy = join(base, `no ${gone}`);
    cpSync(directory, copy, { recursive: true });
    for (const name of readdirSync(copy)) if (name.endsWith(gone)) rmSync(join(copy, name));
    await t.rejects(EmbeddedStore.open({ directory: copy }), { code: 'MILLRACE_STORE_CORRUPT', message: /missing/ });
  }
  const logOnly = join(base, 'log only');
  mkdirSync(logOnly);
  writeFileSync(join(logOnly, '0.log'), 'something');
  await t.rejects(EmbeddedStore.open({ directory: logOnly }), { code: 'MILLRACE_STORE_CORRUPT' });
  writeFileSync(join(logOnly, '0.log'), '');
  const begun = await EmbeddedStore.open({ directory: logOnly });
  t.equal(begun.tornBytes, 0, 'a beginning that a crash cut short is begun again');
  await begun.close();
});

void t.test('a crash in the middle of a replacement leaves one whole generation', async (t) => {
  const directory = join(t.testdir(), 'store');
  const store = await EmbeddedStore.open({ directory });
  await (await store.connect()).create('/a', text('kept'));
  await store.close();
  for (const name of ['1.snapshot.new', '1.log', '7.log']) writeFileSync(join(directory, name), 'half');
  const again = await EmbeddedStore.open({ directory });
  t.equal(textOf((await (await again.connect()).get('/a')).data), 'kept');
  t.strictSame(
    readdirSync(directory).filter((name) => !name.startsWith('lock')),
    ['0.log', 'format'],
  );
  await again.close();
  t.strictSame(readdirSync(directory), ['0.log', 'format'], 'and a closed store leaves no lock');
});

void t.test('a directory of a newer version is refused and not touched', async (t) => {
  const directory = join(t.testdir({ store: { format: '{"format":3}', '0.log': 'what we do not know' } }), 'store');
  await t.rejects(EmbeddedStore.open({ directory }), {
    code: 'MILLRACE_STORE_NEWER',
    message: /format 3; .* up to format 2/,
  });
  t.strictSame(readdirSync(directory), ['0.log', 'format']);
  t.equal(readFileSync(join(directory, '0.log'), 'utf8'), 'what we do not know');
});

void t.test('what cannot be a directory is refused', async (t) => {
  const base = t.testdir({ file: 'text' });
  for (const directory of [join(base, 'file'), join(base, 'file', 'below')]) {
    await t.rejects(EmbeddedStore.open({ directory }), { code: 'MILLRACE_STORE_DIRECTORY', message: /file/ });
  }
});

void t.test('one process at a time; a killed one never blocks', async (t) => {
  const long = join(t.testdir(), 'd'.repeat(90));
  for (const directory of [join(t.testdir(), 'store'), ...(process.platform === 'linux' ? [long] : [])]) {
    const child = start(t, directory, -1);
    await once(createInterface({ input: child.stdout! }), 'line');
    const inUse = { code: 'MILLRACE_STORE_IN_USE', message: new RegExp(`process ${child.pid}$`) };
    await t.rejects(EmbeddedStore.open({ directory }), inUse);
    child.kill('SIGSTOP');
    await t.rejects(EmbeddedStore.open({ directory }), inUse, 'a stopped one is alive');
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    t.ok(
      readdirSync(directory).some((name) => name.startsWith('lock-')),
      'it left its lock',
    );
    const store = await EmbeddedStore.open({ directory });
    const own = { code: 'MILLRACE_STORE_IN_USE', message: new RegExp(`process ${process.pid}$`) };
    await t.rejects(EmbeddedStore.open({ directory }), own, 'not even within one process');
    await store.close();
    writeFileSync(join(directory, `lock-${process.pid}-abandoned`), '');
    writeFileSync(join(directory, `claim-${process.pid}-abandoned`), '');
    await (await EmbeddedStore.open({ directory })).close();
    t.notOk(existsSync(join(directory, `lock-${process.pid}-abandoned`)), 'a process id proves nothing');
    t.notOk(existsSync(join(directory, `claim-${process.pid}-abandoned`)), 'nor does a claim that nobody finished');
  }
});

void t.test('of many that open it at once, at most one gets it', async (t) => {
  const directory = join(t.testdir(), 'store');
  for (let round = 0; round < 10; round++) {
    const tried = await Promise.allSettled([1, 2, 3].map(() => EmbeddedStore.open({ directory })));
    const opened = tried.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    if (opened.length > 1) t.fail(`${opened.length} have it`);
    await Promise.all(opened.map((store) => store.close()));
  }
  await (await EmbeddedStore.open({ directory })).close();
  t.pass('ten rounds');
});
