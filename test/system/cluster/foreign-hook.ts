// Changes the number of the protocol in the one module that has it, as that is loaded.

import type { LoadHook } from 'node:module';

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  if (!url.endsWith('/dist/engine/codec/data-frame.js')) return loaded;
  const source = new TextDecoder().decode(loaded.source as Uint8Array);
  const changed = source.replace(
    /PROTOCOL_VERSION = (\d+)/,
    (_, version) => `PROTOCOL_VERSION = ${Number(version) + 1}`,
  );
  if (changed === source) throw new Error('the number of the protocol is not where it was');
  return { ...loaded, source: changed };
};
