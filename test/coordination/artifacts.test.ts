// User code by its hash: what is there under a name is whole and hashes to it.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Artifacts } from '../../coordination/artifacts/artifacts.js';

const hashOf = (content: string): string => createHash('sha256').update(content).digest('hex');

async function* chunks(content: string, size = 3): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield Buffer.from(content.slice(at, at + size));
}

void t.test('an artifact is put once, found, and deleted when it was unused twice', async (t) => {
  const directory = join(t.testdir(), 'artifacts');
  const artifacts = await Artifacts.open({ directory });
  const sha256 = hashOf('export default 1;');
  t.equal(await artifacts.has(sha256), false);
  await t.rejects(artifacts.fileOf(sha256), { code: 'MILLRACE_ARTIFACT_UNKNOWN', status: 404 });
  t.strictSame(await artifacts.put(sha256, chunks('export default 1;')), { sha256, bytes: 17, created: true });
  t.strictSame(await artifacts.put(sha256, chunks('export default 1;')), { sha256, bytes: 17, created: false });
  const file = await artifacts.fileOf(sha256);
  t.equal(readFileSync(file, 'utf8'), 'export default 1;');
  t.match(await import(file), { default: 1 }, 'it can be imported');
  t.strictSame(readdirSync(directory), [`${sha256}.mjs`]);
  t.strictSame(await artifacts.removeUnused(new Set()), [], 'it may have just been put');
  await artifacts.put(sha256, chunks('export default 1;'));
  t.strictSame(await artifacts.removeUnused(new Set()), [], 'and put again');
  t.strictSame(await artifacts.removeUnused(new Set([sha256])), []);
  t.strictSame(await artifacts.removeUnused(new Set()), []);
  t.strictSame(await artifacts.removeUnused(new Set()), [sha256]);
  t.equal(await artifacts.has(sha256), false);
});

void t.test('what is wrong with it leaves nothing behind', async (t) => {
  const directory = t.testdir();
  const artifacts = await Artifacts.open({ directory, bytesMax: 10 });
  const sha256 = hashOf('right');
  await t.rejects(artifacts.put(sha256, chunks('wrong')), {
    code: 'MILLRACE_ARTIFACT_HASH',
    status: 400,
    message: new RegExp(hashOf('wrong')),
  });
  await t.rejects(artifacts.put(hashOf('x'.repeat(11)), chunks('x'.repeat(11))), {
    code: 'MILLRACE_ARTIFACT_TOO_LARGE',
    status: 413,
  });
  for (const name of ['', 'x', sha256.toUpperCase(), `../${sha256}`, `${sha256}0`]) {
    await t.rejects(artifacts.put(name, chunks('')), { code: 'MILLRACE_ARTIFACT_NAME', status: 400 });
    await t.rejects(artifacts.has(name), { code: 'MILLRACE_ARTIFACT_NAME' });
  }
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('ri');
    throw new Error('the client is gone');
  };
  await t.rejects(artifacts.put(sha256, broken()), { message: 'the client is gone' });
  const refusal = new Error('not JavaScript');
  await t.rejects(
    artifacts.put(sha256, chunks('right'), async (path) => {
      t.equal(readFileSync(path, 'utf8'), 'right');
      throw refusal;
    }),
    refusal,
  );
  t.strictSame(readdirSync(directory), []);
});

void t.test('many at once, left-overs, and a directory that is gone', async (t) => {
  const directory = t.testdir({ 'other.txt': 'stays' });
  const sha256 = hashOf('same');
  const leftOver = `${sha256}.00000000-0000-0000-0000-000000000000.part`;
  writeFileSync(join(directory, leftOver), 'sa');
  const artifacts = await Artifacts.open({ directory });
  t.strictSame(readdirSync(directory), ['other.txt']);
  await Promise.all(Array.from({ length: 20 }, () => artifacts.put(sha256, chunks('same', 1))));
  t.strictSame(readdirSync(directory).sort(), [`${sha256}.mjs`, 'other.txt'].sort());
  const { rmSync } = await import('node:fs');
  rmSync(directory, { recursive: true });
  await t.rejects(artifacts.put(sha256, chunks('same')), { code: 'MILLRACE_ARTIFACT_WRITE', message: /ENOENT/ });
});
