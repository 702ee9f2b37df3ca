// How `millrace member` is written on the command line: its flags and its help. What it does is loaded when it is
// called. Main thread.

import type { Command } from 'commander';

interface MemberFlags {
  readonly processes: string;
  readonly name: string;
}

const EXIT_CODES = `
Exit codes: 0 the topology is over, 1 failed, 2 wrong usage, 3 a file was not found, 130 interrupted (Ctrl-C; 143 by
SIGTERM, 129 by SIGHUP). How the topology ended is told by the lead.`;

/** Adds the command; `onExitCode` takes what it ends with. */
export function addMemberCommand(program: Command, onExitCode: (exitCode: number) => void): void {
  program
    .command('member')
    .description('run workers for a topology that another process leads: millrace run FILE --processes PLAN')
    .argument('<FILE>', 'the topology file, the same one as that of the lead')
    .requiredOption('-p, --processes <PLAN>', 'the file that says which processes there are, the same one everywhere')
    .requiredOption('-n, --name <name>', 'which of the members in that file this is')
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .action(async (file: string, { processes, name }: MemberFlags) => {
      const [{ memberCommand }, { memberEnvironment }] = await Promise.all([
        import('./member.js'),
        import('./member-environment.js'),
      ]);
      onExitCode(await memberCommand({ file, processes, name }, memberEnvironment()));
    });
}
