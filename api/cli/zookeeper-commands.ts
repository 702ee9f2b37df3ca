// How `millrace zookeeper` is written on the command line: start, stop, status, kill. What they do is loaded when one
// of them is called. Main thread.

import type { Command } from 'commander';
import { failure } from '../../engine/errors.js';
import { parsePort, parseServer, parseServers } from './arguments.js';
import type { ServerChoice } from '../../coordination/ensemble/ensemble.js';

interface Flags {
  readonly data: string;
  readonly json?: boolean;
}

interface StartFlags extends Flags {
  readonly servers?: number;
  readonly port?: number;
}

interface KillFlags extends Flags {
  readonly leader?: boolean;
  readonly follower?: boolean;
}

const EXIT_CODES = `
Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 no such ensemble or server, 130 interrupted (Ctrl-C; 143 by SIGTERM,
129 by SIGHUP).`;

const STATUS_EXIT_CODES = `
Exit codes: 0 it serves clients, 1 failed, 2 wrong usage, 3 no such ensemble, 4 it does not serve clients.`;

const START_HELP = `
Needs Java and ZooKeeper: on Debian apt-get install -y --no-install-recommends zookeeper, elsewhere JAVA_HOME and
ZOOKEEPER_HOME. The servers run on after this command, on 127.0.0.1 only, until millrace zookeeper stop. In a directory
that holds an ensemble, those of its servers are started that are down, on the ports that they had.
${EXIT_CODES}`;

/** Adds the command; `onExitCode` takes what it ends with. */
export function addZooKeeperCommands(program: Command, onExitCode: (exitCode: number) => void): void {
  const zookeeper = program
    .command('zookeeper')
    .description('run a real ZooKeeper ensemble on this machine, to try things out')
    .exitOverride();
  one(zookeeper, 'start', 'start the servers of an ensemble and wait until they serve clients', START_HELP)
    .option('--servers <n>', '1, 3 or 5 (default: 3)', parseServers)
    .option('--port <port>', 'of the first server; the others follow (default: free ports)', parsePort)
    .action(async ({ data, servers, port, json }: StartFlags) => {
      const { startCommand, zooKeeperEnvironment } = await load();
      const request = {
        directory: data,
        ...(servers === undefined ? {} : { servers }),
        ...(port === undefined ? {} : { port }),
      };
      onExitCode(await startCommand(request, json === true, zooKeeperEnvironment()));
    });
  one(zookeeper, 'stop', 'end all servers; their data stays', EXIT_CODES).action(async ({ data, json }: Flags) => {
    const { stopCommand, zooKeeperEnvironment } = await load();
    onExitCode(await stopCommand(data, json === true, zooKeeperEnvironment()));
  });
  one(zookeeper, 'status', 'show what each server does', STATUS_EXIT_CODES).action(async ({ data, json }: Flags) => {
    const { statusCommand, zooKeeperEnvironment } = await load();
    onExitCode(await statusCommand(data, json === true, zooKeeperEnvironment()));
  });
  one(zookeeper, 'kill', 'kill a server (kill -9), to see what follows; start brings it back', EXIT_CODES)
    .argument('[SERVER]', 'its number', parseServer)
    .option('--leader', 'the one that leads')
    .option('--follower', 'one that follows')
    .action(async (server: number | undefined, { data, leader, follower, json }: KillFlags) => {
      const which = choiceOf(server, leader === true, follower === true);
      const { killServerCommand, zooKeeperEnvironment } = await load();
      onExitCode(await killServerCommand(data, which, json === true, zooKeeperEnvironment()));
    });
}

async function load(): Promise<typeof import('./zookeeper.js')> {
  return await import('./zookeeper.js');
}

function one(zookeeper: Command, name: string, description: string, help: string): Command {
  return zookeeper
    .command(name)
    .description(description)
    .requiredOption('-d, --data <DIR>', 'the directory of the ensemble')
    .option('--json', 'write JSON lines to standard output')
    .addHelpText('after', help)
    .exitOverride();
}

function choiceOf(server: number | undefined, leader: boolean, follower: boolean): ServerChoice {
  const choices: ServerChoice[] = [];
  if (server !== undefined) choices.push(server);
  if (leader) choices.push('leader');
  if (follower) choices.push('follower');
  const [choice] = choices;
  if (choice !== undefined && choices.length === 1) return choice;
  const reason = choice === undefined ? 'no server is named' : 'more than one server is named';
  throw failure('MILLRACE_CLI_USAGE', {
    reason,
    advice: 'give one of --leader, --follower, or the number of a server',
  });
}
