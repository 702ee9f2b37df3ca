// `millrace activate`, `deactivate`, `rebalance` and `kill`: what is wished of a topology. The host keeps the wish and
// carries it out by itself; the commands tell the state that it had then. A rebalance is waited for. Main thread.

import type { KillRequest, RebalanceRequest } from '../host/service.js';
import { EXIT_OK } from './exit.js';
import { counted } from './summary.js';
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

export async function rebalanceCommand(
  name: string,
  request: RebalanceRequest,
  options: RemoteOptions,
  environment: RemoteEnvironment,
): Promise<number> {
  return await runRemote(options, environment, async (remote) => {
    const details = await remote.client.rebalance(name, request, { signal: remote.signal });
    const { workers, tasks } = details.plan;
    const spread = `${counted(tasks.length, 'task')} on ${counted(workers, 'worker')}`;
    await tell(remote, details, `${details.name} is ${details.state}: ${spread}`);
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
