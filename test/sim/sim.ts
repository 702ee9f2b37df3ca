// npm run sim -- [--seeds n] [--first n] [--seed n] [--hosts n] [--steps n] [--topology FILE] [--break RULE]
//
// Days of whole clusters on virtual time, a seed each: the first seed that breaks a rule is told, with the rule and the
// last that happened, and ends it with 1. `--seed` runs that one alone, and tells everything; its digest is the same
// each time. `--topology` has a topology of one's own submitted. `--break` builds something wrong that this rule has to
// notice (mutations.ts).

import { parseArgs } from 'node:util';
import { RULES } from './journal.js';
import { MUTATIONS } from './mutations.js';
import { simulate, type SimulationResult } from './simulate.js';
import { readTemplate } from './template-file.js';

const EXIT_USAGE = 2;

// What goes wrong in a simulated world is told by messages, and stacks take time.
Error.stackTraceLimit = 0;

interface Request {
  readonly first: number;
  readonly seeds: number;
  readonly hosts: number | undefined;
  readonly steps: number | undefined;
  readonly topology: string | undefined;
  readonly broken: string | undefined;
  /** Tells everything. */
  readonly isTalkative: boolean;
}

function requestOf(): Request {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      first: { type: 'string', default: '1' },
      seed: { type: 'string' },
      hosts: { type: 'string' },
      steps: { type: 'string' },
      topology: { type: 'string' },
      break: { type: 'string' },
    },
  });
  const { seed, topology, break: broken } = values;
  if (broken !== undefined && !RULES.some((rule) => rule === broken)) {
    throw new Error(`there is no rule "${broken}": ${RULES.join(', ')}`);
  }
  return {
    first: numberOf('--seed', seed ?? values.first, 0, 2 ** 31 - 1),
    seeds: seed === undefined ? numberOf('--seeds', values.seeds, 1, 1e9) : 1,
    hosts: values.hosts === undefined ? undefined : numberOf('--hosts', values.hosts, 1, 50),
    steps: values.steps === undefined ? undefined : numberOf('--steps', values.steps, 0, 1e6),
    topology,
    broken,
    isTalkative: seed !== undefined,
  };
}

function numberOf(option: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw new Error(`${option} takes a whole number from ${min} to ${max}, and not "${text}"`);
}

async function run(request: Request): Promise<void> {
  const { first, seeds, hosts, steps, topology, broken, isTalkative } = request;
  const template = topology === undefined ? null : await readTemplate(topology);
  const wiring = MUTATIONS.find(({ rule }) => rule === broken)?.wiring;
  const total = { seeds: 0, events: 0, virtualMs: 0, startMs: performance.now() };
  for (let seed = first; seed < first + seeds; seed++) {
    const result = await simulate({
      seed,
      template,
      ...(hosts !== undefined && { hosts }),
      ...(steps !== undefined && { steps }),
      ...(wiring && { wiring }),
      ...(isTalkative && { print: (line) => console.log(line) }),
    });
    total.seeds++;
    total.events += result.events;
    total.virtualMs += result.virtualMs;
    if (result.violation !== null) {
      tell(request, result);
      process.exitCode = 1;
      break;
    }
    if (isTalkative) console.log(`seed ${seed} (${result.hosts} hosts) breaks no rule; digest ${result.digest}`);
    else if (total.seeds % 100 === 0) console.error(`${total.seeds} seeds, up to ${seed}: ${paceOf(total)}`);
  }
  console.log(`${total.seeds} seeds: ${paceOf(total)}`);
}

function tell({ hosts, steps, topology, broken, isTalkative }: Request, result: SimulationResult): void {
  const { seed, violation, last, digest } = result;
  if (!isTalkative) for (const line of last) console.log(line);
  console.log(`seed ${seed} (${result.hosts} hosts) breaks "${violation!.rule}": ${violation!.what}`);
  const options = { hosts, steps, topology, break: broken === undefined ? undefined : `"${broken}"` };
  const same = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : ` --${name} ${value}`));
  console.log(`digest ${digest}; again: npm run sim -- --seed ${seed}${same.join('')}`);
}

function paceOf(total: { seeds: number; events: number; virtualMs: number; startMs: number }): string {
  const seconds = (performance.now() - total.startMs) / 1000;
  const pace = `${seconds.toFixed(0)} s, ${(total.seeds / seconds).toFixed(1)} seeds a second`;
  const hours = (total.virtualMs / 3_600_000).toFixed(1);
  return `${pace}; ${hours} virtual hours, ${(total.events / 1e6).toFixed(2)} million events`;
}

try {
  await run(requestOf());
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = EXIT_USAGE;
}
