// The host process of `millrace host`: a child of the small parent (host.ts), which starts it again when it dies. It
// leaves signals to its parent, and ends when that asks for it or is gone. Standard output carries what components
// print, standard error talk. Main thread.

import { reasonOf, toWire } from '../../engine/errors.js';
import type { Logger } from '../../engine/log.js';
import { Host } from '../host/host.js';
import { EXIT_REFUSED, type FromHostProcess, type HostProcessOptions, type ToHostProcess } from './host-messages.js';
import { EXIT_FAILED, EXIT_OK } from './exit.js';
import { Output } from './output.js';

const options = JSON.parse(process.argv[2] ?? '') as HostProcessOptions;
const output = new Output({
  stdout: process.stdout,
  stderr: process.stderr,
  json: options.json,
  // Nobody reads any more what components print: the host goes on without.
  onReaderGone: () => undefined,
});
let host: Host | null = null;
let ending = false;

// A terminal sends these to the whole group: what they mean, the parent decides.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('message', (message: ToHostProcess) => {
  if (message.type === 'stop') void end(EXIT_OK);
});
process.on('disconnect', () => void end(EXIT_OK));

function tell(message: FromHostProcess): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}

async function end(exitCode: number): Promise<void> {
  if (ending) return;
  ending = true;
  try {
    await host?.close();
  } catch (error) {
    output.say(`error: ${reasonOf(error)}`);
    process.exit(EXIT_FAILED);
  }
  await output.flush();
  process.exit(exitCode);
}

function logger(): Logger {
  const say = (level: string) => (message: string) => output.say(`${level}: ${message}`);
  return {
    debug: options.verbose ? say('debug') : () => undefined,
    info: (message) => output.say(message),
    warn: say('warning'),
    error: say('error'),
  };
}

try {
  const started = await Host.start({
    listen: options.listen,
    dataDirectory: options.dataDirectory,
    filesDirectory: options.filesDirectory,
    ...(options.slots === null ? {} : { slots: options.slots }),
    logger: logger(),
    print: async (line) => await output.print(line),
  });
  host = started;
  if (ending) {
    await started.close();
    process.exit(EXIT_OK);
  }
  await tell({ type: 'listening', url: started.url! });
} catch (error) {
  await tell({ type: 'refused', error: toWire(error) });
  process.exit(EXIT_REFUSED);
}
