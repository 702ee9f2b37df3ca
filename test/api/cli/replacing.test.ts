// `millrace submit FILE --replace` against a server over a fake host: the steps that it tells, its ends, and what list
// and describe show meanwhile.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { describeCommand } from '../../../api/cli/describe.js';
import { listCommand } from '../../../api/cli/list.js';
import { submitCommand, type SubmitRequest } from '../../../api/cli/submit.js';
import { failure } from '../../../engine/errors.js';
import { REPLACE_LOOKS_MAX } from '../../../engine/limits.js';
import { INGESTING, type FakeHost } from '../fake-host.js';
import { serve } from '../http/served.js';
import { NUMBERS } from '../modules.js';
import { passUntil, Place } from './place.js';

const plain = { host: null, json: false };
const json = { host: null, json: true };
const REPLACING: Omit<SubmitRequest, 'file'> = { settings: {}, active: true, wait: false, replace: true };

interface Run {
  readonly host: FakeHost;
  readonly file: string;
  readonly place: Place;
  readonly again: () => Place;
}

async function start(t: Test): Promise<Run> {
  const { host, url } = await serve(t);
  const file = fileWith(t, 'next.json', { ...INGESTING, version: '2' });
  return { host, file, place: new Place(url), again: () => new Place(url) };
}

function fileWith(t: Test, name: string, content: unknown): string {
  mkdirSync(t.testdirName, { recursive: true });
  const file = join(t.testdirName, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

async function shown(command: (place: Place) => Promise<number>, place: Place): Promise<string> {
  t.equal(await command(place), 0);
  return place.stdout.text;
}

t.test('each step is told, and both versions at the end', async (t) => {
  const { host, file, place, again } = await start(t);
  await host.submit({ document: { ...INGESTING, version: '1' } });
  const request = { ...REPLACING, file, settings: { 'out.parallelism': 2 } };
  t.equal(await passUntil(place, submitCommand(request, plain, place)), 0);
  t.equal(place.stdout.text, 'records\n');
  const [old, next] = ['1 (records-1)', '2 (records-2)'];
  t.strictSame(place.stderr.lines, [
    `records: version ${next} gets its slots beside ${old}`,
    `records: version ${next} is made ready beside ${old}`,
    `records: version ${next} is ready; the spouts of ${old} let go`,
    `records: the spouts of ${old} have let go; those of ${next} are opened`,
    `records: version ${next} is open; the bolts of ${old} finish`,
    `records: replaced version ${old} by ${next}`,
  ]);
  t.match(await host.describe('records'), { id: 'records-2', tasks: 3, replaces: 'records-1' });
  t.match(
    await shown(async (place) => await describeCommand('records', plain, place), again()),
    /\nsubmitted .* as records-2, version 2, in the place of records-1\n/,
  );
  const lines = again();
  const unnamed = fileWith(t, 'unnamed.json', INGESTING);
  t.equal(await passUntil(lines, submitCommand({ ...REPLACING, file: unnamed }, json, lines)), 0);
  t.match(lines.objects, [{ name: 'records', id: 'records-3', version: null, replaces: 'records-2' }]);
  t.equal(lines.stderr.lines.length, 5, 'what it does is talk, also with --json');
});

t.test('a module, and the end of what replaces with --wait', async (t) => {
  const { host, place } = await start(t);
  const file = fileWith(t, 'numbers.ts', NUMBERS);
  await host.submit({ document: { ...INGESTING, name: 'numbers' } });
  const describe = host.describe.bind(host);
  let looks = 0;
  host.describe = async (name) => {
    looks++;
    if (looks === 3) host.end(name, 'completed', null);
    return await describe(name);
  };
  t.equal(await passUntil(place, submitCommand({ ...REPLACING, wait: true, file }, plain, place)), 0);
  t.strictSame(host.calls.slice(0, 3), ['submit', 'putArtifact', 'beginReplacement']);
  t.match(place.stderr.text, /: replaced version numbers-1 by numbers-2\n[^]*numbers completed after/);
});

t.test('list and describe show how far it is, and what was refused', async (t) => {
  const { host, file, place, again } = await start(t);
  await host.submit({ document: INGESTING });
  const { list } = host;
  const known = async () => (await list.call(host))[0]!;
  await host.beginReplacement({ document: { ...INGESTING, version: '2' } });
  const texts: string[] = [];
  for (let steps = 0; steps < 5; steps++) {
    const now = await known();
    host.list = async () => await Promise.resolve([now]);
    const listed = await shown(async (place) => await listCommand(plain, place), again());
    texts.push(listed.split('\n')[1]!.split('records-1  ')[1]!);
  }
  const about = 'version 2 (records-2) replaces it, 2 tasks on 1 worker';
  t.strictSame(texts, [
    `fake; ${about}: getting its slots`,
    `fake; ${about} on other: its bolts are made ready`,
    `fake; ${about} on other: the spouts of the one before let go`,
    `fake; ${about} on other: its spouts are opened`,
    `fake; ${about} on other: the bolts of the one before finish`,
  ]);
  host.list = list;
  await host.beginReplacement({ document: INGESTING });
  t.match(
    await shown(async (place) => await describeCommand('records', plain, place), again()),
    '\non fake, which leads: worker 0 in slot 0\nversion records-3 replaces it, 2 tasks on 1 worker: getting its slots\n',
  );
  const busy = again();
  t.equal(await submitCommand({ ...REPLACING, file }, json, busy), 1);
  t.match(busy.objects, [{ type: 'error', error: { code: 'MILLRACE_REPLACE_BUSY' } }]);
  host.replacementError = failure('MILLRACE_REPLACE_FAILED', { topology: 'records', reason: 'it throws' });
  for (let steps = 0; steps < 5; steps++) await known();
  const refused =
    'version records-3 did not replace it: MILLRACE_REPLACE_FAILED: topology "records" is not replaced: the new version does not start: it throws';
  t.match(await shown(async (place) => await listCommand(plain, place), again()), `fake; ${refused}\n`);
  t.match(
    await shown(async (place) => await describeCommand('records', plain, place), place),
    `\n${refused}\n  the version before goes on; mend the new one`,
  );
});

t.test('a refusal is told with its reason and hint', async (t) => {
  const { host, file, place, again } = await start(t);
  const none = again();
  t.equal(await submitCommand({ ...REPLACING, file }, plain, none), 3);
  t.match(
    none.stderr.text,
    /^error MILLRACE_REPLACE_UNKNOWN: there is no topology "records" to be replaced\nhint: .*millrace list/,
  );
  await host.submit({ document: INGESTING });
  host.replacementError = failure('MILLRACE_REPLACE_FAILED', { topology: 'records', reason: 'the port is taken' });
  t.equal(await passUntil(place, submitCommand({ ...REPLACING, file }, plain, place)), 1);
  t.match(
    place.stderr.text,
    /\nerror MILLRACE_REPLACE_FAILED: .*: the port is taken\n[^]*hint: the version before goes on.*\n$/,
  );
  t.equal(place.stdout.text, '');
  host.replacementError = new TypeError('x is not a function');
  const odd = again();
  t.equal(await passUntil(odd, submitCommand({ ...REPLACING, file }, json, odd)), 1);
  t.match(odd.objects, [{ type: 'error', error: { name: 'TypeError', code: null } }]);
});

t.test('the host that is asked may be away, and may lag; what ended is not replaced', async (t) => {
  const { host, file, place, again } = await start(t);
  await host.submit({ document: INGESTING });
  const { list } = host;
  const before = await host.list();
  let looks = 0;
  host.list = async () => {
    looks++;
    if (looks === 2) throw failure('MILLRACE_API_CLOSING', {});
    return looks === 3 ? before : await list.call(host);
  };
  t.equal(await passUntil(place, submitCommand({ ...REPLACING, file }, plain, place)), 0);
  t.match(place.stderr.text, /beside records-1\nthe host at .* is away; waiting for it\n[^]*: replaced version/);

  const over = again();
  host.list = async () => (await list.call(host)).map((each) => ({ ...each, state: 'completed', replacement: null }));
  t.equal(await passUntil(over, submitCommand({ ...REPLACING, file }, json, over)), 1);
  t.match(over.objects, [{ error: { code: 'MILLRACE_REPLACE_ENDED', message: /it is completed$/ } }]);
  for (let steps = 0; steps < 5; steps++) await list.call(host);
  const gone = again();
  looks = 0;
  host.list = async () => {
    looks++;
    return await Promise.resolve([]);
  };
  t.equal(await passUntil(gone, submitCommand({ ...REPLACING, file }, json, gone)), 1);
  t.match(gone.objects, [{ error: { code: 'MILLRACE_REPLACE_ENDED', message: /it is gone$/ } }]);
  t.equal(looks, REPLACE_LOOKS_MAX);
});

t.test('Ctrl-C ends the command, not the replacement', async (t) => {
  const { host, file, place } = await start(t);
  await host.submit({ document: INGESTING });
  const { list } = host;
  let looks = 0;
  host.list = async () => {
    looks++;
    if (looks === 3) place.signal('SIGINT');
    return await list.call(host);
  };
  t.equal(await passUntil(place, submitCommand({ ...REPLACING, file }, plain, place)), 130);
  t.match(place.stderr.text, /\nthe replacement of records goes on; millrace describe records shows how far it is\n$/);
  for (let steps = 0; steps < 5; steps++) await list.call(host);
  t.match(await host.describe('records'), { id: 'records-2' });
});
