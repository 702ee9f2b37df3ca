// How `millrace host` is written on the command line: its flags with their defaults, and its help. What it does is
// loaded when it is called. Main thread.

import type { Command } from 'commander';
import { parseLabel, parsePorts, parseSlots } from './arguments.js';
import type { LinkFlags } from './host-messages.js';
import { parseSessionTimeout } from './wait.js';

interface HostFlags {
  readonly listen: string;
  readonly data?: string;
  readonly slots?: number;
  readonly files?: string;
  readonly zookeeper?: string;
  readonly name?: string;
  readonly label?: readonly string[];
  readonly sessionTimeout?: number;
  readonly address?: string;
  readonly ports?: readonly [number, number];
  readonly secretFile?: string;
  readonly tlsKey?: string;
  readonly tlsCert?: string;
  readonly tlsCa?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

const EXIT_CODES = `
Exit codes: 0 ended by SIGTERM, 130 by Ctrl-C, 1 it could not start, 2 wrong usage, 3 a directory was not found. A host
process that dies is started again. Without --data nothing is kept when the command ends.`;

/** Adds the command; `onExitCode` takes what it ends with. */
export function addHostCommand(program: Command, onExitCode: (exitCode: number) => void): void {
  program
    .command('host')
    .description('run a host: takes topologies over HTTP and runs them, also again after a crash')
    .option('-l, --listen <address>', 'where to listen: a loopback address; port 0 is a free one', '127.0.0.1:7070')
    .option('-d, --data <DIR>', 'where topologies and the progress of their spouts are kept')
    .option('--slots <n>', 'worker threads at a time (default: one a processor, at least two)', parseSlots)
    .option('--files <DIR>', 'the only directory whose files submitted documents may use (default: none)')
    .option('-z, --zookeeper <servers>', 'the ensemble of a cluster: zk1:2181,zk2:2181,zk3:2181/prod (default: none)')
    .option('--name <name>', 'of this host, like no other one of its cluster (default: "local")')
    .option('--label <label>', 'what topologies may ask for, as gpu or zone-a; may be repeated', parseLabel)
    .option('--session-timeout <duration>', 'silence after which ZooKeeper gives the host up', parseSessionTimeout)
    .option('--address <ip>', 'of this machine, where other hosts of the cluster reach it (default: "127.0.0.1")')
    .option('--ports <first-last>', 'that it listens on for them, one and one a worker (default: any)', parsePorts)
    .option('--secret-file <FILE>', 'a secret that all hosts know; it, or certificates, are needed off loopback')
    .option('--tls-key <FILE>', 'the key of its certificate for links to other hosts, as PEM')
    .option('--tls-cert <FILE>', 'its certificate')
    .option('--tls-ca <FILE>', 'the authority of the certificates of all hosts')
    .option('--json', 'write JSON lines to standard output')
    .option('--verbose', 'say more on standard error')
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .action(async (flags: HostFlags) => {
      const { listen, data, slots, files, zookeeper, name, label, sessionTimeout, json, verbose } = flags;
      const [{ hostCommand, startHostProcess }, { hostEnvironment }, { keepHostLog }] = await Promise.all([
        import('./host.js'),
        import('./host-environment.js'),
        import('./host-log.js'),
      ]);
      const request = {
        listen,
        dataDirectory: data ?? null,
        filesDirectory: files ?? null,
        slots: slots ?? null,
        zookeeper: zookeeper ?? null,
        name: name ?? null,
        labels: label ?? [],
        sessionTimeoutMs: sessionTimeout ?? null,
        links: linksOf(flags),
        json: json === true,
        verbose: verbose === true,
      };
      const environment = hostEnvironment(request.json, startHostProcess);
      keepHostLog(process.env, (line) => environment.output.say(line));
      onExitCode(await hostCommand(request, environment));
    });
}

function linksOf({ address, ports, secretFile, tlsKey, tlsCert, tlsCa }: HostFlags): LinkFlags {
  return {
    address: address ?? null,
    ports: ports ?? null,
    secretFile: secretFile ?? null,
    tlsKey: tlsKey ?? null,
    tlsCert: tlsCert ?? null,
    tlsCa: tlsCa ?? null,
  };
}
