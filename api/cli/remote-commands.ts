// How the commands that talk to a host are written on the command line: submit, list, hosts, drain, undrain, describe,
// activate, deactivate, rebalance, kill. What they do is loaded when one of them is called. Main thread.

import { Option, type Command } from 'commander';
import type { Settings } from '../../engine/model/settings.js';
import { parseParallelism, parseSetting, parseWorkers } from './arguments.js';
import { DEFAULT_HOST_URL } from './default-host.js';
import type { RemoteOptions } from './remote.js';
import { parseWait } from './wait.js';

interface RemoteFlags {
  readonly host?: string;
  readonly json?: boolean;
}

interface SubmitFlags extends RemoteFlags {
  readonly set?: Settings;
  readonly inactive?: boolean;
  readonly wait?: boolean;
  readonly replace?: boolean;
}

interface KillFlags extends RemoteFlags {
  readonly wait?: number;
  readonly reason?: string;
}

interface RebalanceFlags extends RemoteFlags {
  readonly workers?: number;
  readonly parallelism?: Readonly<Record<string, number>>;
}

const EXIT_CODES = `
Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 not found, 4 no host there, 130 interrupted (Ctrl-C; 143 by SIGTERM,
129 by SIGHUP).`;

/** Adds these commands; `onExitCode` takes what a command ends with. */
export function addRemoteCommands(program: Command, onExitCode: (exitCode: number) => void): void {
  remote(program, 'submit', 'send a topology to a host, which runs it')
    .argument('<FILE>', 'a module (.ts, .mts, .js, .mjs) that default-exports a topology, or a JSON document (.json)')
    .option(
      '-s, --set <key=value>',
      'override a setting: messageTimeout=10s, component.key=value; may be repeated',
      parseSetting,
    )
    .option('--inactive', 'keep it asleep until it is activated')
    .option('--wait', 'follow it until it ends; 0 when it completed, 1 when it failed or was killed')
    .addOption(
      new Option(
        '--replace',
        'replace the topology that has its name while records flow, and stay until it has; what runs goes on if it does not start',
      ).conflicts('inactive'),
    )
    .action(async (file: string, { set, inactive, wait, replace, ...flags }: SubmitFlags) => {
      const { submitCommand } = await import('./submit.js');
      const { submitEnvironment } = await import('./remote-environment.js');
      const request = {
        file,
        settings: set ?? {},
        active: inactive !== true,
        wait: wait === true,
        replace: replace === true,
      };
      onExitCode(await submitCommand(request, optionsOf(flags), submitEnvironment()));
    });
  remote(program, 'list', 'list the topologies of a host').action(async (flags: RemoteFlags) => {
    const { listCommand } = await import('./list.js');
    const { remoteEnvironment } = await import('./remote-environment.js');
    onExitCode(await listCommand(optionsOf(flags), remoteEnvironment()));
  });
  remote(program, 'hosts', 'list the hosts of the cluster').action(async (flags: RemoteFlags) => {
    const { hostsCommand } = await import('./hosts.js');
    const { remoteEnvironment } = await import('./remote-environment.js');
    onExitCode(await hostsCommand(optionsOf(flags), remoteEnvironment()));
  });
  addDrains(program, onExitCode);
  remote(program, 'describe', 'show how a topology goes, by component')
    .argument('<NAME>', 'its name')
    .action(async (name: string, flags: RemoteFlags) => {
      const { describeCommand } = await import('./describe.js');
      const { remoteEnvironment } = await import('./remote-environment.js');
      onExitCode(await describeCommand(name, optionsOf(flags), remoteEnvironment()));
    });
  addWishes(program, onExitCode);
}

function addDrains(program: Command, onExitCode: (exitCode: number) => void): void {
  remote(program, 'drain', 'move the workers of a host away, and give it no new ones, as before maintenance')
    .argument('<HOST>', 'its name, as millrace hosts shows it')
    .option('--wait', 'stay until nothing runs there any more')
    .action(async (name: string, { wait, ...flags }: RemoteFlags & { readonly wait?: boolean }) => {
      const { drainCommand } = await import('./drains.js');
      const { remoteEnvironment } = await import('./remote-environment.js');
      onExitCode(await drainCommand(name, wait === true, optionsOf(flags), remoteEnvironment()));
    });
  remote(program, 'undrain', 'let a host that was drained have workers again')
    .argument('<HOST>', 'its name, as millrace hosts shows it')
    .action(async (name: string, flags: RemoteFlags) => {
      const { undrainCommand } = await import('./drains.js');
      const { remoteEnvironment } = await import('./remote-environment.js');
      onExitCode(await undrainCommand(name, optionsOf(flags), remoteEnvironment()));
    });
}

function addWishes(program: Command, onExitCode: (exitCode: number) => void): void {
  remote(program, 'activate', 'let the spouts of a topology emit')
    .argument('<NAME>', 'its name')
    .action(async (name: string, flags: RemoteFlags) => {
      const { activateCommand } = await import('./wishes.js');
      const { remoteEnvironment } = await import('./remote-environment.js');
      onExitCode(await activateCommand(name, optionsOf(flags), remoteEnvironment()));
    });
  remote(program, 'deactivate', 'let the spouts of a topology rest')
    .argument('<NAME>', 'its name')
    .action(async (name: string, flags: RemoteFlags) => {
      const { deactivateCommand } = await import('./wishes.js');
      const { remoteEnvironment } = await import('./remote-environment.js');
      onExitCode(await deactivateCommand(name, optionsOf(flags), remoteEnvironment()));
    });
  remote(program, 'rebalance', 'spread a topology anew while it goes on; nothing in flight is lost')
    .argument('<NAME>', 'its name')
    .option('--workers <count>', 'over how many workers', parseWorkers)
    .option(
      '--parallelism <component=count>',
      'how many tasks a component is to have; may be repeated',
      parseParallelism,
    )
    .action(async (name: string, { workers, parallelism, ...flags }: RebalanceFlags) => {
      const { rebalanceCommand } = await import('./wishes.js');
      const { remoteEnvironment } = await import('./remote-environment.js');
      const request = {
        ...(workers === undefined ? {} : { workers }),
        ...(parallelism === undefined ? {} : { parallelism }),
      };
      onExitCode(await rebalanceCommand(name, request, optionsOf(flags), remoteEnvironment()));
    });
  remote(program, 'kill', 'end a topology: spouts stop, what is in flight is handled for a while')
    .argument('<NAME>', 'its name')
    .option('--wait <duration>', 'how long that while is: 10s; 0 for none (default: its message timeout)', parseWait)
    .option('--reason <text>', 'why, for whoever looks later')
    .action(async (name: string, { wait, reason, ...flags }: KillFlags) => {
      const { killCommand } = await import('./wishes.js');
      const { remoteEnvironment } = await import('./remote-environment.js');
      const request = {
        ...(wait === undefined ? {} : { waitMs: wait }),
        ...(reason === undefined ? {} : { reason }),
      };
      onExitCode(await killCommand(name, request, optionsOf(flags), remoteEnvironment()));
    });
}

function remote(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--host <url>', `the host (default: the variable MILLRACE_HOST, else ${DEFAULT_HOST_URL})`)
    .option('--json', 'write JSON lines to standard output')
    .addHelpText('after', EXIT_CODES)
    .exitOverride();
}

function optionsOf({ host, json }: RemoteFlags): RemoteOptions {
  return { host: host ?? null, json: json === true };
}
