// The host process of `millrace host`: a child of the small parent (host.ts), which starts it again when it dies. It
// leaves signals to its parent, and ends when that asks for it or is gone. Standard output carries what components
// print, standard error talk. Main thread.

import { rm } from 'node:fs/promises';
import { reasonOf, toWire } from '../../engine/errors.js';
import { HOST_START_GRACE_MS } from '../../engine/limits.js';
import type { Logger } from '../../engine/log.js';
import { Host } from '../host/host.js';
import { EXIT_REFUSED, type FromHostProcess, type HostProcessOptions, type ToHostProcess } from './host-messages.js';
import { EXIT_FAILED, EXIT_OK } from './exit.js';
import { readLinks } from './links.js';
import { Output } from './output.js';

const options = JSON.parse(process.argv[2] ?? '') as HostProcessOptions;
const output = new Output({
  stdout: process.stdout,
  stderr: process.stderr,
  json: options.json,
  // Nobody reads any more what components print: the host goes on without.
  onReaderGone: () => undefined,
});
let ending = false;

// A terminal sends these to the whole group: what they mean, the parent decides.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('message', (message: ToHostProcess) => {
  if (message.type === 'stop') void end();
});
process.on('disconnect', () => void end());

const starting = startHost();
try {
  const { url } = await starting;
  if (!ending) await tell({ type: 'listening', url: url! });
} catch (error) {
  if (!ending) {
    await tell({ type: 'refused', error: toWire(error) });
    process.exit(EXIT_REFUSED);
  }
}

async function startHost(): Promise<Host> {
  const links = await readLinks(options.links);
  return await Host.start({
    listen: options.listen,
    dataDirectory: options.dataDirectory,
    filesDirectory: options.filesDirectory,
    ...(options.slots === null ? {} : { slots: options.slots }),
    ...(options.name === null ? {} : { name: options.name }),
    ...(options.zookeeper === null
      ? {}
      : {
          zookeeper: {
            servers: options.zookeeper,
            ...(options.sessionTimeoutMs === null ? {} : { sessionTimeoutMs: options.sessionTimeoutMs }),
          },
        }),
    labels: options.labels,
    links,
    onSession: (key) => void tell({ type: 'session', key }),
    logger: logger(),
    logLevel: options.verbose ? 'debug' : 'info',
    print: async (line) => await output.print(line),
    heldBack: options.heldBack,
    onRunning: (ids) => void tell({ type: 'running', ids }),
  });
}

/** Ends cleanly what runs, or is about to. */
async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  // A start that takes long is cut off as a crash would.
  const late = new Promise<null>((resolve) => setTimeout(resolve, HOST_START_GRACE_MS, null).unref());
  const host = await Promise.race([starting.catch(() => null), late]);
  try {
    await host?.close();
    if (!process.connected && options.keepsNothing) {
      await rm(options.dataDirectory, { recursive: true, force: true });
    }
  } catch (error) {
    output.say(`error: ${reasonOf(error)}`);
    process.exit(EXIT_FAILED);
  }
  await output.flush();
  process.exit(EXIT_OK);
}

function tell(message: FromHostProcess): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}

function logger(): Logger {
  const say = (level: string) => (message: string) => output.say(`${level}: ${message}`);
  return {
    debug: say('debug'),
    info: (message) => output.say(message),
    warn: say('warning'),
    error: say('error'),
  };
}
