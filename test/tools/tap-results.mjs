// Reads what tap writes while it runs: counts the assertions, prints one line a test file, and each failure in full as
// it comes. A test that fails without an assertion of its own (timeout, exit code, wrong plan) counts as one failure.

import { inspect } from 'node:util';
import { Parser } from 'tap-parser';

/** What is worth reading in a failure's diagnostics comes first; what tap keeps for itself is left out. */
const detailsFirst = ['message', 'code', 'diff', 'found', 'wanted', 'compare', 'at', 'source', 'stack'];
const detailsHidden = new Set(
  ['tapCaught', 'isToplevel', 'typeName', 'methodName', 'functionName', 'test'].concat([
    'stdio',
    'cwd',
    'externalID',
    'command',
    'args',
    'jobId',
  ]),
);

export class TapResults {
  passed = 0;
  failed = 0;
  skipped = 0;
  /** Stands here until tap's last byte has been read. */
  finished = new Promise((resolve) => (this.finish = resolve));

  /** @param {NodeJS.ReadableStream} stream what tap writes  @param {(line: string) => void} print */
  constructor(stream, print) {
    this.print = print;
    const parser = new Parser();
    this.watch(parser, []);
    parser.on('bailout', (reason) => this.fail(['tap gave up'], { message: reason }));
    parser.on('complete', () => this.finish());
    stream.pipe(parser);
  }

  /** Counts what one level of tests says; `path` names that level, the test file first. */
  watch(parser, path) {
    let failedBelow = 0;
    let noise = '';
    parser.on('extra', (text) => (noise += text));
    parser.on('child', (child) => {
      const failedBefore = this.failed;
      this.watch(child, [...path, child.name]);
      child.on('complete', () => (failedBelow = this.failed - failedBefore));
    });
    parser.on('assert', (result) => {
      const name = [...path, result.name];
      if (result.closingTestPoint) {
        if (!result.ok && !result.todo && failedBelow === 0) this.fail(name, result.diag);
      } else if (result.skip || result.todo) this.skipped += 1;
      else if (result.ok) this.passed += 1;
      else this.fail(name, result.diag);
      if (path.length === 0) {
        const seconds = ((result.time ?? 0) / 1000).toFixed(1);
        const how = result.ok ? '' : `, ${result.diag?.message ?? 'failed'}`;
        this.print(`  ${result.ok ? 'ok  ' : 'FAIL'}  ${sourceOf(result.name)} (${seconds} s${how})`);
      }
      failedBelow = 0;
    });
    parser.on('complete', (results) => {
      const complaints = results.failures.filter((failure) => failure.tapError && !(failure.id > 0));
      // At the outermost level tap only repeats what the files said.
      if (path.length > 0) for (const { tapError } of complaints) this.fail(path, { message: tapError });
      if (!results.ok && path.length === 1 && noise.trim() !== '')
        this.print(indent(`output:\n${indent(noise.trimEnd())}`));
    });
  }

  fail(path, diag) {
    this.failed += 1;
    const [file, ...names] = path;
    this.print(`\n  FAILED  ${[sourceOf(file), ...names].join(' > ')}`);
    const keys = Object.keys(diag ?? {}).filter((key) => !detailsHidden.has(key));
    const rank = (key) => (detailsFirst.includes(key) ? detailsFirst.indexOf(key) : detailsFirst.length);
    for (const key of keys.sort((a, b) => rank(a) - rank(b))) {
      const value = key === 'at' ? place(diag.at) : diag[key];
      const text = typeof value === 'string' ? value.trimEnd() : inspect(value, { depth: 6, breakLength: 110 });
      this.print(indent(text.includes('\n') ? `${key}:\n${indent(text)}` : `${key}: ${text}`));
    }
    this.print('');
  }
}

/** The source of a compiled test file, as people know it. */
function sourceOf(name) {
  return name.replaceAll('\\', '/').replace(/^dist\/(test\/.*)\.js$/, '$1.ts');
}

function place(at) {
  return at && at.fileName ? `${at.fileName}:${at.lineNumber}:${at.columnNumber}` : inspect(at);
}

function indent(text) {
  return text.replace(/^(?=.)/gm, '    ');
}
