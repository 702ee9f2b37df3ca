// A topology whose workers are real threads of a lead and its members, all in the process of the test: what one says to
// the other goes over TCP on loopback, as between processes.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { RealClock } from '../../../../engine/clock.js';
import { silentLogger } from '../../../../engine/log.js';
import { describe } from '../../../../engine/model/describe.js';
import type { PlanChange } from '../../../../engine/plan/replan.js';
import { loadTopology, type TopologySource } from '../../../../engine/worker/module.js';
import { Member } from '../../../../engine/worker/remote/member.js';
import type { ProcessPool } from '../../../../engine/worker/remote/process-pool.js';
import { leadProcesses, ONLY_RUN } from '../../../../engine/worker/remote/known-processes.js';
import { TopologyRun, type Outcome } from '../../../../engine/worker/topology-run.js';

const host = '127.0.0.1';
const KEYS = ['k0', 'k1', 'k2', 'k3', 'k4'];

/** Who runs the topology of watched-keys.ts: a lead, and members. */
export class Team {
  readonly directory: string;
  readonly run: TopologyRun;
  readonly said: string[] = [];
  private readonly source: TopologySource;
  private readonly port: number;
  private readonly pool: ProcessPool;
  private readonly leaving = new Map<string, AbortController>();
  private readonly serving = new Map<string, Promise<unknown>>();

  private constructor(directory: string, source: TopologySource, run: TopologyRun, pool: ProcessPool, port: number) {
    this.directory = directory;
    this.source = source;
    this.run = run;
    this.port = port;
    this.pool = pool;
  }

  /**
   * @param workers - of the lead, and of the members `b`, `c` …
   * @param standby - its spouts are opened later
   */
  static async start(t: Test, workers: readonly number[], standby = false): Promise<Team> {
    const directory = t.testdir({});
    const directories = ['records', 'owner', 'sink'].map((id) => [`${id}.directory`, directory] as const);
    const settings = { placement: 'spread', ...Object.fromEntries(directories) };
    const url = new URL('./topologies/watched-keys.js', import.meta.url).href;
    const source: TopologySource = { kind: 'module', url, settings };
    const description = describe(await loadTopology(source));
    const [lead = 1, ...others] = workers;
    const names = others.map((_, at) => String.fromCharCode(98 + at));
    const {
      pool,
      workers: all,
      port,
    } = await leadProcesses({
      lead: { name: 'a', host, workers: lead },
      members: names.map((name, at) => ({ name, host, workers: others[at]! })),
      ...{ port: 0, config: description.config, secret: 'the secret', hash: 'the hash', clock: new RealClock() },
      say: (line) => void team.said.push(line),
    });
    const run = new TopologyRun({
      ...{ source, description, workers: all, pool, logger: silentLogger, replaceAtOnce: true, standby },
      print: () => Promise.resolve(),
    });
    const team = new Team(directory, source, run, pool, port);
    t.teardown(() => team.end());
    names.forEach((name, at) => team.join(name, others[at]!));
    await run.start();
    return team;
  }

  /** A member looks for the lead. */
  join(name: string, workers: number): void {
    const ending = new AbortController();
    this.leaving.set(name, ending);
    const member = new Member({
      ...{ name, slots: workers, lead: { host, port: this.port }, run: ONLY_RUN, hash: 'the hash' },
      reach: { host, ports: null, secret: 'the secret', tls: null },
      ...{ source: this.source, clock: new RealClock(), say: () => undefined, signal: ending.signal },
    });
    const served = member.serve().catch((error: unknown) => {
      if (!ending.signal.aborted) throw error;
    });
    this.serving.set(name, served);
  }

  /** A member goes, with all its workers, as if it had crashed; no key stays locked by who is dead. */
  async leave(name: string): Promise<void> {
    this.leaving.get(name)?.abort(new Error('it leaves'));
    await this.serving.get(name);
    this.unlock();
  }

  private unlock(): void {
    for (const key of KEYS) rmSync(this.file(`${key}.lock`), { force: true });
  }

  file(name: string): string {
    return join(this.directory, name);
  }

  /** The records in a file, one a line. */
  lines(name: string): string[] {
    const file = this.file(name);
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  }

  /** Resolves when so many more records are acked. */
  async acked(more: number): Promise<void> {
    const until = this.lines('acked').length + more;
    await this.holds(() => this.lines('acked').length >= until);
  }

  async holds(what: () => boolean): Promise<void> {
    while (!what()) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  /** Says where its workers are from now on; resolves when those that were elsewhere have moved. */
  async place(places: readonly string[]): Promise<void> {
    const deaths = this.run.status().workerDeaths;
    const moving = this.pool.place(places);
    this.run.move(moving);
    await this.holds(() => this.run.status().workerDeaths >= deaths + moving.length && !this.run.changing);
    // A call that was under way in a worker that ended has left its lock.
    this.unlock();
  }

  async rebalance(change: PlanChange): Promise<void> {
    await this.run.rebalance(change);
  }

  /** Spouts stop; gives how the topology ended. */
  async finish(): Promise<Outcome> {
    writeFileSync(this.file('enough'), '');
    return await this.run.completed;
  }

  async end(): Promise<void> {
    await this.run.kill();
    for (const ending of this.leaving.values()) ending.abort(new Error('the test is over'));
    await Promise.all(this.serving.values());
  }
}

/** Each record was handled once, each key by one call at a time and in order for each partition. */
export function checkOnce(t: Test, team: Team): void {
  const { components } = team.run.status();
  const acked = team.lines('acked');
  t.equal(new Set(acked).size, acked.length, 'no record is acked twice');
  const byPartition = new Map<string, number>();
  for (const record of acked) {
    const [partition] = record.split('/') as [string];
    byPartition.set(partition, (byPartition.get(partition) ?? 0) + 1);
  }
  for (const [partition, count] of byPartition) {
    const missing = Array.from({ length: count }, (_, seq) => `${partition}/${seq}`).filter((each) => {
      return !acked.includes(each);
    });
    t.strictSame(missing, [], `all of ${partition}`);
  }
  t.strictSame(team.lines('sunk').sort(), acked.slice().sort(), 'the sink saw each once');
  const owned: string[] = [];
  for (const key of KEYS) {
    const lines = team.lines(key);
    owned.push(...lines);
    const last = new Map<string, number>();
    let disorder = 0;
    for (const line of lines) {
      const [partition, seq] = line.split('/') as [string, string];
      if (Number(seq) <= (last.get(partition) ?? -1)) disorder++;
      last.set(partition, Number(seq));
    }
    t.equal(disorder, 0, `${key} came in order`);
  }
  t.strictSame(owned.sort(), acked.slice().sort(), 'owners saw each once');
  t.equal(components['owner']!.errors, 0, 'no key in two tasks at once');
  t.equal(components['owner']!.executed, acked.length, 'all that was done is counted');
  t.equal(components['records']!.failed, 0);
}
