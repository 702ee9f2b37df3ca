// `millrace activate`, `deactivate` and `kill`: what is wished of a topology. The host keeps the wish and carries it
// out by itself; the commands tell the state that it had then. Main thread.

import type { KillRequest } from '../host/service.js';
import { EXIT_OK } from './exit.js';
import { runRemote, tell, type RemoteEnvironment, type RemoteOptions } from './remote.js';

export async function activateCommand(
  name: string,
  options: RemoteOptions,
  environment: RemoteEnvironment,
): Promise<number> {
  return await runRemote(options, environment, async (remote) => {
    const details = await remote.client.activate(name, { signal: remote.signal });
    await tell(remote, details, `${details.name} is ${details.state}`);
    return EXIT_OK;
  });
}

export async function deactivateCommand(
  name: string,
  options: RemoteOptions,
  environment: RemoteEnvironment,
): Promise<number> {
  return await runRemote(options, environment, async (remote) => {
    const details = await remote.client.deactivate(name, { signal: remote.signal });
    await tell(remote, details, `${details.name} is ${details.state}; millrace activate ${details.name} lets it go on`);
    return EXIT_OK;
  });
}

export async function killCommand(
  name: string,
  request: KillRequest,
  options: RemoteOptions,
  environment: RemoteEnvironment,
): Promise<number> {
  return await runRemote(options, environment, async (remote) => {
    const details = await remote.client.kill(name, request, { signal: remote.signal });
    await tell(remote, details, `${details.name} is ${details.state}`);
    return EXIT_OK;
  });
}
