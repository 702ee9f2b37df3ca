// Reads the fenced blocks of code of a page, for the tests that run what the pages show. Pure.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory of the project. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** One fenced block of code. */
export interface CodeBlock {
  /** `ts`, `sh`, `json`, `text`; empty where the page says nothing. */
  readonly language: string;
  readonly code: string;
  /** The file that its first line names (`// shout.ts`); of a JSON document, its name with `.json`. Else null. */
  readonly file: string | null;
}

/** The text of a page: `README.md`, `docs/http.md`. */
export function pageOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Every block of a page, in order. */
export function codeBlocks(page: string): readonly CodeBlock[] {
  return [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({
    language,
    code,
    file: fileOf(language, code),
  }));
}

/** The code of the blocks of one language, in order. */
export function blocksOf(page: string, language: string): readonly string[] {
  return codeBlocks(page).flatMap((block) => (block.language === language ? [block.code] : []));
}

function fileOf(language: string, code: string): string | null {
  const commented = /^\/\/ ([\w.-]+)\n/.exec(code)?.[1];
  if (commented !== undefined || language !== 'json') return commented ?? null;
  const { name } = JSON.parse(code) as { readonly name?: unknown };
  return typeof name === 'string' ? `${name}.json` : null;
}
