// `millrace submit FILE`: a module is bundled, its bundle put under its hash and submitted; a JSON document is sent as
// it is. With `--wait`, follows the topology until it ends.
//
//   open ──► put the bundle ──► submit ──► told, exit 0
//                                  └─ --wait ──► follow ──completed──► 0,  failed or killed ──► 1
//
// With `--replace` it is submitted as a new version of a topology that runs (replacing.ts), and told when it has
// replaced that one.
//
// A signal while it waits ends the command only: the topology belongs to the host. Main thread.

import { toWire, type WireError } from '../../engine/errors.js';
import type { Settings } from '../../engine/model/settings.js';
import type { Submission, TopologyDetails } from '../host/service.js';
import { EXIT_FAILED, EXIT_OK } from './exit.js';
import { endOf, follow, latencyOf } from './follow.js';
import { replaceBy } from './replacing.js';
import { runRemote, tell, type Remote, type RemoteEnvironment, type RemoteOptions } from './remote.js';
import { counted, formatSummary, summaryOf, type RunResult } from './summary.js';

/** What the user asked for. */
export interface SubmitRequest {
  readonly file: string;
  readonly settings: Settings;
  /** False: it is kept asleep. */
  readonly active: boolean;
  /** Whether to wait for its end. */
  readonly wait: boolean;
  /** Whether it replaces the topology of its name. */
  readonly replace: boolean;
}

/** What a file holds, ready to be sent. */
export type SubmitFile = { readonly warnings: readonly string[] } & (
  | { readonly kind: 'document'; readonly document: unknown }
  | { readonly kind: 'artifact'; readonly sha256: string; readonly content: Uint8Array }
);

export interface SubmitEnvironment extends RemoteEnvironment {
  /** @throws what `readSubmitFile` throws */
  read(file: string): Promise<SubmitFile>;
}

export async function submitCommand(
  request: SubmitRequest,
  options: RemoteOptions,
  environment: SubmitEnvironment,
): Promise<number> {
  return await runRemote(options, environment, async (remote) => {
    const file = await environment.read(request.file);
    for (const warning of file.warnings) remote.output.say(`warning: ${warning}`);
    remote.signal.throwIfAborted();
    const submission = await submissionOf(file, request, remote);
    const { details, sentence } = request.replace
      ? await replaceBy(submission, remote)
      : await submitted(submission, remote);
    if (!request.wait) {
      if (!remote.json) await remote.output.print(details.name);
      await tell(remote, details, sentence);
      return EXIT_OK;
    }
    remote.output.say(sentence);
    return await waitFor(details, remote);
  });
}

async function submitted(
  submission: Submission,
  { client, signal }: Remote,
): Promise<{ readonly details: TopologyDetails; readonly sentence: string }> {
  const details = await client.submit(submission, { signal });
  return { details, sentence: sentenceOn(details) };
}

/** What is sent of it once its bundle is there. */
async function submissionOf(file: SubmitFile, request: SubmitRequest, { client, signal }: Remote): Promise<Submission> {
  const { settings, active } = request;
  const options = {
    ...(Object.keys(settings).length === 0 ? {} : { settings }),
    ...(active ? {} : { active }),
  };
  if (file.kind === 'document') return { document: file.document, ...options };
  await client.putArtifact(file.sha256, file.content, { signal });
  return { artifact: file.sha256, file: request.file, ...options };
}

function sentenceOn({ name, state, tasks, workers }: TopologyDetails): string {
  const next =
    state === 'inactive' ? `millrace activate ${name} wakes it` : `millrace describe ${name} shows how it goes`;
  // Every one waits in its first moment, also when there is nothing to wait for.
  const what = state === 'waiting' ? 'submitted' : state;
  return `${name} is ${what}: ${counted(tasks, 'task')} on ${counted(workers, 'worker')}; ${next}`;
}

async function waitFor(details: TopologyDetails, remote: Remote): Promise<number> {
  const { output, signal } = remote;
  const last = await follow(details, remote).catch((error: unknown) => {
    if (signal.aborted) output.say(`${details.name} goes on; millrace kill ${details.name} ends it`);
    throw error;
  });
  const result = resultOf(last);
  output.say(formatSummary(result));
  if (result.error !== null) output.say(`reason: ${result.error.message}`);
  await output.last(summaryOf(result));
  return last.state === 'completed' ? EXIT_OK : EXIT_FAILED;
}

function resultOf(details: TopologyDetails): RunResult {
  const { name, state, seconds, reason } = details;
  const error: WireError | null = reason === null ? null : { ...toWire(new Error(reason)), stack: null };
  return {
    topology: name,
    end: endOf(state) ?? 'failed',
    seconds,
    status: { ...details, completeLatency: latencyOf(details) },
    error,
  };
}
