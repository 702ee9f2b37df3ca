// Following under any sequence of writes, rotations, looks, crashes and restarts: no line is lost, none is torn, and
// none comes twice but those that were open or not yet kept at a crash.

import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { VirtualClock } from '../../../engine/clock.js';
import { Follower } from './follower.js';

t.setTimeout(120_000);

const FILES = ['a.log', 'b.log'];
const file = fc.constantFrom(...FILES);

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write'), file, lines: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('half'), file }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rename'), file }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('truncate'), file }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('look'), ms: fc.integer({ min: 0, max: 3000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('look'), ms: fc.constant(70_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave open'), ms: fc.integer({ min: 0, max: 300 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash') }) },
) as fc.Arbitrary<{ do: string; file?: string; lines?: number; ms?: number }>;

/** Writers and readers of one directory, with all that was written and read. */
class House {
  readonly written: string[] = [];
  readonly seen = new Map<string, number>();
  /** Lines that a crash may bring again: open then, or acked since progress was last kept. */
  mayRepeat = 0;
  private readonly folder: string;
  private readonly pattern: string;
  private readonly tasks: number;
  private readonly progress: Map<string, unknown>[];
  private readonly clock = new VirtualClock();
  private readonly halves = new Map<string, string>();
  private followers: Follower[] = [];
  private rotated = 0;
  private incarnation = 0;
  private readonly open: { follower: Follower; id: unknown }[] = [];

  constructor(folder: string, pattern: string, tasks: number) {
    this.folder = folder;
    this.pattern = pattern;
    this.tasks = tasks;
    this.progress = Array.from({ length: tasks }, () => new Map<string, unknown>());
  }

  async start(): Promise<void> {
    this.followers = await Promise.all(
      this.progress.map((progress, index) =>
        Follower.start(join(this.folder, this.pattern), {
          progress,
          index,
          parallelism: this.tasks,
          incarnation: this.incarnation,
          clock: this.clock,
          internals: { chunkBytes: 64 },
        }),
      ),
    );
    this.incarnation++;
  }

  async run(each: { do: string; file?: string; lines?: number; ms?: number }): Promise<void> {
    const path = join(this.folder, each.file ?? 'a.log');
    switch (each.do) {
      case 'write':
        this.write(path, each.lines ?? 1);
        return;
      case 'half':
        if (!this.halves.has(path)) {
          const line = `line ${this.written.length} in two parts`;
          this.written.push(line);
          appendFileSync(path, line.slice(0, 9));
          this.halves.set(path, line.slice(9));
        }
        return;
      case 'rename':
        this.endHalf(path);
        // A file that is made and renamed out of the pattern between two searches is never seen.
        if (!this.pattern.endsWith('*')) await this.look();
        if (existsSync(path)) renameSync(path, `${path}.${++this.rotated}`);
        writeFileSync(path, '');
        return;
      case 'truncate':
        // What is cut off before it is read is lost to any reader: this one waits until all is.
        this.endHalf(path);
        await this.settle();
        if (existsSync(path)) truncateSync(path);
        return;
      case 'look':
        for (const follower of this.followers) this.take(follower.read(each.ms));
        await new Promise(setImmediate);
        return;
      case 'leave open':
        for (const follower of this.followers) {
          const from = follower.emitted.length;
          this.take(follower.read(each.ms, false));
          for (const { id } of follower.emitted.slice(from)) this.open.push({ follower, id });
        }
        return;
      default:
        this.end(each.do === 'stop');
        await this.start();
    }
  }

  /** All files that are there are known. */
  private async look(): Promise<void> {
    for (const follower of this.followers) this.take(await follower.readAll());
  }

  /** Everything that is there is read and acked, and progress is kept. */
  async settle(): Promise<void> {
    this.ackOpen();
    for (let quiet = 0; quiet < 3;) {
      const lines = (await Promise.all(this.followers.map((follower) => follower.readAll()))).flat();
      this.take(lines);
      quiet = lines.length === 0 ? quiet + 1 : 0;
    }
  }

  end(gently: boolean): void {
    if (gently) {
      this.ackOpen();
    } else {
      for (const { emitted } of this.followers) this.mayRepeat += emitted.length;
    }
    this.open.length = 0;
    for (const follower of this.followers) {
      if (gently) follower.spout.close();
      // A crash keeps nothing: what the closing tells is not heard, and the system closes the files.
      else follower.crash();
    }
    this.followers = [];
  }

  endHalves(): void {
    for (const path of [...this.halves.keys()]) this.endHalf(path);
  }

  private write(path: string, lines: number): void {
    this.endHalf(path);
    let text = '';
    for (let n = 0; n < lines; n++) {
      const line = `line ${this.written.length}${' and more'.repeat(n % 12)}`;
      this.written.push(line);
      text += `${line}\n`;
    }
    appendFileSync(path, text);
  }

  private endHalf(path: string): void {
    const rest = this.halves.get(path);
    if (rest === undefined) return;
    this.halves.delete(path);
    appendFileSync(path, `${rest}\n`);
  }

  private ackOpen(): void {
    for (const { follower, id } of this.open.splice(0)) follower.spout.ack(id);
  }

  private take(lines: readonly unknown[]): void {
    for (const line of lines) this.seen.set(String(line), (this.seen.get(String(line)) ?? 0) + 1);
  }
}

t.test('no line is lost or torn, none comes twice without a crash', async (t) => {
  const folder = t.testdir();
  let run = 0;
  let repeatedMost = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 40 }),
      fc.constantFrom('*.log', '*.log*', '{a,b}.log'),
      fc.integer({ min: 1, max: 3 }),
      async (steps, pattern, tasks) => {
        const directory = join(folder, String(run++));
        mkdirSync(directory);
        for (const name of FILES) writeFileSync(join(directory, name), '');
        const house = new House(directory, pattern, tasks);
        await house.start();
        for (const each of steps) await house.run(each);
        house.endHalves();
        await house.settle();
        house.end(true);
        const lost = house.written.filter((line) => !house.seen.has(line));
        const torn = [...house.seen.keys()].filter((line) => !house.written.includes(line));
        const repeated = [...house.seen.values()].reduce((sum, times) => sum + times - 1, 0);
        repeatedMost = Math.max(repeatedMost, repeated);
        if (lost.length > 0 || torn.length > 0 || repeated > house.mayRepeat) {
          const found = { lost: lost.slice(0, 5), torn: torn.slice(0, 5), repeated, mayRepeat: house.mayRepeat };
          throw new Error(JSON.stringify(found));
        }
      },
    ),
    { numRuns: 200 },
  );
  t.pass(`at most ${repeatedMost} lines repeated`);
});

t.test('twenty thousand lines that are added in pieces come out as they are', async (t) => {
  const path = join(t.testdir(), 'log');
  const lines = Array.from({ length: 20_000 }, (_, n) => `line ${n} ${'é'.repeat(n % 50)}`);
  writeFileSync(path, '');
  const follower = await Follower.start(path);
  const seen: unknown[] = [];
  for (let from = 0; from < lines.length; from += 1500) {
    appendFileSync(path, lines.slice(from, from + 1500).join('\n') + '\n');
    seen.push(...follower.read());
  }
  follower.spout.close();
  t.equal(readFileSync(path, 'utf8'), `${seen.join('\n')}\n`);
});
