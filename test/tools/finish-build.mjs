// After the compiler: makes the command executable, and takes out of dist what has no source any more, so that no test
// of a deleted file runs and no deleted module is packed. Says nothing when there is nothing wrong.

import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const dist = join(root, 'dist');

for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  const compiled = join(entry.parentPath ?? entry.path, entry.name);
  const stem = /^(.*)\.(?:js|js\.map|d\.ts)$/.exec(compiled.slice(dist.length + 1))?.[1];
  if (entry.isFile() && stem !== undefined && !existsSync(join(root, `${stem}.ts`))) rmSync(compiled);
}

const command = join(dist, 'api/cli/main.js');
if (existsSync(command)) chmodSync(command, 0o755);
