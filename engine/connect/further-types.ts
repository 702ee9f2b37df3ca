// Types of components that come with Millrace but need more than the engine. The engine imports none of them: it knows
// the names under which users import their modules, and loads these when a document names a type that is not its own.
// The name leads to the same module wherever this installation lies, so the throw-away thread that reads a definition,
// each worker and each process find the same. Any thread.

import type { ComponentRegistry, ComponentType } from '../model/registry.js';

/** Modules that export `types`. */
const MODULES: readonly string[] = ['millrace/connect/zookeeper/types'];

/**
 * The types that a document can name: those of the engine, and all others as soon as it names one that is not among
 * them.
 */
export async function typesFor(document: unknown, builtins: ComponentRegistry): Promise<ComponentRegistry> {
  return namesOthers(document, builtins) ? new Map([...builtins, ...(await furtherTypes())]) : builtins;
}

/** The types of all further modules. */
export async function furtherTypes(): Promise<ComponentRegistry> {
  const modules = await Promise.all(MODULES.map(async (name) => (await import(name)) as TypesModule));
  return new Map(modules.flatMap(({ types }) => types.map((type) => [type.type, type])));
}

interface TypesModule {
  readonly types: readonly ComponentType[];
}

/** What is no document yet, or a wrong one, is the business of whoever reads it. */
function namesOthers(document: unknown, builtins: ComponentRegistry): boolean {
  return ['spouts', 'bolts'].some((section) =>
    Object.values(recordOf(recordOf(document)[section])).some((component) => {
      const { type } = recordOf(component);
      return typeof type === 'string' && !builtins.has(type);
    }),
  );
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
