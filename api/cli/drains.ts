// `millrace drain HOST` and `undrain HOST`: the host is to be without workers, or may have some again. The wish is kept
// by the cluster; with `--wait` the command stays until nothing of any topology runs there. Main thread.

import { failure } from '../../engine/errors.js';
import { HOST_LOOK_MS } from '../../engine/limits.js';
import { printable } from '../../engine/model/names.js';
import { pause } from '../../coordination/store/signals.js';
import type { HostSummary } from '../host/service.js';
import { EXIT_OK } from './exit.js';
import { isAway, patiently } from './patience.js';
import { counted } from './summary.js';
import { runRemote, type Remote, type RemoteEnvironment, type RemoteOptions } from './remote.js';

const TEXT_LENGTH_MAX = 300;

export async function drainCommand(
  host: string,
  wait: boolean,
  options: RemoteOptions,
  environment: RemoteEnvironment,
): Promise<number> {
  return await runRemote(options, environment, async (remote) => {
    const { client, output, json, signal } = remote;
    const kept = await client.drain(host, { signal });
    const drained = wait && kept.state === 'draining' ? await untilDrained(kept, remote) : kept;
    if (json) await output.data(drained);
    else output.say(sentenceOn(drained));
    return EXIT_OK;
  });
}

export async function undrainCommand(
  host: string,
  options: RemoteOptions,
  environment: RemoteEnvironment,
): Promise<number> {
  return await runRemote(options, environment, async ({ client, output, json, signal }) => {
    const now = await client.undrain(host, { signal });
    if (json) await output.data(now);
    else output.say(sentenceOn(now));
    return EXIT_OK;
  });
}

function sentenceOn({ host, state, slots, drainedSinceMs }: HostSummary): string {
  const back = `millrace undrain ${host} lets it have workers again`;
  switch (state) {
    case 'up':
      return `${host} takes workers`;
    case 'draining':
      return `${host} is draining: ${counted(slots.used, 'worker')} still there; millrace hosts shows when none is`;
    case 'drained':
      return `${host} is drained: nothing runs there; ${back}`;
    case 'leaving':
      return `${host} is on its way out`;
    case 'away':
      return drainedSinceMs === null
        ? `${host} is not there; it takes workers when it comes`
        : `${host} is not there; when it comes it is drained: ${back}`;
  }
}

/** @throws MILLRACE_DRAIN_TAKEN_BACK when somebody undrains it meanwhile */
async function untilDrained(kept: HostSummary, remote: Remote): Promise<HostSummary> {
  const { client, output, clock, signal } = remote;
  const { host } = kept;
  let latest = kept;
  const left = counted(kept.slots.used, 'worker');
  output.say(`${host} is draining: ${left} still there; waiting until none is (Ctrl-C leaves it draining)`);
  let said = '';
  while (latest.state === 'draining') {
    await pause(clock, HOST_LOOK_MS, signal);
    signal.throwIfAborted();
    const hosts = await patiently(async () => await client.hosts({ signal }), remote);
    const found = hosts.find((each) => each.host === host);
    // Gone and not drained, or up: whatever it is, nobody drains it any more.
    if (found === undefined || found.drainedSinceMs === null) throw failure('MILLRACE_DRAIN_TAKEN_BACK', { host });
    latest = found;
    const why = latest.state === 'draining' ? await whyStill(host, remote) : '';
    if (why !== '' && why !== said) output.say(why);
    said = why;
    const columns = output.progressColumns;
    if (columns !== null) output.showProgress(`${counted(latest.slots.used, 'worker')} left`.slice(0, columns));
  }
  output.wipeProgress();
  return latest;
}

/** What keeps workers there, a line for each topology that waits for room elsewhere; empty when none does. */
async function whyStill(host: string, { client, signal }: Remote): Promise<string> {
  const topologies = await client.list({ signal }).catch((error: unknown) => {
    if (isAway(error)) return [];
    throw error;
  });
  const held = topologies.filter(
    ({ waiting, places }) => waiting !== null && places.some((each) => each.host === host),
  );
  return held
    .map(({ name, waiting }) => `${name} cannot leave yet: ${printable(waiting ?? '', TEXT_LENGTH_MAX)}`)
    .join('\n');
}
