// A further process of a benchmark: a member of the one that measures. Says how much processor time it has used when
// it is asked.

import { RealClock } from '../../../engine/clock.js';
import { ONLY_RUN } from '../../../engine/worker/remote/known-processes.js';
import { Member } from '../../../engine/worker/remote/member.js';

const [port = '', url = '', name = ''] = process.argv.slice(2);

process.on('message', () => process.send?.(process.cpuUsage()));

await new Member({
  name,
  slots: 1,
  lead: { host: '127.0.0.1', port: Number(port) },
  run: ONLY_RUN,
  reach: { host: '127.0.0.1', ports: null, secret: '', tls: null },
  source: { kind: 'module', url, settings: {} },
  hash: url,
  clock: new RealClock(),
  say: () => undefined,
  signal: new AbortController().signal,
}).serve();
process.disconnect();
