// What the commands that talk to a host have in common: the address and the client. Main thread; everything from
// outside comes in by `RemoteEnvironment`.

import type { TopologyDetails } from '../host/service.js';
import type { MillraceClient } from '../client/client.js';
import { DEFAULT_HOST_URL } from './default-host.js';
import { runPlain, type Plain, type PlainEnvironment } from './plain.js';

/** The options of every such command. */
export interface RemoteOptions {
  /** `--host`; null where it is not given. */
  readonly host: string | null;
  readonly json: boolean;
}

/** Everything outside, replaced in tests. */
export interface RemoteEnvironment extends PlainEnvironment {
  connect(url: string): MillraceClient;
}

/** What a command works with. */
export interface Remote extends Plain {
  readonly client: MillraceClient;
}

/** Runs a command to its end and gives its exit code. */
export async function runRemote(
  { host, json }: RemoteOptions,
  environment: RemoteEnvironment,
  command: (remote: Remote) => Promise<number>,
): Promise<number> {
  return await runPlain(json, environment, async (plain) => {
    const client = environment.connect(addressOf(host ?? environment.env['MILLRACE_HOST']));
    return await command({ ...plain, client });
  });
}

/** Tells what became of a topology: its details as JSON, or a sentence. */
export async function tell({ output, json }: Remote, details: TopologyDetails, sentence: string): Promise<void> {
  if (json) await output.data(details);
  else output.say(sentence);
}

/** People leave out what is the same everywhere. */
function addressOf(text: string | undefined): string {
  if (text === undefined || text === '') return DEFAULT_HOST_URL;
  return text.includes('://') ? text : `http://${text}`;
}
