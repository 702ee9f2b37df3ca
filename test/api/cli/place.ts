// Where a test types the commands that talk to a host: streams that keep what is written, virtual time, and signals at
// the test's will.

import { MillraceClient } from '../../../api/client/client.js';
import type { EndSignal } from '../../../api/cli/exit.js';
import { readSubmitFile } from '../../../api/cli/remote-environment.js';
import type { SubmitEnvironment } from '../../../api/cli/submit.js';
import { VirtualClock } from '../../../engine/clock.js';
import { FakeStream } from './fakes.js';

export class Place implements SubmitEnvironment {
  readonly stdout = new FakeStream();
  readonly stderr = new FakeStream();
  readonly clock = new VirtualClock();
  readonly env: Readonly<Record<string, string>>;
  readonly read = readSubmitFile;
  signal: (signal: EndSignal) => void = () => undefined;

  constructor(url: string) {
    this.env = { ['MILLRACE_HOST']: url };
  }

  onSignal(listener: (signal: EndSignal) => void): void {
    this.signal = listener;
  }

  connect(url: string): MillraceClient {
    return new MillraceClient({ url });
  }

  /** The objects on standard output. */
  get objects(): unknown[] {
    return this.stdout.lines.map((line) => JSON.parse(line) as unknown);
  }
}

/** Lets time pass, a look at a time, until the command has ended. */
export async function passUntil(place: Place, ended: Promise<number>): Promise<number> {
  let exitCode: number | null = null;
  void ended.then((code) => (exitCode = code));
  while (exitCode === null) {
    await new Promise((resolve) => setImmediate(resolve));
    const dueMs = place.clock.nextDueMs();
    if (dueMs !== undefined) place.clock.step(dueMs);
  }
  return exitCode;
}
