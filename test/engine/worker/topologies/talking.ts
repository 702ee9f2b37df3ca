// A bolt that writes many lines in one call, without waiting for any, and keeps their number in the file of the
// module's `file` parameter. Default-exports the topology `talking`.

import { openSync, writeSync } from 'node:fs';
import { Bolt, topology } from '../../../../engine/index.js';

export const LINES = 4_000;
export const LINE_LENGTH = 1_000;

class Talking extends Bolt {
  execute(): void {
    const file = openSync(new URL(import.meta.url).searchParams.get('file')!, 'r+');
    for (let n = 0; n < LINES; n++) {
      console.log(String(n).padEnd(LINE_LENGTH, '.'));
      writeSync(file, String(n + 1), 0);
    }
    // One line without an end, longer than may wait.
    process.stdout.write('x'.repeat(1_500_000));
  }
}

export default topology('talking', (t) => {
  const spout = t.spout('once', () => [[1]], { outputs: ['n'] });
  t.bolt('talking', Talking).shuffle(spout);
});
