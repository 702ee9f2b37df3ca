// Directories are made with those above them, by several at a time, and never tried for ever.

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeDirectory } from '../../coordination/make-directory.js';

t.test('makes those above it, also when several do at once', async (t) => {
  const path = join(t.testdir(), 'a', 'b', 'c');
  await Promise.all([makeDirectory(path), makeDirectory(path), makeDirectory(join(path, 'd'))]);
  await makeDirectory(path);
  t.ok(existsSync(join(path, 'd')));
});

t.test('a file in its place, or above it, is an error', async (t) => {
  const file = join(t.testdir(), 'file');
  writeFileSync(file, '');
  await t.rejects(makeDirectory(file), { code: 'EEXIST' });
  await t.rejects(makeDirectory(join(file, 'below')), { code: 'ENOTDIR' });
});

t.test(
  'a file system that refuses it as missing ends it with an error',
  { skip: !existsSync('/proc/self') },
  async (t) => {
    await t.rejects(makeDirectory('/proc/millrace/data'), { code: 'ENOENT' });
  },
);
