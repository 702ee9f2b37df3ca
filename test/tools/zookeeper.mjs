// Sees to it that ZooKeeper servers can be started: where they cannot, installs Debian's package as root, or says in
// one line what to install and fails. Of the package only the program is wanted: `zookeeperd`, which would start a
// service at once, is another one.
//   node test/tools/zookeeper.mjs

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findZooKeeper } from '../../dist/coordination/ensemble/installation.js';

/** Long enough for 200 MB over a slow line. */
const TIMEOUT_MS = 600_000;

const missing = await whatIsMissing();
if (missing !== null) await install(missing);

async function install(why) {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !isInPath('apt-get') || (process.env.ZOOKEEPER_HOME ?? '') !== '') {
    refuse(`${why.message}; ${why.hint}`);
    return;
  }
  // Another program may be installing something.
  const wait = ['-o', 'DPkg::Lock::Timeout=300'];
  const failed =
    aptGet(['update', '-qq', ...wait]) ??
    aptGet(['install', '-y', '-qq', ...wait, '--no-install-recommends', 'zookeeper']);
  const still = await whatIsMissing();
  if (still === null) process.stdout.write('installed the package zookeeper\n');
  else refuse(`${failed ?? 'apt-get ended well'}, but ${still.message}; ${still.hint}`);
}

async function whatIsMissing() {
  try {
    await findZooKeeper();
    return null;
  } catch (error) {
    return error;
  }
}

/** Null when it went well, else the last that it said. */
function aptGet(args) {
  const { status, stdout, stderr, error } = spawnSync('apt-get', args, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  if (status === 0) return null;
  const said = error?.message ?? `${stdout}${stderr}`.trim().split('\n').at(-1);
  return `apt-get ${args[0]} failed: ${said}`;
}

function isInPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function refuse(text) {
  process.stdout.write(`${text.replaceAll('\n', ' ')}\n`);
  process.exitCode = 1;
}
