// How `millrace parameters` is written on the command line: get, set, unset. What they do is loaded when one of them is
// called. Main thread.

import type { Command } from 'commander';
import type { ParameterValues } from '../../engine/model/parameters.js';
import { parseParameter } from './arguments.js';
import { DEFAULT_HOST_URL } from './default-host.js';

interface Flags {
  readonly topology?: string;
  readonly host?: string;
  readonly json?: boolean;
}

interface SetFlags extends Flags {
  readonly replace?: boolean;
}

const EXIT_CODES = `
Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 not found, 4 no host there, 130 interrupted (Ctrl-C; 143 by SIGTERM,
129 by SIGHUP).`;

/** Adds the command; `onExitCode` takes what it ends with. */
export function addParameterCommands(program: Command, onExitCode: (exitCode: number) => void): void {
  const parameters = program
    .command('parameters')
    .description('show and change what components see while they run')
    .exitOverride();
  one(parameters, 'get', 'show what is set').action(async ({ topology, ...flags }: Flags) => {
    const { getParametersCommand, remoteEnvironment } = await load();
    onExitCode(await getParametersCommand(topology ?? null, optionsOf(flags), remoteEnvironment()));
  });
  one(parameters, 'set', 'set parameters; running components are told')
    .argument('<key=value...>', 'a value that is JSON is that, any other text is a string')
    .option('--replace', 'what is not named is not set any more')
    .action(async (texts: readonly string[], { topology, replace, ...flags }: SetFlags) => {
      const { setParametersCommand, remoteEnvironment } = await load();
      const values = texts.reduce<ParameterValues>((before, text) => parseParameter(text, before), {});
      const options = optionsOf(flags);
      onExitCode(await setParametersCommand(topology ?? null, values, replace === true, options, remoteEnvironment()));
    });
  one(parameters, 'unset', 'take parameters away')
    .argument('<key...>', 'their keys')
    .action(async (keys: readonly string[], { topology, ...flags }: Flags) => {
      const { unsetParametersCommand, remoteEnvironment } = await load();
      onExitCode(await unsetParametersCommand(topology ?? null, keys, optionsOf(flags), remoteEnvironment()));
    });
}

function one(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .option('--topology <NAME>', 'those of a topology (default: those of the cluster)')
    .option('--host <url>', `the host (default: the variable MILLRACE_HOST, else ${DEFAULT_HOST_URL})`)
    .option('--json', 'write JSON lines to standard output')
    .addHelpText('after', EXIT_CODES)
    .exitOverride();
}

function optionsOf({ host, json }: Pick<Flags, 'host' | 'json'>): {
  readonly host: string | null;
  readonly json: boolean;
} {
  return { host: host ?? null, json: json === true };
}

async function load() {
  const [commands, { remoteEnvironment }] = await Promise.all([
    import('./parameters.js'),
    import('./remote-environment.js'),
  ]);
  return { ...commands, remoteEnvironment };
}
