// How `millrace cluster` is written on the command line: up, status, down. What they do is loaded when one of them is
// called. Main thread.

import type { Command } from 'commander';
import { parseHosts, parsePort, parseServers, parseSlots } from './arguments.js';
import { CLUSTER_DIRECTORY } from './default-host.js';

interface Flags {
  readonly data: string;
  readonly json?: boolean;
}

interface UpFlags extends Flags {
  readonly hosts: number;
  readonly servers?: number;
  readonly port?: number;
  readonly slots?: number;
  readonly files?: string;
}

const HOSTS = 3;

const EXIT_CODES = `
Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 no such cluster, 130 interrupted (Ctrl-C; 143 by SIGTERM, 129 by SIGHUP).`;

const STATUS_EXIT_CODES = `
Exit codes: 0 it takes requests, 1 failed, 2 wrong usage, 3 no such cluster, 4 it takes no requests.`;

const UP_HELP = `
Needs Java and ZooKeeper: on Debian apt-get install -y --no-install-recommends zookeeper, elsewhere JAVA_HOME and
ZOOKEEPER_HOME. All of it runs on after this command, on 127.0.0.1 only, until millrace cluster down. What was
submitted and the progress of spouts stay in the directory, so the next up goes on with them. When a part does not
start, or this is interrupted, nothing is left running.
${EXIT_CODES}`;

/** Adds the command; `onExitCode` takes what it ends with. */
export function addClusterCommand(program: Command, onExitCode: (exitCode: number) => void): void {
  const cluster = program
    .command('cluster')
    .description('run a whole cluster on this machine, to try things out')
    .exitOverride();
  one(cluster, 'up', 'start a ZooKeeper ensemble and hosts on it', UP_HELP)
    .option('--hosts <n>', 'how many hosts', parseHosts, HOSTS)
    .option('--servers <n>', 'ZooKeeper servers: 1, 3 or 5 (default: 3)', parseServers)
    .option('--port <port>', 'of the first host; the others follow (default: 7070, or free ones)', parsePort)
    .option('--slots <n>', 'worker threads of each host (default: one a processor, at least two)', parseSlots)
    .option('--files <DIR>', 'the only directory whose files submitted documents may use (default: none)')
    .action(async ({ data, hosts, servers, port, slots, files, json }: UpFlags) => {
      const { clusterEnvironment, upCommand } = await load();
      const request = {
        directory: data,
        hosts,
        servers: servers ?? null,
        port: port ?? null,
        slots: slots ?? null,
        filesDirectory: files ?? null,
      };
      onExitCode(await upCommand(request, json === true, clusterEnvironment()));
    });
  one(cluster, 'status', 'show what each server and host does', STATUS_EXIT_CODES).action(
    async ({ data, json }: Flags) => {
      const { clusterEnvironment, statusCommand } = await load();
      onExitCode(await statusCommand(data, json === true, clusterEnvironment()));
    },
  );
  one(cluster, 'down', 'end the hosts, then the servers; their data stays', EXIT_CODES).action(
    async ({ data, json }: Flags) => {
      const { clusterEnvironment, downCommand } = await load();
      onExitCode(await downCommand(data, json === true, clusterEnvironment()));
    },
  );
}

async function load(): Promise<typeof import('./cluster.js')> {
  return await import('./cluster.js');
}

function one(cluster: Command, name: string, description: string, help: string): Command {
  return cluster
    .command(name)
    .description(description)
    .option('-d, --data <DIR>', 'the directory of the cluster', CLUSTER_DIRECTORY)
    .option('--json', 'write a JSON line to standard output')
    .addHelpText('after', help)
    .exitOverride();
}
