// `npm run sim` as it is called: what it says of a seed that breaks a rule, and that this seed is the same again.

import t from 'tap';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./sim.js', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

function sim(...args: readonly string[]): {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
} {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8' });
  return { status, out: stdout, err: stderr };
}

void t.test('a seed that breaks a rule is told with what went before, and is the same again', async (t) => {
  const common = ['--break', 'own slot', '--hosts', '5', '--steps', '30'];
  const found = sim('--seeds', '50', ...common);
  t.equal(found.status, 1);
  const told = /^seed (\d+) \(5 hosts\) breaks "own slot": .+\ndigest (\w{64}); again: npm run sim -- (.+)$/m.exec(
    found.out,
  );
  const [, seed = '', digest = '', again = ''] = told ?? [];
  t.equal(again, `--seed ${seed} --hosts 5 --steps 30 --break "own slot"`);
  t.match(found.out, /BROKEN own slot:/, 'with the last that happened');
  const same = sim('--seed', seed, ...common);
  t.equal(same.status, 1);
  t.ok(same.out.includes(`digest ${digest};`), 'the same day');
  t.match(same.out, /h0 is started as/, 'told from its beginning');
});

void t.test("topologies of one's own are submitted, and break nothing", async (t) => {
  for (const file of ['word-count.json', 'word-count.ts']) {
    const args = ['--seed', '3', '--hosts', '5', '--steps', '20', '--topology', join(ROOT, 'examples', file)];
    const { status, out, err } = sim(...args);
    t.equal(status, 0, err);
    t.match(out, /breaks no rule; digest \w{64}/);
    t.match(out, /is started/, 'they run');
  }
});

void t.test('what makes no sense is refused', async (t) => {
  const wrong = [
    ['--hosts', '0'],
    ['--hosts', '51'],
    ['--seeds', 'many'],
    ['--break', 'nothing'],
    ['--topology', 'not-there.json'],
  ];
  for (const args of wrong) {
    const { status, err } = sim(...args);
    t.equal(status, 2, args.join(' '));
    t.ok(err.includes(args[1]!), err.trim());
  }
});
