// Whether an artifact is JavaScript at all: its syntax is checked, nothing of it runs. What it defines is found when it
// is submitted. Main thread; esbuild parses, in its own process.

import { readFile } from 'node:fs/promises';
import { failure, reasonOf } from '../../engine/errors.js';

/** @throws MILLRACE_ARTIFACT_INVALID */
export async function checkArtifact(sha256: string, path: string): Promise<void> {
  const esbuild = await import('esbuild');
  const text = await readFile(path, 'utf8');
  try {
    await esbuild.transform(text, { loader: 'js', format: 'esm', logLevel: 'silent', sourcemap: false });
  } catch (error) {
    const [first] = (error as { readonly errors?: readonly { readonly text: string }[] }).errors ?? [];
    throw failure('MILLRACE_ARTIFACT_INVALID', { sha256, reason: first?.text ?? reasonOf(error) }, { cause: error });
  }
}
