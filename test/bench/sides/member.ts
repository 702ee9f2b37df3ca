// The second process of a benchmark: a member of the one that measures. Says how much processor time it has used when
// it is asked.

import { RealClock } from '../../../engine/clock.js';
import { Member } from '../../../engine/worker/remote/member.js';

const [port = '', url = ''] = process.argv.slice(2);

process.on('message', () => process.send?.(process.cpuUsage()));

await new Member({
  name: 'second',
  workers: 1,
  lead: { host: '127.0.0.1', port: Number(port) },
  secret: '',
  source: { kind: 'module', url, settings: {} },
  hash: url,
  clock: new RealClock(),
  say: () => undefined,
  signal: new AbortController().signal,
}).serve();
process.disconnect();
