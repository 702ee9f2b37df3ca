// Files that documents from outside name: refused without a directory for them, kept inside of it with one. What the
// program itself submits may name any file.

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Problem } from '../../../engine/errors.js';
import type { HostService } from '../../../api/host/service.js';
import { startHost, untilWish } from './hosts.js';

t.setTimeout(60_000);

function copying(from: unknown, to: unknown): object {
  return {
    name: 'copying',
    spouts: { lines: { type: 'file-lines', config: { path: from } } },
    bolts: {
      out: { type: 'file-sink', config: { path: to }, inputs: [{ from: 'lines', grouping: 'shuffle' }] },
    },
  };
}

/** The problems that it is refused with, as `path code`. */
async function refusals(service: HostService, document: object, settings = {}): Promise<readonly string[]> {
  const error = await service.submit({ document, settings }).then(
    () => null,
    (thrown: unknown) => thrown as { readonly code: string; readonly problems: readonly Problem[] },
  );
  return error?.problems.map(({ path, code }) => `${path} ${code}`).sort() ?? ['none'];
}

async function confined(t: Test) {
  const directory = t.testdir({
    files: { 'in.txt': 'a\nb\n', inner: { 'in.txt': 'c\n' } },
    outside: { 'secret.txt': 's\n' },
  });
  const files = join(directory, 'files');
  symlinkSync(join(directory, 'outside'), join(files, 'link'));
  symlinkSync(join(directory, 'outside', 'secret.txt'), join(files, 'secret.txt'));
  symlinkSync(join(directory, 'outside', 'made.txt'), join(files, 'made.txt'));
  const { host } = await startHost(t, { filesDirectory: files });
  return { directory, files, host };
}

t.test('without a directory every path is refused', async (t) => {
  const { host } = await startHost(t);
  t.strictSame(await refusals(host.service, copying(['a.txt', 'b/*.txt'], 'c.jsonl')), [
    'bolts.out.config.path MILLRACE_FILE_REFUSED',
    'spouts.lines.config.path[0] MILLRACE_FILE_REFUSED',
    'spouts.lines.config.path[1] MILLRACE_FILE_REFUSED',
  ]);
  t.strictSame(await refusals(host.service, copying('a.txt', 'c.jsonl'), { 'lines.path': 'x.txt' }), [
    'bolts.out.config.path MILLRACE_FILE_REFUSED',
    'settings["lines.path"] MILLRACE_FILE_REFUSED',
  ]);
  t.strictSame(await host.service.list(), []);
});

t.test('with one, what leads out of it is refused', async (t) => {
  const { directory, host } = await confined(t);
  for (const path of [
    '../outside/secret.txt',
    'inner/../../outside/secret.txt',
    join(directory, 'outside', 'secret.txt'),
    'link/secret.txt',
    'link/*.txt',
    '../*/secret.txt',
    'secret.txt',
  ]) {
    t.strictSame(
      await refusals(host.service, copying(path, 'out.jsonl')),
      ['spouts.lines.config.path MILLRACE_FILE_OUTSIDE'],
      path,
    );
  }
  for (const path of ['../out.jsonl', 'link/out.jsonl', 'made.txt', '/etc/out.jsonl']) {
    t.strictSame(
      await refusals(host.service, copying('in.txt', path)),
      ['bolts.out.config.path MILLRACE_FILE_OUTSIDE'],
      path,
    );
  }
  t.strictSame(await refusals(host.service, copying('in.txt', 'out.jsonl'), { 'out.path': '../out.jsonl' }), [
    'settings["out.path"] MILLRACE_FILE_OUTSIDE',
  ]);
});

t.test('inside works, and what becomes a link later does not', async (t) => {
  const { directory, files, host } = await confined(t);
  await host.service.submit({ document: copying(['in.txt', 'inner/*.txt'], 'inner/out.jsonl') });
  await untilWish(host, 'copying', () => false);
  t.match(await host.service.describe('copying'), { state: 'completed', components: { out: { executed: 3 } } });
  t.equal(readFileSync(join(files, 'inner', 'out.jsonl'), 'utf8'), '{"line":"a"}\n{"line":"b"}\n{"line":"c"}\n');

  mkdirSync(join(files, 'later'));
  writeFileSync(join(files, 'later', 'in.txt'), 'd\n');
  await host.service.submit({ document: copying('absent/in.txt', 'out.jsonl'), active: false });
  symlinkSync(join(directory, 'outside'), join(files, 'absent'));
  writeFileSync(join(directory, 'outside', 'in.txt'), 'e\n');
  await host.service.activate('copying');
  await untilWish(host, 'copying', () => false);
  t.match(await host.service.describe('copying'), { state: 'failed', reason: /absent\/in\.txt/ });
});

t.test('what the program submits itself may name any file', async (t) => {
  const { directory, host } = await confined(t);
  const to = join(directory, 'outside', 'out.jsonl');
  const running = await host.submit(copying(join(directory, 'outside', 'secret.txt'), to));
  t.match(await running.completed, { status: 'completed' });
  t.equal(readFileSync(to, 'utf8'), '{"line":"s"}\n');
});

t.test('mistakes of files stand beside all others', async (t) => {
  const { host } = await confined(t);
  const document = {
    name: 'five mistakes',
    config: { workers: 0 },
    spouts: { 'the lines': { type: 'file-lines', config: { path: '../a.txt' } } },
    bolts: { out: { type: 'file-sink', config: { path: '../b.txt' }, inputs: [{ from: 'nobody' }] } },
  };
  const problems = await refusals(host.service, document);
  t.comment(problems.join('; '));
  t.match(problems.join('\n'), /bolts\.out\.config\.path MILLRACE_FILE_OUTSIDE/);
  t.match(problems.join('\n'), /spouts\["the lines"\]\.config\.path MILLRACE_FILE_OUTSIDE/);
  t.ok(problems.length >= 5, `${problems.length} problems`);
});
