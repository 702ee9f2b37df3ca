// A process of its own that runs topologies in every way and then has nothing left to do: it must end by itself.

import { runOf, runToEnd } from './trouble.js';

const said: string[] = [];

const { outcome } = await runToEnd({ tuples: 50 });
said.push(outcome.status);

const killed = await runToEnd({ tuples: 1e9 }, { started: (run) => void run.kill() });
said.push(killed.outcome.status);

const drained = await runToEnd({ tuples: 1e9 }, { started: (run) => run.drain() });
said.push(drained.outcome.status);

const crashed = await runToEnd(
  { trouble: 'hang' },
  { printed: (line, run) => (line.startsWith('hangs') ? void run.crashWorker(1) : undefined) },
);
said.push(crashed.outcome.status);

const early = await runOf({ tuples: 1e9 });
const starting = early.start().catch((error: unknown) => (error as { code: string }).code);
await early.kill();
said.push(String(await starting));

const refused = await runOf({ trouble: 'open' });
said.push(String(await refused.start().catch((error: unknown) => (error as { code: string }).code)));

process.stdout.write(said.join(' '));
