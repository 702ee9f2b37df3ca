// Keeps the house tidy where neither compiler nor linter looks: sizes of files, their heads, what was left open, and
// that the catalogue of errors and the code that throws them agree.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { catalogue } from '../engine/errors.js';

interface Source {
  readonly name: string;
  readonly text: string;
  readonly lines: readonly string[];
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const production = ['engine', 'coordination', 'api'].flatMap(sourcesIn);
const examples = sourcesIn('examples');
const tests = sourcesIn('test');
const all = [...production, ...examples, ...tests];

/** Written in two halves, or this file would be the first offender. */
const leftOpen = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`);
const singledOut = new RegExp('\\.on' + 'ly\\(');
const machinePath = new RegExp('(^|[\\s\'"`(=:])/' + '(work|root|home|Users)/');

t.test('files stay small: 400 lines, tests 600', (t) => {
  const large = (sources: readonly Source[], linesMax: number): string[] =>
    sources.filter(({ lines }) => lines.length > linesMax).map(({ name, lines }) => `${name}: ${lines.length}`);
  t.strictSame(large([...production, ...examples], 400), []);
  t.strictSame(large(tests, 600), []);
  t.end();
});

t.test('a file starts by saying what it is for', (t) => {
  const silent = [...production, ...examples].filter(({ name, lines }) => {
    if (name.endsWith('/index.ts')) return false;
    const head = lines[0]?.startsWith('#!') === true ? lines.slice(1) : lines;
    return !/^(\/\/|\/\*)/.test(head[0] ?? '') || !/^(\/\/| \*)/.test(head[1] ?? '');
  });
  t.strictSame(
    silent.map(({ name }) => name),
    [],
  );
  t.end();
});

t.test('nothing is left open, singled out, or true on one machine only', (t) => {
  t.strictSame(offenders(all, leftOpen), []);
  t.strictSame(offenders(all, singledOut), []);
  t.strictSame(offenders(all, machinePath), []);
  t.end();
});

t.test('no line is longer than 120 columns, but for what stands in quotes', (t) => {
  const quoted = /(['"`]).*?\1|\/\^.*\//g;
  const long = all.flatMap(({ name, lines }) =>
    lines.flatMap((line, index) =>
      line.length > 120 && line.replace(quoted, '').length > 120 ? [`${name}:${index + 1}`] : [],
    ),
  );
  t.strictSame(long, []);
  t.end();
});

t.test('the catalogue of errors and the code agree', (t) => {
  // The keys of the catalogue stand there without quotes: what is quoted is a use.
  const used = new Set<string>();
  for (const { text } of production) {
    for (const match of text.matchAll(/(?<!\benv\[)['"`](MILLRACE_[A-Z0-9]+(?:_[A-Z0-9]+)+)['"`]/g))
      used.add(match[1] ?? '');
  }
  const known = Object.keys(catalogue);
  // The catalogue is put together of several files, and of two equal codes the last one would win.
  const written = production
    .filter(({ name }) => name.startsWith('engine/error-catalogue/'))
    .flatMap(({ text }) => [...text.matchAll(/^ {2}(MILLRACE_\w+): \{$/gm)].map((match) => match[1]));
  t.strictSame(written.toSorted(), known.toSorted(), 'every code stands in the catalogue once');
  t.strictSame(
    known.filter((code) => !used.has(code)),
    [],
    'every error of the catalogue can happen',
  );
  t.strictSame(
    [...used].filter((code) => !known.includes(code)),
    [],
    'every code stands in the catalogue',
  );
  t.strictSame(
    known.filter((code) => !/^MILLRACE_[A-Z0-9]+(_[A-Z0-9]+)+$/.test(code)),
    [],
    'every code names its area and what happened',
  );
  t.end();
});

function sourcesIn(folder: string): Source[] {
  if (!existsSync(join(root, folder))) return [];
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => /\.(ts|mjs|cjs)$/.test(name) && !/^(fixtures|types[\\/]refused)[\\/]/.test(name))
    .sort()
    .map((name) => {
      const text = readFileSync(join(root, folder, name), 'utf8');
      const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
      return { name: `${folder}/${name.replaceAll('\\', '/')}`, text, lines };
    });
}

function offenders(sources: readonly Source[], pattern: RegExp): string[] {
  return sources.flatMap(({ name, lines }) =>
    lines.flatMap((line, index) => (pattern.test(line) ? [`${name}:${index + 1}: ${line.trim()}`] : [])),
  );
}
