// How modules of a copy (copies.ts) find each other: whoever belongs to one imports the others of it by the query that
// it was imported with itself. Without a query, as tests import them, that is the copy which has none.

/** That module, beside this one, in the copy with that query. */
export async function copyOf<Module>(specifier: string, query: string): Promise<Module> {
  return (await import(`${specifier}${query}`)) as Module;
}

/** That module, beside this one, in the copy that the importing one belongs to. */
export function sameCopy<Module>(specifier: string, importer: string): Promise<Module> {
  return copyOf<Module>(specifier, new URL(importer).search);
}
