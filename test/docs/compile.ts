// Compiles the programs that pages show, in place and as a user's would be: against the declarations of the package.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './blocks.js';

const compilerOptions = {
  target: 'es2023',
  module: 'nodenext',
  moduleResolution: 'nodenext',
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: true,
  rootDir: '.',
};

/** Compiles every file of a directory; gives what the compiler says, which is nothing when all is well. */
export async function compile(directory: string): Promise<string> {
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['**/*.ts'] }));
  // The compiler itself, because its launcher does not run under the loader that tap hands down.
  const launcher = pathToFileURL(join(root, 'node_modules/@typescript/native/lib/getExePath.js')).href;
  const { default: getExePath } = (await import(launcher)) as { default: () => string };
  const ran = spawnSync(getExePath(), ['-p', directory, '--pretty', 'false'], { cwd: directory, encoding: 'utf8' });
  return ran.stdout + ran.stderr;
}
