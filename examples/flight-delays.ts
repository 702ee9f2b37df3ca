// The mean delay of 20,000 flights by the airport where they started, kept up to date with each flight, and at the end
// the ten worst: `millrace run examples/flight-delays.ts`. No data set of vega-datasets tells the airline of a flight,
// so the airport stands in for it.
//
//   flights ──shuffle──► airports (asynchronous) ──fields(origin)──► delays ──global──► worst

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Bolt, topology } from 'millrace';
import type { BoltContext, Emit, Tuple } from 'millrace';

const WORST = 10;
const FLIGHTS_MIN = 50;

interface Flight {
  readonly origin: string;
  readonly delay: number;
}

function dataFile(name: string): string {
  return join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '..', 'data', name);
}

/** A spout can be a function: what it yields is emitted, tracked, and emitted again when it fails. */
function* flights(): Generator<[origin: string, delay: number]> {
  const all = JSON.parse(readFileSync(dataFile('flights-20k.json'), 'utf8')) as readonly Flight[];
  for (const { origin, delay } of all) yield [origin, delay];
}

/** Names of airports by code, as a service across the network would tell them: asked once for each code. */
class AirportNames {
  private file: Promise<ReadonlyMap<string, string>> | null = null;
  private readonly asked = new Map<string, Promise<string>>();

  nameOf(code: string): Promise<string> {
    let name = this.asked.get(code);
    if (name === undefined) {
      name = this.ask(code);
      this.asked.set(code, name);
    }
    return name;
  }

  private async ask(code: string): Promise<string> {
    this.file ??= this.read();
    const names = await this.file;
    await setImmediate();
    return names.get(code) ?? code;
  }

  private async read(): Promise<ReadonlyMap<string, string>> {
    const text = await readFile(dataFile('airports.csv'), 'utf8');
    return new Map(text.split('\n').map((line) => nameAndCode(line)));
  }
}

/** The first two columns of `iata,name,city,…`; a name with a comma or a quote in it stands in quotes. */
function nameAndCode(line: string): [code: string, name: string] {
  const [, code = '', quoted, plain = ''] = /^([^,]*),(?:"((?:[^"]|"")*)"|([^,]*))/.exec(line) ?? [];
  return [code, quoted?.replaceAll('""', '"') ?? plain];
}

/** Adds the name of the airport. Four flights are looked up at once, and leave in the order in which they came. */
class Airports extends Bolt {
  static readonly outputs = ['origin', 'airport', 'delay'] as const;
  static readonly options = { concurrency: 4, ordered: true } as const;

  private readonly names = new AirportNames();

  async execute(
    tuple: Tuple<[origin: string, delay: number]>,
    emit: Emit<[origin: string, airport: string, delay: number]>,
  ): Promise<void> {
    const [origin, delay] = tuple.values;
    emit([origin, await this.names.nameOf(origin), delay]);
  }
}

/** Keeps the number of flights and their mean delay for each airport; each airport always comes to the same task. */
class Delays extends Bolt {
  static readonly outputs = ['origin', 'airport', 'flights', 'meanDelay'] as const;

  private readonly sums = new Map<string, { flights: number; minutes: number }>();

  execute(
    tuple: Tuple<[origin: string, airport: string, delay: number]>,
    emit: Emit<[origin: string, airport: string, flights: number, meanDelay: number]>,
  ): void {
    const [origin, airport, delay] = tuple.values;
    const { flights: before, minutes } = this.sums.get(origin) ?? { flights: 0, minutes: 0 };
    const sum = { flights: before + 1, minutes: minutes + delay };
    this.sums.set(origin, sum);
    emit([origin, airport, sum.flights, sum.minutes / sum.flights]);
  }
}

/** Keeps the latest mean of each airport, and prints the worst ones when the flights have ended. */
class Worst extends Bolt {
  private readonly airports = new Map<string, { airport: string; flights: number; meanDelay: number }>();
  private context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }

  execute(tuple: Tuple<[origin: string, airport: string, flights: number, meanDelay: number]>): void {
    const [origin, airport, count, meanDelay] = tuple.values;
    const known = this.airports.get(origin);
    if (known === undefined || known.flights < count) this.airports.set(origin, { airport, flights: count, meanDelay });
  }

  override async finish(): Promise<void> {
    const busy = [...this.airports].filter(([, { flights: count }]) => count >= FLIGHTS_MIN);
    const worst = busy.sort(([, a], [, b]) => b.meanDelay - a.meanDelay).slice(0, WORST);
    await this.context.print(`the ${WORST} worst of ${busy.length} airports with at least ${FLIGHTS_MIN} flights`);
    await this.context.print('mean delay  flights  airport');
    for (const [origin, { airport, flights: count, meanDelay }] of worst) {
      const minutes = `${meanDelay.toFixed(1)} min`.padStart(10);
      await this.context.print(`${minutes}  ${String(count).padStart(7)}  ${origin}  ${airport}`);
    }
  }
}

export default topology('flight-delays', (t) => {
  const source = t.spout('flights', flights, { outputs: ['origin', 'delay'] });
  const airports = t.bolt('airports', Airports).shuffle(source);
  const delays = t.bolt('delays', Delays, { parallelism: 2 }).fields(airports, 'origin');
  t.bolt('worst', Worst).global(delays);
});
