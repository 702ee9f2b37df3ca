// Files that are confined to a directory: what counts as inside, and that nothing else is ever opened, also when links
// are exchanged meanwhile.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { confinedFileSystem, confinePath } from '../../../engine/connect/file/confine.js';
import { FileLines } from '../../../engine/connect/file/file-lines.js';
import { FileSink } from '../../../engine/connect/file/file-sink.js';
import { nodeFileSystem } from '../../../engine/connect/file/file-system.js';
import { builtins } from '../../../engine/connect/registry.js';
import { isMillraceError } from '../../../engine/errors.js';
import { drain, fakeContext, thrownBy, tupleOf } from './fakes.js';
import { Follower } from './follower.js';

const OUTSIDE = { code: 'MILLRACE_FILE_OUTSIDE', status: 400, fatal: true };

/** A root with files and links of all kinds; beside it what must not be reached. */
function house(t: Test): { readonly root: string; readonly outside: string } {
  const folder = t.testdir({
    root: { 'a.log': 'a\n', sub: { 'b.log': 'b\n' } },
    outside: { 'secret.log': 'secret\n' },
    'root-like': { 'secret.log': 'secret\n' },
  });
  const root = join(folder, 'root');
  const outside = join(folder, 'outside');
  symlinkSync('a.log', join(root, 'inner.log'));
  symlinkSync('sub', join(root, 'inner'));
  symlinkSync(join(outside, 'secret.log'), join(root, 'link.log'));
  symlinkSync(outside, join(root, 'away'));
  symlinkSync('../outside/made.log', join(root, 'dangling.log'));
  symlinkSync('dangling.log', join(root, 'twice.log'));
  symlinkSync('loop.log', join(root, 'loop.log'));
  symlinkSync(root, join(folder, 'door'));
  return { root, outside };
}

t.test('what is inside, and what is not', async (t) => {
  const { root, outside } = house(t);
  const inside = [
    'a.log',
    './a.log',
    'sub/b.log',
    'new.log',
    'sub/new.log',
    'no/such/file',
    'inner.log',
    'inner/b.log',
  ];
  for (const path of [...inside, '*.log', '**/*.log', 'sub/*', 'inner/*.log', '{a,b}.log', 'a@b.log']) {
    t.equal(confinePath(path, root), join(root, path), path);
  }
  t.equal(confinePath(join(root, 'a.log'), root), join(root, 'a.log'), 'an absolute path inside');
  t.equal(confinePath(join(root, '*.log'), root), join(root, '*.log'));
  const door = join(root, '../door');
  t.equal(confinePath('a.log', door), join(door, 'a.log'), 'a root that is a link itself');
  t.equal(confinePath(join(root, 'a.log'), door), join(root, 'a.log'));
  for (const path of [
    '..',
    '../outside/secret.log',
    'sub/../../outside/secret.log',
    'sub/../a.log',
    '..\\outside\\secret.log',
    '/etc/passwd',
    outside,
    join(root, '../root-like/secret.log'),
    'link.log',
    'away/secret.log',
    'away/new.log',
    'dangling.log',
    'twice.log',
    'loop.log',
    'a\0.log',
    '../**/*.log',
    'sub/../../outside/*.log',
    '{..,sub}/outside/*.log',
    '{sub,../outside}/*.log',
    '\\.\\./outside/*.log',
    '/etc/*',
    `${outside}/*`,
    'away/*.log',
    'away/**',
  ]) {
    t.match(
      thrownBy(() => confinePath(path, root)),
      OUTSIDE,
      JSON.stringify(path),
    );
  }
});

t.test('reading: links inside are followed, nothing outside is read, by name or by pattern', async (t) => {
  const { root } = house(t);
  const lines = async (path: string | string[]): Promise<unknown[]> => {
    const spout = new FileLines({ path });
    await spout.open({ ...fakeContext(), filesRoot: root });
    const all = drain(spout).map(({ values }) => values[0]);
    spout.close();
    return all;
  };
  t.strictSame(await lines(['a.log', 'inner.log', 'inner/b.log']), ['a', 'a', 'b']);
  t.strictSame(await lines('**/*.log'), ['a', 'b'], 'links are not searched');
  for (const path of ['link.log', 'away/*.log', '../outside/*.log', 'away/secret.log']) {
    await t.rejects(lines(path), OUTSIDE, path);
  }
});

t.test('following: a file that becomes a link to the outside is not followed there', async (t) => {
  const { root, outside } = house(t);
  const follower = await Follower.start(['a.log', 'later.log', '*/c.log'], { filesRoot: root });
  t.strictSame(follower.read(), ['a']);
  symlinkSync(join(outside, 'secret.log'), join(root, 'later.log'));
  mkdirSync(join(outside, 'sub'));
  writeFileSync(join(outside, 'c.log'), 'secret\n');
  t.strictSame(await follower.readAll(), []);
  writeFileSync(join(root, 'sub/c.log'), 'c\n');
  t.strictSame(await follower.readAll(), ['c']);
  follower.spout.close();
});

t.test('writing: nothing is made outside, not by a link that leads nowhere yet either', async (t) => {
  const { root, outside } = house(t);
  const prepare = (path: string): FileSink => {
    const sink = new FileSink({ path, fsync: false, rotateBytes: 1024 });
    sink.prepare({ ...fakeContext(), filesRoot: root });
    sink.activate();
    return sink;
  };
  for (const path of ['dangling.log', 'twice.log', 'link.log', 'away/made.log', '../outside/made.log']) {
    t.match(
      thrownBy(() => prepare(path)),
      OUTSIDE,
      path,
    );
  }
  t.equal(existsSync(join(outside, 'made.log')), false);
  t.equal(readFileSync(join(outside, 'secret.log'), 'utf8'), 'secret\n');
  const sink = prepare('sub/out.jsonl');
  for (let line = 0; line < 3; line++) sink.execute(tupleOf({ text: 'x'.repeat(800) }));
  void sink.endBatch();
  sink.close();
  for (const name of ['out.jsonl', 'out.1.jsonl', 'out.2.jsonl']) t.ok(existsSync(join(root, 'sub', name)), name);
});

t.test('the other calls keep inside, too', async (t) => {
  const { root, outside } = house(t);
  const system = confinedFileSystem(nodeFileSystem, root);
  for (const call of [
    () => system.rename('a.log', '../outside/a.log'),
    () => system.rename('away/secret.log', 'mine.log'),
    () => system.remove('away/secret.log'),
    () => system.list('away'),
    () => system.list('..'),
    () => system.syncNames('away/secret.log'),
    () => system.openToRead('link.log'),
  ]) {
    t.match(thrownBy(call), OUTSIDE);
  }
  t.equal(system.statPath('link.log'), null);
  t.equal(system.statPath('away'), null);
  t.equal(system.statPath('a.log')?.bytes, 2);
  t.equal(system.whole('a.log'), join(root, 'a.log'));
  system.remove('link.log');
  t.ok(existsSync(join(outside, 'secret.log')), 'a link is removed, not what it leads to');
});

t.test(
  'a directory that is exchanged for a link again and again: only what is inside is ever opened',
  { skip: process.platform === 'linux' ? false : 'needs /proc' },
  async (t) => {
    const { root, outside } = house(t);
    mkdirSync(join(root, 'turning'));
    writeFileSync(join(root, 'turning/secret.log'), 'inside\n');
    symlinkSync(outside, join(root, 'other'));
    const turn = `
      const { renameSync } = require('node:fs');
      process.stdout.write('turning');
      for (;;) {
        renameSync('turning', 'third'); renameSync('other', 'turning'); renameSync('third', 'other');
      }`;
    const child = spawn(process.execPath, ['--eval', turn], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve));
      const system = confinedFileSystem(nodeFileSystem, root);
      const seen = { inside: 0, outside: 0, refused: 0 };
      const buffer = Buffer.alloc(16);
      for (let attempt = 0; attempt < 5000; attempt++) {
        try {
          const file = system.openToRead('turning/secret.log');
          const text = buffer.toString('utf8', 0, system.read(file, buffer, 0, 16, 0));
          seen[text === 'inside\n' ? 'inside' : 'outside']++;
          system.close(file);
          system.close(system.openToWrite('turning/made.log', false));
        } catch (error) {
          if (!isMillraceError(error) && (error as { code?: string }).code !== 'ENOENT') throw error;
          seen.refused++;
        }
      }
      t.equal(seen.outside, 0, JSON.stringify(seen));
      t.equal(existsSync(join(outside, 'made.log')), false);
      t.ok(seen.inside > 0 && seen.refused > 0, `both happened: ${JSON.stringify(seen)}`);
    } finally {
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('close', resolve));
    }
  },
);

t.test('the types say which of their settings name files', async (t) => {
  const named = [...builtins.values()].filter(({ paths }) => paths !== undefined);
  t.strictSame(
    named.map(({ type, paths }) => [type, paths]),
    [
      ['file-lines', ['path']],
      ['file-sink', ['path']],
    ],
  );
});
