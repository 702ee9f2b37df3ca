// `millrace run` without threads: phases, signals, streams that break, and the order of what is written, with a run
// that does as it is told and time that stands still.

import t from 'tap';
import { runCommand, type RunRequest } from '../../../api/cli/run.js';
import { failure, toWire } from '../../../engine/errors.js';
import { FakeEnvironment, statusWith } from './fakes.js';

const REQUEST: RunRequest = {
  ...{ file: 'words.json', workers: null, processes: null },
  ...{ settings: {}, parameters: {}, json: false },
};
const JSON_REQUEST: RunRequest = { ...REQUEST, json: true };

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function running(request: RunRequest): Promise<{ environment: FakeEnvironment; exitCode: Promise<number> }> {
  const environment = new FakeEnvironment();
  const exitCode = runCommand(request, environment);
  await environment.running;
  environment.run.succeed();
  await turn();
  return { environment, exitCode };
}

function brokenPipe(code: string): Error {
  return Object.assign(new Error(`write ${code}`), { code });
}

t.test('parameters go to the run, and are checked before anything is read', async (t) => {
  const { environment, exitCode } = await running({ ...REQUEST, parameters: { limit: 3 } });
  t.strictSame(environment.options?.parameters, { limit: 3 });
  environment.run.end({ status: 'completed', error: null });
  t.equal(await exitCode, 0);
  const refusing = new FakeEnvironment();
  t.equal(await runCommand({ ...REQUEST, parameters: { '?': 1 } }, refusing), 1);
  t.match(refusing.stderr.text, /MILLRACE_PARAMETERS_INVALID/);
  t.equal(refusing.options, null);
});

t.test('a topology that completes', async (t) => {
  const { environment, exitCode } = await running(REQUEST);
  t.equal(environment.options?.workers, 3, 'as the topology says');
  await environment.options?.print('whale 1226');
  environment.run.end({ status: 'completed', error: null });
  t.equal(await exitCode, 0);
  t.equal(environment.stdout.text, 'whale 1226\n', 'data only');
  t.match(environment.stderr.text, /words completed after 1\.00 s on 1 worker\n\ncomponent +kind/);
  t.equal(environment.disposed, 1);
});

t.test('with --json standard output is JSON lines, the last one the summary', async (t) => {
  const { environment, exitCode } = await running({ ...JSON_REQUEST, workers: 2 });
  t.equal(environment.options?.workers, 2, 'as the command line says');
  await environment.options?.print('a "quoted" line');
  environment.pass(2000);
  const error = toWire(new Error('odd'));
  environment.run.current = statusWith({ errors: [{ component: 'split', task: 1, count: 1, atMs: 0, error }] });
  environment.run.end({ status: 'completed', error: null });
  t.equal(await exitCode, 0);
  await environment.options?.print('too late');
  const objects = environment.stdout.lines.map((line) => JSON.parse(line) as { type: string; line?: string });
  t.strictSame(
    objects.map(({ type }) => type),
    ['print', 'progress', 'progress', 'error', 'summary'],
  );
  t.equal(objects[0]?.line, 'a "quoted" line');
  t.match(objects.at(-1), { topology: 'words', status: 'completed', components: { split: { executed: 21_933 } } });
});

t.test('a topology that fails while it runs', async (t) => {
  const { environment, exitCode } = await running(JSON_REQUEST);
  const error = toWire(failure('MILLRACE_RUN_FILE_MISSING', { file: 'text', advice: 'look' }));
  environment.run.end({ status: 'failed', error });
  t.equal(await exitCode, 1, 'whatever the error is');
  t.match(environment.stderr.text, /words failed after .*\nhint: look\n$/s);
  t.match(JSON.parse(environment.stdout.lines.at(-1) ?? ''), {
    status: 'failed',
    error: { code: 'MILLRACE_RUN_FILE_MISSING' },
  });
});

t.test('a topology that does not start', async (t) => {
  const environment = new FakeEnvironment();
  const exitCode = runCommand(JSON_REQUEST, environment);
  await environment.running;
  environment.run.refuse(failure('MILLRACE_WORKER_START', { call: 'open', component: 'lines', reason: 'no' }));
  t.equal(await exitCode, 1);
  t.strictSame(environment.run.calls, ['start', 'kill'], 'no thread stays behind');
  t.equal(environment.disposed, 1);
  t.match(JSON.parse(environment.stdout.lines.at(-1) ?? ''), {
    topology: 'words',
    status: 'failed',
    error: { code: 'MILLRACE_WORKER_START' },
  });
});

t.test('a file that does not open, and a definition that cannot be read', async (t) => {
  const missing = new FakeEnvironment();
  missing.openError = failure('MILLRACE_RUN_FILE_MISSING', { file: 'words.json', advice: 'look' });
  t.equal(await runCommand(JSON_REQUEST, missing), 3);
  t.match(JSON.parse(missing.stdout.text), { type: 'summary', topology: null, status: 'failed', components: {} });
  const wrong = new FakeEnvironment();
  wrong.read = async () =>
    await Promise.reject(failure('MILLRACE_TOPOLOGY_INVALID', { topology: 'words', count: 1, list: '' }));
  t.equal(await runCommand(JSON_REQUEST, wrong), 1);
  t.match(JSON.parse(wrong.stdout.text), { topology: 'words', status: 'failed' });
  t.equal(wrong.disposed, 1);
});

t.test('Ctrl-C drains; what arrives twice is one; a second one stops, a third one leaves', async (t) => {
  const { environment, exitCode } = await running(REQUEST);
  environment.run.isStubborn = true;
  environment.signal('SIGINT');
  environment.signal('SIGINT');
  t.strictSame(environment.run.calls, ['start', 'drain']);
  t.notMatch(environment.stderr.text, 'draining');
  environment.pass(100);
  t.match(environment.stderr.text, /draining, press Ctrl-C again to stop\n$/);
  environment.run.kill = async () => await Promise.resolve(void environment.run.calls.push('kill'));
  environment.signal('SIGINT');
  t.strictSame(environment.run.calls, ['start', 'drain', 'kill']);
  environment.pass(100);
  environment.signal('SIGTERM');
  t.strictSame(environment.exits, [130]);
  environment.run.end({ status: 'killed', error: null });
  t.equal(await exitCode, 130);
  t.match(environment.stderr.text, 'words killed after');
});

t.test('SIGTERM and SIGHUP drain too, with exit codes of their own', async (t) => {
  for (const [signal, expected] of [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    const { environment, exitCode } = await running(JSON_REQUEST);
    environment.signal(signal);
    t.equal(await exitCode, expected);
    t.strictSame(environment.run.calls, ['start', 'drain']);
    t.match(JSON.parse(environment.stdout.text), { status: 'killed', error: null });
  }
});

t.test('a topology that completes although it was asked to end is completed', async (t) => {
  const { environment, exitCode } = await running(REQUEST);
  environment.run.isStubborn = true;
  environment.signal('SIGINT');
  environment.run.end({ status: 'completed', error: null });
  t.equal(await exitCode, 0);
});

t.test('a signal while the definition is read ends the reading', async (t) => {
  const environment = new FakeEnvironment();
  environment.read = (_source, { signal }) =>
    new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));
  const exitCode = runCommand(JSON_REQUEST, environment);
  await turn();
  environment.signal('SIGTERM');
  t.equal(await exitCode, 143);
  t.equal(environment.options, null, 'nothing was started');
  t.equal(environment.disposed, 1);
  t.match(JSON.parse(environment.stdout.text), {
    topology: 'words',
    status: 'killed',
    error: { code: 'MILLRACE_RUN_INTERRUPTED' },
  });
});

t.test('a signal while the file is opened is heeded after it', async (t) => {
  const environment = new FakeEnvironment();
  environment.read = async () => await Promise.reject(new Error('it was read'));
  const exitCode = runCommand(REQUEST, environment);
  environment.signal('SIGINT');
  t.equal(await exitCode, 130);
  t.equal(environment.disposed, 1);
});

t.test('a signal while the topology is starting kills it', async (t) => {
  const environment = new FakeEnvironment();
  const exitCode = runCommand(JSON_REQUEST, environment);
  await environment.running;
  environment.signal('SIGTERM');
  t.equal(await exitCode, 143);
  t.match(environment.run.calls, ['start', 'kill']);
  t.match(JSON.parse(environment.stdout.text), { status: 'killed', error: { code: 'MILLRACE_RUN_INTERRUPTED' } });
});

t.test('a topology that cannot be stopped while it is starting is left at the second signal', async (t) => {
  const environment = new FakeEnvironment();
  environment.run.kill = async () => await environment.run.started;
  const exitCode = runCommand(REQUEST, environment);
  await environment.running;
  environment.signal('SIGTERM');
  environment.pass(100);
  t.match(environment.stderr.text, 'stopping, press Ctrl-C again to leave at once');
  t.strictSame(environment.exits, []);
  environment.signal('SIGINT');
  t.strictSame(environment.exits, [143]);
  environment.run.end({ status: 'killed', error: null });
  environment.run.succeed();
  t.equal(await exitCode, 143);
});

t.test('print waits for room', async (t) => {
  const { environment, exitCode } = await running(REQUEST);
  environment.stdout.isFull = true;
  const written: string[] = [];
  const prints = ['a', 'b'].map(async (line) => {
    await environment.options?.print(line);
    written.push(line);
  });
  await turn();
  t.strictSame(written, []);
  environment.stdout.drain();
  await Promise.all(prints);
  t.strictSame(written, ['a', 'b']);
  environment.run.end({ status: 'completed', error: null });
  t.equal(await exitCode, 0);
});

t.test('who read standard output has left: it drains and ends quietly', async (t) => {
  const { environment, exitCode } = await running(REQUEST);
  environment.stdout.isFull = true;
  const waiting = environment.options?.print('a');
  environment.stdout.fail(brokenPipe('EPIPE'));
  environment.stdout.fail(brokenPipe('EPIPE'));
  await waiting;
  await environment.options?.print('b');
  t.equal(await exitCode, 0);
  t.strictSame(environment.run.calls, ['start', 'drain']);
  t.match(environment.stderr.text, /^words runs: [^\n]+\n$/);
  t.equal(environment.stdout.text, 'a\n');
});

t.test('… and when that takes too long it is stopped', async (t) => {
  const { environment, exitCode } = await running(REQUEST);
  environment.run.isStubborn = true;
  environment.stdout.fail(brokenPipe('EPIPE'));
  environment.pass(5000);
  t.equal(await exitCode, 0);
  t.strictSame(environment.run.calls, ['start', 'drain', 'kill']);
});

t.test('a disk that is full under standard output is a failure', async (t) => {
  const { environment, exitCode } = await running(REQUEST);
  environment.stdout.failure = brokenPipe('ENOSPC');
  await environment.options?.print('a');
  t.equal(await exitCode, 1);
  t.strictSame(environment.run.calls, ['start', 'drain']);
  t.match(environment.stderr.text, 'error MILLRACE_CLI_OUTPUT: standard output could not be written: write ENOSPC');
});

t.test('the progress line is on terminals only, and out of the way of everything else', async (t) => {
  const environment = new FakeEnvironment();
  environment.stderr.isTTY = true;
  environment.stdout.isTTY = true;
  environment.stderr.columns = 40;
  const exitCode = runCommand(REQUEST, environment);
  await environment.running;
  environment.run.succeed();
  await turn();
  environment.pass(250);
  t.equal(environment.stderr.text.split('\n').at(-1), '\r\u001b[Kwords  0 tuples/s  acked 21,930');
  environment.stderr.text = '';
  await environment.options?.print('a');
  t.equal(environment.stderr.text, '\r\u001b[K', 'wiped before a line that is printed');
  environment.options?.logger.warn('look');
  environment.options?.logger.debug('not this');
  t.equal(environment.stderr.text, '\r\u001b[Kwarning: look\n', 'and wiped once');
  environment.run.end({ status: 'completed', error: null });
  t.equal(await exitCode, 0);
});
