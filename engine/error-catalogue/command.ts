// What is wrong with a topology file before anything runs: it does not bundle, its definition cannot be read; and with
// a command line that cannot be understood. Part of the catalogue in errors.ts, which says how an entry is written.
// Pure data, any thread.

import type { Entry } from './entry.js';

export const commandErrors = {
  MILLRACE_BUNDLE_SYNTAX: {
    status: 400,
    message: '"{file}" does not compile, at {where}: {reason}{frame}',
    hint: 'mend that place and start it again; nothing was started',
  },
  MILLRACE_BUNDLE_IMPORT: {
    status: 400,
    message: '"{file}" needs "{specifier}", which cannot be found; it is imported at {where}{frame}',
    hint: '{advice}',
  },
  MILLRACE_BUNDLE_ADDON: {
    status: 400,
    message: '"{file}" needs the native add-on "{addon}", imported at {where}{frame}',
    hint: 'a bundle that is sent to a host holds JavaScript only: use a package without native code, or run it with millrace run',
  },
  MILLRACE_BUNDLE_FAILED: {
    status: 500,
    message: '"{file}" could not be bundled: {reason}',
    hint: 'the bundler or its temporary directory failed, not the topology; check the installation and the free disk space',
  },
  MILLRACE_RUN_FILE_MISSING: {
    status: 404,
    message: 'there is no topology file "{file}"',
    hint: '{advice}',
  },
  MILLRACE_RUN_FILE_UNREADABLE: {
    status: 400,
    message: 'the topology file "{file}" cannot be read: {reason}',
    hint: 'give a regular file that this user may read',
  },
  MILLRACE_RUN_FILE_KIND: {
    status: 400,
    message: '"{file}" is not a kind of file that holds a topology',
    hint: 'give a module (.ts, .mts, .js, .mjs) that default-exports a topology, or a JSON document (.json)',
  },
  MILLRACE_RUN_INTERRUPTED: {
    status: 400,
    message: '{signal} came while the topology was being {phase}',
    hint: 'no tuple was handled; start it again when you like',
  },
  MILLRACE_ZK_DATA: {
    status: 404,
    message: '"{directory}" is not the data directory of a host',
    hint: 'name what millrace host was given as --data; there is nothing to see before it has started once',
  },
  MILLRACE_PROCESSES_MISSING: {
    status: 404,
    message: 'there is no file "{file}" that says which processes there are',
    hint: 'check the path; it is taken from the current directory, that of a secret from the directory of the file',
  },
  MILLRACE_PROCESSES_INVALID: {
    status: 400,
    message: 'the file of processes "{file}" is not valid: {reason}',
    hint: 'it looks like this: {example}',
  },
  MILLRACE_PROCESSES_NAME: {
    status: 404,
    message: 'no member is called "{member}" in "{file}"',
    hint: 'its members: {known}',
  },
  MILLRACE_DEFINITION_THREW: {
    status: 400,
    message: '"{file}" threw while it was loading{where}: {reason}',
    hint: 'a topology module only defines; open files and connections in the open or prepare of a component',
  },
  MILLRACE_DEFINITION_REJECTED: {
    status: 400,
    message: '"{file}" left a promise rejected while it was loading{where}: {reason}',
    hint: 'await the promise or catch its rejection; better, move that work into the open or prepare of a component',
  },
  MILLRACE_DEFINITION_EXITED: {
    status: 400,
    message: '"{file}" ended its process while it was loading{where}: process.exit({exitCode})',
    hint: 'a topology module only defines; throw an error where it cannot, and never call process.exit()',
  },
  MILLRACE_DEFINITION_TIMEOUT: {
    status: 400,
    message: '"{file}" was not loaded within {seconds} s',
    hint: 'look for an endless loop, or for a top-level await on something slow; move that work into the open or prepare of a component',
  },
  MILLRACE_DEFINITION_UNSETTLED: {
    status: 400,
    message: '"{file}" never finished loading: it awaits a promise at its top level that nothing settles',
    hint: 'settle that promise, or move the await into the open or prepare of a component',
  },
  MILLRACE_DEFINITION_MEMORY: {
    status: 400,
    message: '"{file}" needed more than {heapMegabytes} MB of heap while it was loading',
    hint: 'load data in the open or prepare of a component, not while the topology is defined',
  },
  MILLRACE_DEFINITION_EXPORT: {
    status: 400,
    message: '"{file}" default-exports {found} instead of a topology',
    hint: '{advice}',
  },
  MILLRACE_DEFINITION_THREAD: {
    status: 500,
    message: 'the definition of "{file}" could not be read: {reason}',
    hint: 'the thread that reads it ended by itself; this is not a fault that the module reported',
  },
  MILLRACE_CLI_USAGE: {
    status: 400,
    message: '{reason}',
    hint: '{advice}',
  },
  MILLRACE_CLI_OUTPUT: {
    status: 500,
    message: 'standard output could not be written: {reason}',
    hint: 'the topology was drained and stopped, because what its components print would be lost; check where the output goes',
  },
} as const satisfies Record<string, Entry>;
