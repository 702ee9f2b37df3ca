// Turns what esbuild says about a topology module into one error of the catalogue: the first complaint is its message,
// with `file:line:column` and the line itself; when there are several, all are its problems. Main thread.

import { dirname, isAbsolute, resolve } from 'node:path';
import { isBuiltin } from 'node:module';
import type { Message } from 'esbuild';
import { failure, problem, reasonOf, type MillraceError, type Problem } from '../engine/errors.js';
import { codeFrame } from '../engine/model/code-frame.js';
import { nearest } from '../engine/model/suggest.js';
import type { RefusedAddon } from './bundle-plugin.js';
import { isOwnSpecifier, ownSpecifiers } from './installation.js';
import { shortPath } from './stack.js';

const UNRESOLVED = /^Could not resolve "(?<specifier>.+)"$/;

/** The error for what a build threw. */
export function bundleFailure(file: string, thrown: unknown): MillraceError {
  const messages = messagesOf(thrown);
  const [first] = messages;
  const name = shortPath(file);
  if (first === undefined) return failure('MILLRACE_BUNDLE_FAILED', { file: name, reason: reasonOf(thrown) });
  const problems = messages.length > 1 ? messages.map((message) => problemOf(name, message)) : [];
  const specifier = unresolved(first);
  const { where, frame } = placeOf(name, first);
  const addon = refusedAddon(first);
  if (addon !== null) return failure('MILLRACE_BUNDLE_ADDON', { file: name, addon, where, frame }, { problems });
  if (specifier === null) {
    return failure('MILLRACE_BUNDLE_SYNTAX', { file: name, where, frame, reason: first.text }, { problems });
  }
  const advice = adviceFor(specifier, first);
  return failure('MILLRACE_BUNDLE_IMPORT', { file: name, specifier, where, frame, advice }, { problems });
}

/** A complaint that does not stop the build, in one line. */
export function bundleWarning(file: string, message: Message): string {
  return `${placeOf(shortPath(file), message).where}: ${message.text}`;
}

function messagesOf(thrown: unknown): readonly Message[] {
  if (typeof thrown !== 'object' || thrown === null || !('errors' in thrown)) return [];
  return Array.isArray(thrown.errors) ? (thrown.errors as readonly Message[]) : [];
}

function problemOf(file: string, message: Message): Problem {
  const { where } = placeOf(file, message);
  const addon = refusedAddon(message);
  if (addon !== null) return problem('MILLRACE_BUNDLE_ADDON', where, { file, addon, where, frame: '' });
  const specifier = unresolved(message);
  if (specifier !== null) {
    const advice = adviceFor(specifier, message);
    return problem('MILLRACE_BUNDLE_IMPORT', where, { file, specifier, where, frame: '', advice });
  }
  return problem('MILLRACE_BUNDLE_SYNTAX', where, { file, where, frame: '', reason: message.text });
}

function unresolved(message: Message): string | null {
  return UNRESOLVED.exec(message.text)?.groups?.['specifier'] ?? null;
}

function refusedAddon({ detail }: Message): string | null {
  return (detail as Partial<RefusedAddon> | null | undefined)?.addon ?? null;
}

interface Place {
  readonly where: string;
  readonly frame: string;
}

function placeOf(file: string, { location }: Message): Place {
  if (location === null) return { where: file, frame: '' };
  const path = shortPath(isAbsolute(location.file) ? location.file : resolve(location.file));
  const column = characters(location.lineText, location.column) + 1;
  const end = characters(location.lineText, location.column + location.length) + 1;
  return {
    where: `${path}:${location.line}:${column}`,
    frame: codeFrame(location.lineText, location.line, column, end - column),
  };
}

/** esbuild counts columns in bytes of UTF-8; people count characters. */
function characters(text: string, bytes: number): number {
  return Buffer.from(text, 'utf8').subarray(0, bytes).toString('utf8').length;
}

function adviceFor(specifier: string, message: Message): string {
  if (isOwnSpecifier(specifier)) {
    const names = ownSpecifiers();
    const near = nearest(specifier, names);
    const meant = near === null ? '' : `did you mean "${near}"? `;
    return `${meant}this installation has ${names.map((name) => `"${name}"`).join(', ')}`;
  }
  if (specifier.startsWith('.') || isAbsolute(specifier)) {
    return 'there is no such file; check its name and the directory that it is taken from';
  }
  if (specifier.startsWith('node:')) return 'Node.js has no built-in module of that name';
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  if (isBuiltin(name)) return 'Node.js has no such part of that built-in module';
  const importer = message.location === null ? '.' : dirname(resolve(message.location.file));
  const place = shortPath(importer);
  return `install it where the topology lies: npm install ${name}${place === '' ? '' : ` (in ${place})`}`;
}
