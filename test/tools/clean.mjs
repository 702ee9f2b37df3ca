// Takes away everything that building and testing makes; what is installed stays.

import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

for (const made of ['dist', 'coverage', '.tap']) {
  rmSync(fileURLToPath(new URL(`../../${made}`, import.meta.url)), { recursive: true, force: true });
}
