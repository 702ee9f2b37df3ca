// The peer `storm`: Apache Storm on a local cluster, in a process of its own that is new for each round. What is
// written in Java here is compiled once into a folder of dist that is named by its content; Maven fetches Storm for it.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reasonOf } from '../../../../engine/errors.js';
import type { LatencyFigures, Measured, Side, Timing } from '../../measured.js';
import { PeerFailed, PeerMissing } from '../peer-errors.js';
import { output } from '../output.js';

/** A topology with the settings that Storm is best with. */
export interface StormWork {
  readonly topology: string;
  readonly tracked: boolean;
  readonly workers: number;
  /** Tuples a second from the spout; 0: as fast as can be. */
  readonly rate: number;
}

interface StormSettings {
  /** Open trees at most; 0: any number. */
  readonly pending: number;
  /** Tuples that go from one executor to the next together. */
  readonly batch: number;
}

/** Found by trying: what gives Storm the most tuples a second. */
const FASTEST: Readonly<Record<string, StormSettings>> = {
  'null untracked': { pending: 0, batch: 1000 },
  'null tracked': { pending: 20_000, batch: 1000 },
  'id untracked': { pending: 0, batch: 1000 },
  'id tracked': { pending: 20_000, batch: 500 },
  'words untracked': { pending: 0, batch: 1000 },
  'words tracked': { pending: 1000, batch: 1 },
};

/** At a rate that it can follow, what waits for a batch to fill only waits. */
const PROMPT: StormSettings = { pending: 0, batch: 1 };

/** A JVM takes longer than V8 to compile what is hot. */
const WARM_UP_TIMES = 2.5;
const HEAP = '-Xmx4g';
/** For starting a cluster, and for what is in flight at the end. */
const SPARE_MS = 120_000;

const sources = fileURLToPath(new URL('../../../../../test/bench/peers/storm/', import.meta.url));

/** Whether there is a topology of that name for Storm. */
export function stormHas(topology: string): boolean {
  return Object.hasOwn(FASTEST, `${topology} tracked`);
}

export function stormSide(work: StormWork): Side {
  const tracking = work.tracked ? 'tracked' : 'untracked';
  const settings = work.rate > 0 ? PROMPT : FASTEST[`${work.topology} ${tracking}`]!;
  const workers = work.workers === 1 ? '' : `, ${work.workers} workers`;
  return {
    name: `storm, ${tracking}${workers}`,
    labels: ['storm', tracking],
    measure: (timing) => measure({ ...work, ...settings }, timing),
  };
}

async function measure(work: StormWork & StormSettings, { warmUpMs, measureMs }: Timing): Promise<Measured> {
  const classpath = await built();
  const scratch = mkdtempSync(join(tmpdir(), 'millrace-storm-'));
  try {
    const given = { ...work, warmUpMs: Math.round(warmUpMs * WARM_UP_TIMES), measureMs: Math.round(measureMs) };
    const args = Object.entries(given).map(([name, value]) => `${name}=${String(value)}`);
    const jvm = [HEAP, `-Djava.io.tmpdir=${scratch}`, '-cp', classpath, 'millrace.bench.Bench'];
    const said = await output('java', [...jvm, ...args], {
      cwd: scratch,
      timeoutMs: given.warmUpMs + given.measureMs + SPARE_MS,
    }).catch((error: unknown) => {
      throw new PeerFailed(`Storm failed by itself: ${causeIn(reasonOf(error))}`, { cause: error });
    });
    const line = said.split('\n').find((each) => each.startsWith('{'));
    if (line === undefined) throw new Error(`Storm printed no result, but: ${said.slice(-2000)}`);
    const measured = JSON.parse(line) as Measured & { readonly latency: LatencyFigures };
    return work.tracked ? measured : { ...measured, latency: null };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What a JVM that died says first of why. */
function causeIn(said: string): string {
  return said.split('\n').find((line) => /Exception|Error:/.test(line) && !line.startsWith('java failed')) ?? said;
}

let building: Promise<string> | null = null;

/** The class path of the harness, compiled when it has to be. */
function built(): Promise<string> {
  return (building ??= build());
}

async function build(): Promise<string> {
  const folder = fileURLToPath(new URL(`./built-${contentHash()}/`, import.meta.url));
  const list = join(folder, 'classpath.txt');
  await requireTool('javac', 'Java 17 or later (Debian: apt-get install openjdk-17-jdk-headless)');
  if (!existsSync(list)) {
    await requireTool('mvn', 'Maven (Debian: apt-get install maven)');
    mkdirSync(folder, { recursive: true });
    const unfinished = `${list}.unfinished`;
    const goals = ['dependency:build-classpath', `-Dmdep.outputFile=${unfinished}`, 'compile', `-Dbuilt=${folder}`];
    await output('mvn', ['-q', '-B', '-f', join(sources, 'pom.xml'), ...goals], { cwd: folder, timeoutMs: 600_000 });
    renameSync(unfinished, list);
  }
  return `${join(folder, 'classes')}:${readFileSync(list, 'utf8').trim()}`;
}

async function requireTool(command: string, what: string): Promise<void> {
  try {
    await output(command, ['-version'], { cwd: sources, timeoutMs: 60_000 });
  } catch (error) {
    throw new PeerMissing(`the peer "storm" needs ${what}`, { cause: error });
  }
}

/** Of the harness, so that a changed one is compiled anew. */
function contentHash(): string {
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(?:java|xml)$/.test(file),
  );
  const hash = createHash('sha256');
  for (const file of files.sort()) hash.update(file).update(readFileSync(join(sources, file)));
  return hash.digest('hex').slice(0, 12);
}
