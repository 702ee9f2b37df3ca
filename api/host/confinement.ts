// Which files a document that came from outside names, and where it listens, and whether it may: files inside the
// directory that the host was given for that, or none, and loopback addresses. Checked when it is taken in, so that its
// author is told; components check again when they open a file (engine/connect/file/confine.ts). Main thread.

import { isMillraceError, problem, type Problem } from '../../engine/errors.js';
import { placeOf, settingPath, type Settings } from '../../engine/model/settings.js';
import { isLoopback } from '../loopback.js';

type JsonObject = Readonly<Record<string, unknown>>;

/** One text that names a file or an address, and where it stands. */
interface Named {
  readonly text: string;
  readonly place: string;
}

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
  for (const component of componentsOf(document)) {
    const { paths = [], addresses = [] } = builtins.get(String(component.settings['type'])) ?? {};
    for (const file of namedIn(component, paths, settings)) problems.push(fileProblem(file, directory, confinePath));
    for (const address of namedIn(component, addresses, settings)) problems.push(addressProblem(address));
  }
  return problems.filter((each) => each !== null);
}

function fileProblem(
  { text, place }: Named,
  directory: string | null,
  confinePath: (path: string, root: string) => string,
): Problem | null {
  if (directory === null) return problem('MILLRACE_FILE_REFUSED', place, { path: text });
  try {
    confinePath(text, directory);
    return null;
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    return { code: error.code, path: place, message: error.message, hint: error.hint };
  }
}

function addressProblem({ text, place }: Named): Problem | null {
  if (text === 'localhost' || isLoopback(text)) return null;
  return problem('MILLRACE_LISTEN_REFUSED', place, { address: text });
}

interface Component {
  readonly kind: 'spout' | 'bolt';
  readonly id: string;
  readonly settings: JsonObject;
}

function* componentsOf(document: unknown): Generator<Component> {
  for (const kind of ['spout', 'bolt'] as const) {
    for (const [id, component] of Object.entries(recordOf(recordOf(document)[`${kind}s`]))) {
      yield { kind, id, settings: recordOf(component) };
    }
  }
}

/** The texts under these keys, as they are after every override: one, or a list of them. */
function* namedIn({ kind, id, settings }: Component, keys: readonly string[], overrides: Settings): Generator<Named> {
  for (const key of keys) {
    const override = `${id}.${key}`;
    const isOverridden = Object.hasOwn(overrides, override);
    const given = isOverridden ? overrides[override] : recordOf(settings['config'])[key];
    const place = isOverridden ? settingPath(override) : placeOf(kind, id, key);
    if (typeof given === 'string') yield { text: given, place };
    if (!Array.isArray(given)) continue;
    for (const [index, text] of (given as readonly unknown[]).entries()) {
      if (typeof text === 'string') yield { text, place: `${place}[${index}]` };
    }
  }
}

function recordOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}
