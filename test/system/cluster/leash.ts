// Loaded by the parents of host processes before anything else: whoever started them may be killed before it has ended
// them, and then they end by themselves, and their host processes with them.

import { basename } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const LOOK_MS = 500;

if (isMainThread && basename(process.argv[1] ?? '') === 'main.js') {
  const { ppid } = process;
  setInterval(() => {
    if (process.ppid !== ppid) process.exit(1);
  }, LOOK_MS).unref();
}
