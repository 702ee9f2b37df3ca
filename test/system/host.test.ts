// `millrace host` as a process, as somebody meets it who has just started it: a first topology as JSON, one of their
// own in TypeScript, mistakes in a document, and what it says when it cannot start.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { millrace, summaryIn } from '../api/cli/command.js';
import { HostCommand, poll, untilState } from './host-command.js';
import { SHOUT } from './host-topologies.js';

t.setTimeout(120_000);

const root = fileURLToPath(new URL('../../../', import.meta.url));
const TEXT = readFileSync(join(root, 'LICENSE'), 'utf8').replaceAll(/[^\x20-\x7e\n]/g, ' ');
const WORD_COUNT = JSON.parse(readFileSync(join(root, 'examples/word-count.json'), 'utf8')) as object;

async function post(url: string, body: unknown): Promise<{ readonly status: number; readonly body: unknown }> {
  const reply = await fetch(`${url}/api/v1/topologies`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: reply.status, body: await reply.json() };
}

/** The claims on a data directory; a dead one does no harm, a clean end leaves none. */
function locksIn(directory: string): readonly string[] {
  return readdirSync(join(directory, 'data', 'store')).filter((name) => /^(lock|claim)-/.test(name));
}

t.test('the word count as JSON: posted, its counts seen, killed', async (t) => {
  const directory = t.testdir({ files: { 'moby-dick.txt': TEXT } });
  const host = await HostCommand.listening(t, directory, ['--data', 'data', '--files', 'files']);
  const words = TEXT.toLowerCase().match(/[a-z']+/g) ?? [];
  const posted = await post(host.url, { ...WORD_COUNT, settings: { 'lines.follow': true } });
  t.match(posted, { status: 201, body: { name: 'word-count', workers: 1 } });
  const again = await post(host.url, WORD_COUNT);
  t.match(again, { status: 409, body: { code: 'MILLRACE_TOPOLOGY_EXISTS', message: /"word-count"/ } });
  await poll(async () => {
    const { components } = await host.client.describe('word-count');
    return components['out']?.executed === words.length && components['lines']!.acked === components['lines']!.emitted;
  });
  const killed = await host.client.kill('word-count', { waitMs: 0, reason: 'seen enough' });
  t.match(killed.name, 'word-count');
  const last = await untilState(host.client, 'word-count', ['killed']);
  t.match(last, { reason: 'seen enough', openTrees: 0, components: { count: { executed: words.length } } });
  const lines = readFileSync(join(directory, 'files', 'counts.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  const counts = new Map(lines.map((line) => Object.values(JSON.parse(line) as object) as [string, number]));
  const expected = new Map<string, number>();
  for (const word of words) expected.set(word, (expected.get(word) ?? 0) + 1);
  t.strictSame([...counts].sort(), [...expected].sort());
  t.equal((await post(host.url, WORD_COUNT)).status, 201, 'its name is free again');
  await untilState(host.client, 'word-count', ['completed']);
  t.match(await host.stop(), { exitCode: 0 });
  t.strictSame([locksIn(directory), host.leftovers], [[], []], 'nothing is left');
});

t.test('a document with five mistakes gives five problems', async (t) => {
  const directory = t.testdir({ files: {} });
  const host = await HostCommand.listening(t, directory, ['--files', 'files']);
  const { status, body } = await post(host.url, {
    name: 'wrong',
    config: { messageTimeout: 'soon' },
    spouts: { lines: { type: 'file-lines', config: { path: '../secret.txt' } } },
    bolts: {
      split: { type: 'splitwords', inputs: [{ from: 'lines', grouping: 'shuffle' }] },
      count: { type: 'count', parallelism: 0, inputs: [{ from: 'lines', grouping: 'fields', fields: ['line'] }] },
      out: { type: 'log', inputs: [{ from: 'cuont', grouping: 'shuffle' }] },
    },
  });
  t.match([status, (body as { code: string }).code], [400, 'MILLRACE_TOPOLOGY_INVALID']);
  const { problems } = body as { readonly problems: readonly { readonly path: string; readonly code: string }[] };
  t.strictSame(problems.map(({ path }) => path).sort(), [
    'bolts.count.parallelism',
    'bolts.out.inputs[0].from',
    'bolts.split.type',
    'config.messageTimeout',
    'spouts.lines.config.path',
  ]);
  t.strictSame(await host.client.list(), [], 'nothing was kept');
});

t.test('submit, list, describe and kill a TypeScript topology', async (t) => {
  const directory = t.testdir({ 'shout.ts': SHOUT });
  const host = await HostCommand.listening(t, directory, ['--data', 'data']);
  const at = ['--host', host.url];
  t.match(await millrace(directory, ['submit', 'shout.ts', ...at]), { exitCode: 0, stdout: 'shout\n' });
  await host.client.ingest('shout', 'words', { text: 'there she blows' });
  await host.says(/^\{"text":"THERE SHE BLOWS!"\}$/m);
  const listed = await millrace(directory, ['list', '--json', ...at]);
  t.match(summaryIn(listed), { name: 'shout', state: 'active', tasks: 4 });
  const described = await millrace(directory, ['describe', 'shout', '--json', ...at]);
  t.match(summaryIn(described), { components: { shout: { executed: 1 }, words: { acked: 1 } } });
  const killed = await millrace(directory, ['kill', 'shout', '--wait', '0', ...at]);
  t.equal(killed.exitCode, 0);
  await untilState(host.client, 'shout', ['killed']);
  t.match(await millrace(directory, ['describe', 'nobody', ...at]), { exitCode: 3, stderr: /"nobody"/ });
});

t.test('a port in use, a data directory in use, and wrong arguments', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.teardown(() => other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as AddressInfo;
  const directory = t.testdir({});
  const host = await HostCommand.listening(t, directory, ['--data', 'data']);
  const end = async (...args: readonly string[]) => {
    const { exitCode, stdout, stderr } = await millrace(directory, ['host', ...args]);
    return { exitCode, stdout, stderr };
  };
  t.match(await end('--listen', `127.0.0.1:${port}`), {
    exitCode: 1,
    stdout: '',
    stderr: new RegExp(`^error MILLRACE_API_PORT_IN_USE: .*127\\.0\\.0\\.1:${port}[^]*\nhint: `),
  });
  t.match(await end('--listen', '127.0.0.1:0', '--data', 'data'), {
    exitCode: 1,
    stderr: new RegExp(`^error MILLRACE_STORE_IN_USE: .* by process ${host.childPid}`),
  });
  const told = await end('--listen', `127.0.0.1:${port}`, '--json');
  t.match(summaryIn(told), { type: 'error', error: { code: 'MILLRACE_API_PORT_IN_USE' } });
  t.match(await end('--listen', '0.0.0.0:0'), { exitCode: 2, stderr: /MILLRACE_API_LISTEN_ADDRESS/ });
  t.match(await end('--listen', '127.0.0.1:0', '--files', 'nowhere'), { exitCode: 3, stderr: /MILLRACE_HOST_FILES/ });
  t.match(await end('--slots', '0'), { exitCode: 2 });
  writeFileSync(join(directory, 'file'), '');
  t.match(await end('--listen', '127.0.0.1:0', '--data', 'file'), { exitCode: 1, stderr: /MILLRACE_STORE_DIRECTORY/ });
  t.match(await host.client.health(), { status: 'ok' }, 'the first one goes on');
  t.strictSame(readdirSync(join(directory, 'temporary')), [], 'no temporary file stays behind');
});
