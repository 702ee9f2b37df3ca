// One topology in two processes, as a user starts them: the same results as in one, nothing lost when a member is
// killed, and whatever is wrong with the processes is told.

import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { millrace, type Ended, type Started } from '../api/cli/command.js';

t.setTimeout(120_000);

const EXAMPLE = fileURLToPath(new URL('../../../examples/word-count.ts', import.meta.url));

/** Passes 4,000 numbers through a bolt of the member, which kills its process once, and collects them in the lead. */
const NUMBERS = `
import { existsSync, writeFileSync } from 'node:fs';
import { topology, Bolt } from 'millrace';

function* numbers() {
  for (let n = 0; n < 4_000; n++) yield [n];
}

let seen = 0;
function pass(tuple, emit) {
  if (++seen === 1_000 && !existsSync('killed')) {
    writeFileSync('killed', '');
    process.kill(process.pid, 'SIGKILL');
  }
  emit([tuple.values[0], process.pid]);
}

class Collect extends Bolt {
  numbers = new Set();
  processes = new Set();
  prepare(context) {
    this.context = context;
  }
  execute(tuple) {
    this.numbers.add(tuple.values[0]);
    this.processes.add(tuple.values[1]);
  }
  async finish() {
    await this.context.print([this.numbers.size, this.processes.size, this.processes.has(process.pid)].join(' '));
  }
}

export default topology('numbers', (t) => {
  const spout = t.spout('numbers', numbers, { outputs: ['number'] });
  const passed = t.bolt('pass', pass, { outputs: ['number', 'process'] }).shuffle(spout);
  t.bolt('collect', Collect).global(passed);
}, { placement: 'spread' });
`;

/** A port that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { readonly port: number }).port));
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function planIn(directory: string, more: object = {}): Promise<number> {
  const port = await freePort();
  const host = '127.0.0.1';
  const plan = { lead: { name: 'a', host, port, workers: 1 }, members: [{ name: 'b', host, workers: 1 }], ...more };
  writeFileSync(join(directory, 'plan.json'), JSON.stringify(plan));
  return port;
}

const lead = (directory: string, file: string, onText?: (text: string, process: Started) => void): Promise<Ended> =>
  millrace(directory, ['run', file, '--processes', 'plan.json'], onText === undefined ? {} : { onText });

const member = (directory: string, file: string, name = 'b'): Promise<Ended> =>
  millrace(directory, ['member', file, '--processes', 'plan.json', '--name', name]);

/** What was printed, without the talk. */
const printed = ({ stdout }: Ended): string => stdout;

t.test('Moby-Dick is counted in two processes as in one', async (t) => {
  const alone = await millrace(t.testdir({}), ['run', EXAMPLE, '--workers', '2']);
  t.equal(alone.exitCode, 0, alone.stderr);
  const directory = t.testdir({ secret: 'a secret of some length' });
  await planIn(directory, { secretFile: 'secret' });
  let later: Promise<Ended> | null = null;
  const end = await lead(directory, EXAMPLE, (text) => {
    if (text.includes('waiting for member "b"')) later ??= member(directory, EXAMPLE);
  });
  const last = await (later as unknown as Promise<Ended>);
  t.equal(end.exitCode, 0, end.stderr);
  t.equal(last.exitCode, 0, last.stderr);
  t.equal(printed(end), printed(alone));
  t.match(last.stderr, /joined the lead .*\nthe topology is over\n$/s);
});

t.test('a member that is killed in the middle loses nothing once it is back', async (t) => {
  const directory = t.testdir({ 'numbers.js': NUMBERS });
  await planIn(directory);
  const leading = lead(directory, 'numbers.js');
  const killed = await member(directory, 'numbers.js');
  t.match(killed.stderr, /ended by SIGKILL/);
  const again = await member(directory, 'numbers.js');
  const end = await leading;
  t.equal(end.exitCode, 0, end.stderr);
  t.equal(again.exitCode, 0, again.stderr);
  t.match(end.stderr, /member "b" was lost/);
  t.match(printed(end), /^4000 \d+ false\n$/, 'every number came through a process of its own');
});

t.test('a lead that is killed leaves members whose workers end, and who say what they wait for', async (t) => {
  const directory = t.testdir({ 'numbers.js': NUMBERS, killed: '' });
  await planIn(directory);
  let leader: Started | null = null;
  const leading = millrace(directory, ['run', 'numbers.js', '--processes', 'plan.json'], {
    onStart: (process) => (leader = process),
  });
  const following = millrace(directory, ['member', 'numbers.js', '-p', 'plan.json', '-n', 'b'], {
    onText: (text, process) => {
      if (text.includes('joined')) leader?.kill('SIGKILL');
      if (text.includes('looking for it again')) process.kill('SIGINT');
    },
  });
  const [end, last] = await Promise.all([leading, following]);
  t.match(end.stderr, /ended by SIGKILL/);
  t.equal(last.exitCode, 130, last.stderr);
});

t.test('Ctrl-C while a member is waited for ends the lead, and while the lead is waited for the member', async (t) => {
  const directory = t.testdir({ 'numbers.js': NUMBERS });
  await planIn(directory);
  const waiting = await lead(directory, 'numbers.js', (text, process) => {
    if (text.includes('waiting for member')) process.kill('SIGINT');
  });
  t.equal(waiting.exitCode, 130, waiting.stderr);
  const alone = await millrace(directory, ['member', 'numbers.js', '-p', 'plan.json', '-n', 'b'], {
    onText: (text, process) => {
      if (text.includes('waiting for the lead')) process.kill('SIGINT');
    },
  });
  t.equal(alone.exitCode, 130, alone.stderr);
});

t.test('a port that is taken, and names and options that do not fit, are told', async (t) => {
  const directory = t.testdir({ 'numbers.js': NUMBERS });
  const port = await planIn(directory);
  const taken = createServer().listen(port, '127.0.0.1');
  t.teardown(() => taken.close());
  const refusals: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['run', 'numbers.js', '-p', 'plan.json'], 1, /cannot listen on "127.0.0.1:\d+" for its members: .*EADDRINUSE/],
    [['run', 'numbers.js', '-p', 'plan.json', '-w', '2'], 2, /cannot be used with/],
    [['member', 'numbers.js', '-p', 'plan.json', '-n', 'c'], 2, /no member is called "c" .*\n.*its members: b/],
  ];
  await Promise.all(
    refusals.map(async ([args, exitCode, expected]) => {
      const ended = await millrace(directory, args);
      t.match(ended.stderr, expected);
      t.equal(ended.exitCode, exitCode, args.join(' '));
    }),
  );
});

t.test('a member with another file, and one that is there already, are refused', async (t: Test) => {
  const directory = t.testdir({ 'numbers.js': NUMBERS.replace('4_000', '400_000'), 'other.js': NUMBERS, killed: '' });
  await planIn(directory);
  let leader: Started | null = null;
  const leading = millrace(directory, ['run', 'numbers.js', '--processes', 'plan.json'], {
    onStart: (process) => (leader = process),
  });
  const other = await member(directory, 'other.js');
  t.equal(other.exitCode, 1);
  t.match(other.stderr, /member "b" has another topology file than the lead/);
  let second: Promise<Ended> | null = null;
  const first = millrace(directory, ['member', 'numbers.js', '-p', 'plan.json', '-n', 'b'], {
    onText: (text) => {
      if (text.includes('joined')) second ??= member(directory, 'numbers.js');
    },
  });
  while (second === null) await new Promise((resolve) => setImmediate(resolve));
  const refused = await (second as Promise<Ended>);
  t.equal(refused.exitCode, 1);
  t.match(refused.stderr, /member "b" is there already/);
  (leader as Started | null)?.kill('SIGINT');
  const [end, last] = await Promise.all([leading, first]);
  t.equal(end.exitCode, 130, end.stderr);
  t.equal(last.exitCode, 0, last.stderr);
});
