// The part of formatting that prettier leaves alone: comments that stand on lines of their own end before column 120.
// What is too long moves on into the next line of the same paragraph; drawings and code are never touched.
//   node test/tools/wrap-comments.mjs [FILE …]     all sources when none is named

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const columns = 120;
/** Starts a thing of its own and takes no words from the line above: lists, tags, drawings, code. */
const ownLine = /^([-*|+@#<>─│┌└►▼]|```|\d+\.|\S+:$|$)/;

const root = fileURLToPath(new URL('../../', import.meta.url));
const named = process.argv.slice(2);

for (const file of named.length > 0 ? named : sources()) {
  const before = readFileSync(file, 'utf8');
  const after = wrap(before.split('\n')).join('\n');
  if (after !== before) writeFileSync(file, after);
}

function sources() {
  return ['engine', 'coordination', 'api', 'test', 'examples'].flatMap((folder) => {
    const names = existsSync(join(root, folder)) ? readdirSync(join(root, folder), { recursive: true }) : [];
    const ours = names.filter((name) => /\.(ts|mjs|cjs)$/.test(name) && !/(^|[\\/])fixtures[\\/]/.test(name));
    return ours.map((name) => join(root, folder, name));
  });
}

function wrap(lines) {
  const wrapped = [];
  const waiting = [...lines];
  while (waiting.length > 0) {
    const line = waiting.shift();
    const parts = /^(\s*(?:\/\/|\*))( +)(\S.*)$/.exec(line);
    const single = /^(\s*)\/\*\* (.*) \*\/$/.exec(line);
    if (line.length <= columns || (parts === null && single === null)) {
      wrapped.push(line);
    } else if (single !== null) {
      const [, indent, text] = single;
      waiting.unshift(`${indent}/**`, `${indent} * ${text}`, `${indent} */`);
    } else {
      const [, mark, space, text] = parts;
      const prefix = mark + space;
      const end = line.lastIndexOf(' ', columns);
      if (end <= prefix.length || space.length > 3 || /[─│┌└►▼]|\s{3,}/.test(text)) {
        wrapped.push(line);
        continue;
      }
      const rest = line.slice(end + 1);
      const restPrefix = text.startsWith('- ') ? `${prefix}  ` : prefix;
      wrapped.push(line.slice(0, end));
      const next = waiting[0] ?? '';
      const nextText = next.slice(restPrefix.length);
      if (
        next.startsWith(restPrefix) &&
        !nextText.startsWith(' ') &&
        !ownLine.test(nextText) &&
        !/^\/$/.test(nextText)
      ) {
        waiting[0] = `${restPrefix}${rest} ${nextText}`;
      } else {
        waiting.unshift(restPrefix + rest);
      }
    }
  }
  return wrapped;
}
