// How `millrace zk` is written on the command line: its verbs, their flags and their help. What they do is loaded when
// one of them is called. Main thread.

import type { Command } from 'commander';
import { failure } from '../../engine/errors.js';
import type { ZkPlace, ZkVerb } from './zk.js';

interface ZkFlags {
  readonly zookeeper?: string;
  readonly data?: string;
  readonly user?: readonly string[];
  readonly json?: boolean;
}

const EXIT_CODES = `
What belongs to Millrace is shown decoded, everything else as JSON, text or hex. A * marks what goes with its session.
Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 not found, 4 no server there, 130 interrupted (Ctrl-C; 143 by SIGTERM,
129 by SIGHUP).`;

const VERBS: readonly (readonly [verb: ZkVerb, description: string])[] = [
  ['ls', 'list the children of a node, with what they hold'],
  ['get', 'show what a node holds'],
  ['tree', 'show a node and all below it'],
  ['stat', 'show what the store knows about a node: version, revisions, owner'],
];

/** Adds the command; `onExitCode` takes what it ends with. */
export function addZkCommand(program: Command, onExitCode: (exitCode: number) => void): void {
  const zk = program
    .command('zk')
    .description('look at the nodes that a cluster keeps in ZooKeeper, or a host in its data directory; only reads')
    .addHelpText('after', EXIT_CODES)
    .exitOverride();
  for (const [verb, description] of VERBS) {
    zk.command(verb)
      .description(description)
      .argument('[PATH]', 'the node: /topologies/words', '/')
      .option('--zookeeper <servers>', 'zk1:2181,zk2:2181,zk3:2181/prod (default: the variable MILLRACE_ZOOKEEPER)')
      .option('--data <DIR>', 'instead of servers, the data directory of a host that does not run')
      .option('--user <user:password>', 'whom to speak for; may be repeated', oneMore)
      .option('--json', 'write a JSON line for each node to standard output')
      .addHelpText('after', EXIT_CODES)
      .exitOverride()
      .action(async (path: string, flags: ZkFlags) => {
        const place = placeOf(flags, process.env['MILLRACE_ZOOKEEPER']);
        const [{ zkCommand }, { zkEnvironment }] = await Promise.all([
          import('./zk.js'),
          import('./zk-environment.js'),
        ]);
        onExitCode(await zkCommand(verb, path, { place, json: flags.json === true }, zkEnvironment()));
      });
  }
}

/**
 * Where to look, by the flags.
 *
 * @param variable - the servers where no flag says anything
 * @throws MILLRACE_CLI_USAGE
 */
export function placeOf({ zookeeper, data, user = [] }: ZkFlags, variable: string | undefined): ZkPlace {
  if (data !== undefined && zookeeper !== undefined) {
    throw usage('both --zookeeper and --data are given', 'give one of them');
  }
  if (data !== undefined) {
    if (user.length > 0) throw usage('--user is given with --data', 'a data directory asks for no user');
    return { kind: 'data', directory: data };
  }
  const servers = zookeeper ?? variable ?? '';
  if (servers === '') {
    throw usage('neither --zookeeper nor --data is given', 'say where to look: --zookeeper zk1:2181/prod');
  }
  const odd = user.find((each) => !/^[^:]+:./.test(each));
  if (odd !== undefined) throw usage('--user is not user:password', 'give both with a colon between them');
  return { kind: 'zookeeper', servers, users: user };
}

function oneMore(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function usage(reason: string, advice: string): Error {
  return failure('MILLRACE_CLI_USAGE', { reason, advice });
}
