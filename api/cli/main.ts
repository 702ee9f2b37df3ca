#!/usr/bin/env node
// The command `millrace`: reads the command line, and loads what a sub-command needs only when it is called, so that
// help and mistakes are told at once. Standard output carries data, standard error talk; exit codes are in exit.ts.
// Main thread.

import { Command, CommanderError, Option } from 'commander';
import { failure, toWire } from '../../engine/errors.js';
import type { ParameterValues } from '../../engine/model/parameters.js';
import type { Settings } from '../../engine/model/settings.js';
import { installedVersion } from '../installation.js';
import { parseParameter, parseSetting, parseWorkers } from './arguments.js';
import { errorLine, formatError } from './error-text.js';
import { EXIT_FAILED, EXIT_OK, exitCodeOf } from './exit.js';
import { addClusterCommand } from './cluster-command.js';
import { addHostCommand } from './host-command.js';
import { addMemberCommand } from './member-command.js';
import { addParameterCommands } from './parameter-commands.js';
import { addRemoteCommands } from './remote-commands.js';
import { summaryOf } from './summary.js';
import { addZooKeeperCommands } from './zookeeper-commands.js';
import { addZkCommand } from './zk-command.js';

interface RunOptions {
  readonly workers?: number;
  readonly processes?: string;
  readonly set?: Settings;
  readonly parameter?: ParameterValues;
  readonly json?: boolean;
}

const EXIT_CODES = `
Exit codes: 0 completed, 1 failed, 2 wrong usage, 3 FILE not found, 4 unreachable, 130 interrupted (Ctrl-C; 143 by
SIGTERM, 129 by SIGHUP). The first signal drains: spouts stop, what is in flight is handled. The second one stops at
once, the third one leaves without waiting.`;

function makeProgram(onExitCode: (exitCode: number) => void): Command {
  const program = new Command('millrace')
    .description('Stream processing: topologies of spouts and bolts in worker threads')
    .version(installedVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  program
    .command('run')
    .description('run a topology in this process until it completes')
    .argument('<FILE>', 'a module (.ts, .mts, .js, .mjs) that default-exports a topology, or a JSON document (.json)')
    .option('-w, --workers <n>', 'worker threads (default: what the topology says)', parseWorkers)
    .option(
      '-s, --set <key=value>',
      'override a setting: messageTimeout=10s, component.key=value; may be repeated',
      parseSetting,
    )
    .option(
      '--parameter <key=value>',
      'a value that components see as context.parameters; may be repeated',
      parseParameter,
    )
    .addOption(
      new Option(
        '-p, --processes <PLAN>',
        'lead the processes that this file names: their workers, those of this one among them, run the topology',
      ).conflicts('workers'),
    )
    .option('--json', 'write JSON lines to standard output, the last one a summary')
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .action(async (file: string, { workers, processes, set, parameter, json }: RunOptions) => {
      const { runCommand } = await import('./run.js');
      const { processEnvironment } = await import('./environment.js');
      const request = {
        file,
        workers: workers ?? null,
        processes: processes ?? null,
        settings: set ?? {},
        parameters: parameter ?? {},
        json: json === true,
      };
      onExitCode(await runCommand(request, processEnvironment()));
    });
  addMemberCommand(program, onExitCode);
  addHostCommand(program, onExitCode);
  addRemoteCommands(program, onExitCode);
  addParameterCommands(program, onExitCode);
  addClusterCommand(program, onExitCode);
  addZooKeeperCommands(program, onExitCode);
  addZkCommand(program, onExitCode);
  return program;
}

async function main(): Promise<number> {
  let exitCode = EXIT_OK;
  const program = makeProgram((code) => (exitCode = code));
  const commands = program.commands.map((command) => command.name());
  try {
    await program.parseAsync();
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT_OK;
    const error = toWire(thrown instanceof CommanderError ? usageFailure(thrown, commands) : thrown);
    process.stderr.write(`${formatError(error)}\n`);
    if (process.argv.includes('--json')) {
      const isRun = process.argv[2] === 'run';
      const last = isRun
        ? summaryOf({ topology: null, end: 'failed', seconds: 0, status: null, error })
        : errorLine(error);
      process.stdout.write(`${JSON.stringify(last)}\n`);
    }
    return error.code === null ? EXIT_FAILED : exitCodeOf(error);
  }
}

/** commander's own complaints, with its suggestion as the hint. */
function usageFailure({ code, message }: CommanderError, commands: readonly string[]): Error {
  const [first = message, ...rest] = message.replace(/^error: /, '').split('\n');
  const suggestion = /\(Did you mean (?<names>.+)\?\)/.exec(rest.join(' '))?.groups?.['names'];
  const help = `see millrace ${commands.includes(process.argv[2] ?? '') ? `${process.argv[2]} ` : ''}--help`;
  if (code === 'commander.help') return failure('MILLRACE_CLI_USAGE', { reason: 'no command is given', advice: help });
  const advice = suggestion === undefined ? help : `did you mean ${suggestion}? ${help}`;
  return failure('MILLRACE_CLI_USAGE', { reason: first, advice });
}

const exitCode = await main();
await Promise.all(
  [process.stdout, process.stderr].map(async (stream) => {
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }),
);
process.exit(exitCode);
