// `millrace parameters get`, `set` and `unset`: what components see of what changes while they run, of the cluster or
// of one topology. A key that is set, or taken away, leaves the others as they are: all are read and written back, and
// that begins anew when somebody else was quicker. Main thread.

import { failure, isMillraceError } from '../../engine/errors.js';
import { PARAMETERS_TRIES_MAX } from '../../engine/limits.js';
import type { ParameterValues } from '../../engine/model/parameters.js';
import type { MillraceClient } from '../client/client.js';
import type { KeptParameters } from '../host/service.js';
import { EXIT_OK } from './exit.js';
import { runRemote, type Remote, type RemoteEnvironment, type RemoteOptions } from './remote.js';

/** Whose they are: a topology by name, or null for the cluster. */
export type Whose = string | null;

export async function getParametersCommand(
  whose: Whose,
  options: RemoteOptions,
  environment: RemoteEnvironment,
): Promise<number> {
  return await runRemote(options, environment, async (remote) => {
    const { client, output, json, signal } = remote;
    const kept = await client.parameters(whose, { signal });
    if (json) await output.data(kept);
    else for (const [key, value] of Object.entries(kept.values)) await output.print(`${key}=${JSON.stringify(value)}`);
    if (kept.problem !== null) output.say(`warning: ${kept.problem}; what was set before still holds`);
    return EXIT_OK;
  });
}

/** @param isAll - what is not named is not set any more */
export async function setParametersCommand(
  whose: Whose,
  values: ParameterValues,
  isAll: boolean,
  options: RemoteOptions,
  environment: RemoteEnvironment,
): Promise<number> {
  return await runRemote(options, environment, async (remote) => {
    const next = (last: ParameterValues): ParameterValues => ({ ...last, ...values });
    const kept = isAll
      ? await remote.client.setParameters(whose, values, null, { signal: remote.signal })
      : await change(remote.client, whose, next, remote.signal);
    return await told(remote, whose, kept);
  });
}

export async function unsetParametersCommand(
  whose: Whose,
  keys: readonly string[],
  options: RemoteOptions,
  environment: RemoteEnvironment,
): Promise<number> {
  return await runRemote(options, environment, async (remote) => {
    const gone = new Set(keys);
    const next = (last: ParameterValues): ParameterValues =>
      Object.fromEntries(Object.entries(last).filter(([key]) => !gone.has(key)));
    return await told(remote, whose, await change(remote.client, whose, next, remote.signal));
  });
}

async function change(
  client: MillraceClient,
  whose: Whose,
  next: (last: ParameterValues) => ParameterValues,
  signal: AbortSignal,
): Promise<KeptParameters> {
  for (let tries = 1; ; tries++) {
    const { values, version, problem } = await client.parameters(whose, { signal });
    if (problem !== null) {
      throw failure('MILLRACE_CLI_USAGE', {
        reason: `what is set now cannot be read: ${problem}`,
        advice: 'set all of it anew with --replace',
      });
    }
    try {
      return await client.setParameters(whose, next(values), version, { signal });
    } catch (error) {
      const wasSlower = isMillraceError(error) && error.code === 'MILLRACE_PARAMETERS_VERSION';
      if (!wasSlower || tries === PARAMETERS_TRIES_MAX) throw error;
    }
  }
}

async function told({ output, json }: Remote, whose: Whose, kept: KeptParameters): Promise<number> {
  const owner = whose ?? 'the cluster';
  const keys = Object.keys(kept.values);
  if (json) await output.data(kept);
  else output.say(`parameters of ${owner}, version ${kept.version}: ${keys.length === 0 ? 'none' : keys.join(', ')}`);
  return EXIT_OK;
}
