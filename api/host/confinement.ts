// Which files a document that came from outside names, and where it listens, and whether it may: files inside the
// directory that the host was given for that, or none, and loopback addresses. Checked when it is taken in, so that its
// author is told; components check again when they open a file (engine/connect/file/confine.ts). Main thread.

import { isMillraceError, problem, type Problem } from '../../engine/errors.js';
import { isLoopback } from '../loopback.js';
import type { Settings } from '../../engine/model/settings.js';

type JsonObject = Readonly<Record<string, unknown>>;

/** The problems of all built-in components in it that use files or listen. What else is wrong is found elsewhere. */
export async function confinementProblems(
  document: unknown,
  settings: Settings,
  directory: string | null,
): Promise<readonly Problem[]> {
  const [{ builtins }, { confinePath }] = await Promise.all([
    import('../../engine/connect/registry.js'),
    import('../../engine/connect/file/confine.js'),
  ]);
  const problems: (Problem | null)[] = [];
  for (const { path, id, component } of componentsOf(document)) {
    const type = builtins.get(String(component['type']));
    const given = (key: string): unknown => settings[`${id}.${key}`] ?? recordOf(component['config'])[key];
    for (const key of type?.paths ?? []) {
      for (const file of textsOf(given(key))) {
        problems.push(fileProblem(file, `${path}.config.${key}`, directory, confinePath));
      }
    }
    for (const key of type?.addresses ?? []) {
      for (const address of textsOf(given(key))) problems.push(addressProblem(address, `${path}.config.${key}`));
    }
  }
  return problems.filter((each) => each !== null);
}

function fileProblem(
  file: string,
  place: string,
  directory: string | null,
  confinePath: (path: string, root: string) => string,
): Problem | null {
  if (directory === null) return problem('MILLRACE_FILE_REFUSED', place, { path: file });
  try {
    confinePath(file, directory);
    return null;
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    return { code: error.code, path: place, message: error.message, hint: error.hint };
  }
}

function addressProblem(address: string, place: string): Problem | null {
  if (address === 'localhost' || isLoopback(address)) return null;
  return problem('MILLRACE_LISTEN_REFUSED', place, { address });
}

/** One text or a list of them; what is neither is found elsewhere. */
function textsOf(value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((each) => typeof each === 'string');
}

function* componentsOf(document: unknown): Generator<{ path: string; id: string; component: JsonObject }> {
  for (const section of ['spouts', 'bolts']) {
    for (const [id, component] of Object.entries(recordOf(recordOf(document)[section]))) {
      yield { path: `${section}.${id}`, id, component: recordOf(component) };
    }
  }
}

function recordOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
