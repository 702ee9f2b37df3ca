// A topology of three workers on a cluster, and what came of it: its lines are seen by files (sightings.ts) that
// outlive every host.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleArtifact, type Artifact } from '../../../api/bundle.js';
import type { ReplacementBegun, Submission } from '../../../api/client/index.js';
import { isMillraceError } from '../../../engine/errors.js';
import type { Assignment } from '../../../coordination/topology-records.js';
import { poll } from '../host-command.js';
import type { HostCluster } from './hosts.js';
import { nowMs, Sightings, type Running } from './sightings.js';

const TOPOLOGY = 'seen-lines';
const MODULE = fileURLToPath(new URL('../topologies/seen-lines.js', import.meta.url));
const SPOUTS = 2;
const WORKERS = 3;

export interface LoadOptions {
  /** The lines of this file. */
  readonly text: string;
  /** Lines a second of each of the two spout tasks. */
  readonly rate: number;
  /** It goes on, from the beginning again, until it is stopped. Else it ends with the text. */
  readonly stops: boolean;
  /** It spreads onto hosts that come back by itself. Default false. */
  readonly spreads?: boolean;
}

/** What became of all lines. */
export interface Processed {
  readonly records: number;
  readonly lost: number;
  readonly duplicates: number;
  /** Tasks that ran twice in one incarnation. */
  readonly twice: readonly string[];
  /** How the topology ended. */
  readonly state: string;
  /** Of lines that were lost: what is known of their spouts. */
  readonly told: readonly string[];
}

let bundled: Promise<Artifact> | null = null;
let loads = 0;

export class Load {
  readonly sightings: Sightings;
  private readonly cluster: HostCluster;
  private readonly directory: string;
  private readonly submission: Submission;

  private constructor(cluster: HostCluster, directory: string, submission: Submission) {
    this.cluster = cluster;
    this.directory = directory;
    this.submission = submission;
    this.sightings = new Sightings(directory);
  }

  /** Submits it, and waits until lines of each spout have been seen. */
  static async start(cluster: HostCluster, { text, rate, stops, spreads = false }: LoadOptions): Promise<Load> {
    const directory = join(cluster.directory, `load-${loads++}`);
    mkdirSync(directory);
    bundled ??= bundleArtifact(MODULE);
    const { sha256, content } = await bundled;
    const client = cluster.client();
    await client.putArtifact(sha256, content);
    const own = Object.fromEntries(['lines', 'pass', 'see'].map((id) => [`${id}.directory`, directory]));
    const lines = {
      'lines.text': text,
      'lines.rate': rate,
      'lines.startedMs': Math.floor(nowMs()),
      'lines.stops': stops,
    };
    const submission = {
      artifact: sha256,
      settings: { ...own, ...lines, workers: WORKERS, autoRebalance: spreads },
    };
    await client.submit(submission);
    const load = new Load(cluster, directory, submission);
    await load.flows();
    return load;
  }

  /** Wishes that it is replaced by the same once more. */
  async replace(): Promise<ReplacementBegun> {
    return await this.cluster.client().beginReplacement(this.submission);
  }

  /** Where it runs, once each of its workers is on a host of its own. */
  async spread(): Promise<Assignment> {
    return await this.assignment(({ places }) => new Set(places.map(({ host }) => host)).size === WORKERS);
  }

  async assignment(isSo: (found: Assignment) => boolean = ({ places }) => places.length > 0): Promise<Assignment> {
    return await this.cluster.assignment(TOPOLOGY, isSo);
  }

  /** Resolves when lines that were emitted for the first time from now on were seen, of each spout. */
  async flows(): Promise<void> {
    const { all } = this.sightings.read();
    const highest = new Array<number>(SPOUTS).fill(-1);
    for (const { spout, n } of all) highest[spout] = Math.max(highest[spout]!, n);
    let at = all.length;
    const fresh = new Set<number>();
    await poll(() => {
      this.sightings.read();
      for (; at < all.length; at++) if (all[at]!.n > highest[all[at]!.spout]! + FRESH) fresh.add(all[at]!.spout);
      return fresh.size === SPOUTS;
    });
  }

  /**
   * Resolves with when the first line was seen that was delivered again because of what happened then: its tree failed
   * afterwards, or a later incarnation of its spout emitted it.
   */
  async redelivered(sinceMs: number): Promise<number> {
    const { all } = this.sightings.read();
    const incarnations = new Array<number>(SPOUTS).fill(-1);
    for (const { spout, incarnation, seenMs } of all) {
      if (seenMs <= sinceMs) incarnations[spout] = Math.max(incarnations[spout]!, incarnation);
    }
    let firstMs = Infinity;
    await poll(() => {
      for (const { spout, failedMs, incarnation, seenMs } of this.sightings.read().all) {
        const isAgain = seenMs > sinceMs && (failedMs > sinceMs || incarnation > incarnations[spout]!);
        if (isAgain) firstMs = Math.min(firstMs, seenMs);
      }
      return firstMs < Infinity;
    });
    return firstMs;
  }

  /** How many different lines were seen. */
  get seen(): number {
    return [...this.sightings.read().times.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** The longest time from then on in which nothing was seen, up to the last line. */
  silenceMs(sinceMs: number): number {
    const times = this.sightings.read().all.flatMap(({ seenMs }) => (seenMs > sinceMs ? [seenMs] : []));
    times.sort((a, b) => a - b);
    return times.reduce((longest, time, at) => Math.max(longest, time - (times[at - 1] ?? sinceMs)), 0);
  }

  tasks(component: string): readonly Running[] {
    return this.sightings.read().newest(component);
  }

  /** Has one worker in that process end by itself; gives when it did. */
  async endWorker(pid: number): Promise<number> {
    writeFileSync(join(this.directory, `die.${pid}`), '');
    let diedMs = 0;
    await poll(() => (diedMs = this.sightings.timeOf('died')) > 0);
    return diedMs;
  }

  /** Has the spouts stop, unless they end by themselves, and waits until all is done. */
  async finish(): Promise<Processed> {
    writeFileSync(join(this.directory, 'stop'), '');
    let state = '';
    await poll(async () => {
      try {
        ({ state } = await this.cluster.client().describe(TOPOLOGY));
      } catch (error) {
        // Whoever knows has just been ended.
        if (!isMillraceError(error)) throw error;
      }
      return ['completed', 'failed', 'killed'].includes(state);
    });
    const last = this.sightings.read().lastOf(SPOUTS);
    if (last === null) throw new Error('its spouts have not said how many lines there are');
    const records = last.reduce((sum, each) => sum + each, 0);
    const compared = this.sightings.compare(last);
    const told = compared.lost === 0 ? [] : [...last.map((count, spout) => this.tellOf(spout, count))];
    return { records, ...compared, twice: this.sightings.twice, state, told };
  }

  private tellOf(spout: number, count: number): string {
    const numbers = [...(this.sightings.times.get(spout)?.keys() ?? [])];
    const highest = numbers.reduce((most, n) => Math.max(most, n), -1);
    const lives = this.sightings.running.flatMap(({ component, task, incarnation }) =>
      component === 'lines' ? [`${task}.${incarnation}`] : [],
    );
    return `spout ${spout} says ${count}, seen are ${numbers.length} up to ${highest}; its tasks: ${lives.join(' ')}`;
  }
}

/** Lines in which the spouts are further by then: they were emitted after it was asked. */
const FRESH = 50;
