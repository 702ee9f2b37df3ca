// Writes the parts of the pages that follow from the code (test/docs/parts.ts), from what is built: all pages of docs/,
// or those that are named.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { filled } from '../../dist/test/docs/parts.js';

const docs = new URL('../../docs/', import.meta.url);
const named = process.argv.slice(2);

for (const name of readdirSync(docs)) {
  if (!name.endsWith('.md') || (named.length > 0 && !named.includes(name))) continue;
  const page = readFileSync(new URL(name, docs), 'utf8');
  const text = await filled(page, `docs/${name}`);
  if (text !== page) writeFileSync(new URL(name, docs), text);
}
