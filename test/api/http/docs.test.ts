// What docs/http.md shows is what happens: its curl commands are run by a shell, its program is compiled against the
// client and run, and its table of requests is that of the interface.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { bundleTopology } from '../../../api/bundle.js';
import { DEFAULT_HOST_URL } from '../../../api/cli/default-host.js';
import { blocksOf, pageOf } from '../../docs/blocks.js';
import { INGESTING } from '../fake-host.js';
import { ask, serve } from './served.js';

const run = promisify(execFile);
const page = pageOf('docs/http.md');

t.test('each curl command succeeds', async (t) => {
  const { url, host } = await serve(t);
  await host.submit({ document: INGESTING });
  const commands = blocksOf(page, 'sh').map((block) =>
    block.replaceAll(DEFAULT_HOST_URL, url).replaceAll('curl -s', 'curl -sS --fail-with-body'),
  );
  t.equal(commands.length, 8);
  const directory = t.testdir({});
  for (const command of commands) {
    const ended = await run('bash', ['-euc', command], { cwd: directory }).catch((error: unknown) => error);
    t.notOk(ended instanceof Error, command, { ended });
  }
  const known = [
    'submit',
    'submit',
    'submit',
    'list',
    'describe',
    'metrics',
    'measured',
    'rebalance',
    'deactivate',
    'activate',
    'kill',
    'ingest',
    'putArtifact',
    'submit',
  ];
  t.strictSame(host.calls, known);
  t.match(await host.list(), [
    { name: 'shout' },
    { name: 'ticks', version: '2', state: 'killed', reason: 'it is done' },
    { name: 'ticks', version: null, reason: 'replaced by version ticks-3' },
    { name: 'records' },
  ]);
});

t.test('the error is the one that is shown', async (t) => {
  const served = await serve(t);
  const [shown] = blocksOf(page, 'json');
  t.strictSame((await ask(served, '/api/v1/topologies/ticks')).json, JSON.parse(shown!));
});

t.test('the program runs', async (t) => {
  const { url, host } = await serve(t);
  await host.submit({ document: INGESTING });
  const [source] = blocksOf(page, 'ts');
  const file = join(t.testdir({}), 'program.ts');
  writeFileSync(file, source!.replaceAll(DEFAULT_HOST_URL, url));
  const bundle = await bundleTopology(file);
  t.teardown(bundle.dispose);
  t.equal((await run(process.execPath, [bundle.path])).stdout, 'active\n');
  t.ok(host.calls.includes('ingest'));
});

t.test('the table has every request', async (t) => {
  const served = await serve(t);
  const { json } = await ask(served, '/docs/json');
  const { paths } = json as { readonly paths: Readonly<Record<string, object>> };
  const known = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map(
      (method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase())}`,
    ),
  );
  const listed = [...page.matchAll(/^\| `(\w+ \/[^`]*)`/gm)].map((match) => match[1]!);
  t.strictSame(listed.toSorted(), known.toSorted());
});
