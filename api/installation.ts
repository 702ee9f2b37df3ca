// Where this installation of Millrace lies, and which files its import names stand for. The names are taken from the
// `exports` of its own package.json by self-reference, so the answer is the same in the repository, in an installed
// package, and for a topology file that lies outside any node_modules. Main thread; reads files only when asked.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NAME = 'millrace';

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

/** The directory that holds this installation's package.json. */
export function installationRoot(): string {
  return dirname(fileURLToPath(import.meta.resolve(`${NAME}/package.json`)));
}

/** The version of this installation. */
export function installedVersion(): string {
  return readManifest().version;
}

/** Whether an import names this package: `millrace` or `millrace/…`. */
export function isOwnSpecifier(specifier: string): boolean {
  return specifier === NAME || specifier.startsWith(`${NAME}/`);
}

/** The file that an import of `millrace` or `millrace/…` stands for, or null when the package has no such export. */
export function resolveOwn(specifier: string): string | null {
  try {
    const path = fileURLToPath(import.meta.resolve(specifier));
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

/** Every name under which a module can be imported from this package, in the order of its exports. */
export function ownSpecifiers(): string[] {
  const root = installationRoot();
  const names: string[] = [];
  for (const [key, target] of Object.entries(readManifest().exports)) {
    const file = targetOf(target);
    if (file === null || !file.endsWith('.js')) continue;
    const [before, after] = file.split('*', 2);
    if (before === undefined || after === undefined) {
      names.push(NAME + key.slice(1));
      continue;
    }
    for (const entry of listDirectory(join(root, before))) {
      if (existsSync(join(root, before, entry + after))) names.push(NAME + key.slice(1).replace('*', entry));
    }
  }
  return names;
}

function readManifest(): Manifest {
  return JSON.parse(readFileSync(join(installationRoot(), 'package.json'), 'utf8')) as Manifest;
}

function targetOf(target: unknown): string | null {
  if (typeof target === 'string') return target;
  if (typeof target !== 'object' || target === null) return null;
  const conditions = target as Readonly<Record<string, unknown>>;
  return typeof conditions['default'] === 'string' ? conditions['default'] : null;
}

function listDirectory(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}
