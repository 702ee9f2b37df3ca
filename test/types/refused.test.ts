// Type tests that must not compile: the compiler reads the files in refused/, and every line there that is marked
// `// refused: <text>` must have an error whose message contains that text, and no other line may have one. The
// compiler with an API (`typescript`) is a major version behind the one that builds, so both are asked.

import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import ts from 'typescript';

interface Found {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const directory = join(root, 'test/types/refused');
const files = readdirSync(directory)
  .filter((name) => name.endsWith('.ts'))
  .sort()
  .map((name) => join(directory, name));

void t.test('what must not compile is refused by the compiler of the tools', (t) => {
  compare(t, withApi());
  t.end();
});

void t.test('what must not compile is refused by the compiler of the build', async (t) => {
  compare(t, await withCommand(t.testdir()));
});

function compare(t: Test, errors: readonly Found[]): void {
  t.ok(files.length > 0, 'there are files');
  for (const file of files) {
    readFileSync(file, 'utf8')
      .split('\n')
      .forEach((text, index) => {
        const line = index + 1;
        const expected = /\/\/ refused: (.*)$/.exec(text)?.[1];
        const messages = errors
          .filter((error) => error.file === file && error.line === line)
          .map((error) => error.message);
        const place = `${file.slice(root.length + 1)}:${line}`;
        if (expected === undefined) {
          if (messages.length > 0) t.fail(`${place} must compile`, { messages });
        } else {
          t.ok(
            messages.some((message) => message.includes(expected)),
            `${place}: ${expected}`,
            { messages },
          );
        }
      });
  }
  const elsewhere = errors.filter((error) => !files.includes(error.file));
  t.strictSame(elsewhere, [], 'nothing else is wrong');
}

function withApi(): readonly Found[] {
  const configFile = join(root, 'tsconfig.json');
  const { config } = ts.readConfigFile(configFile, (path) => ts.sys.readFile(path)) as { config: object };
  const parsed = ts.parseJsonConfigFileContent({ ...config, include: [], files }, ts.sys, root);
  const options = { ...parsed.options, noEmit: true, incremental: false, declaration: false };
  delete options.tsBuildInfoFile;
  const program = ts.createProgram(files, options);
  return files.flatMap((file) => {
    const source = program.getSourceFile(file);
    if (source === undefined) return [{ file, line: 0, message: 'the compiler did not read it' }];
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      (diagnostic) => ({
        file,
        line: source.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line + 1,
        message: ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'),
      }),
    );
  });
}

async function withCommand(temporary: string): Promise<readonly Found[]> {
  const project = join(temporary, 'tsconfig.json');
  const compilerOptions = {
    noEmit: true,
    incremental: false,
    declaration: false,
    rootDir: root,
    typeRoots: [join(root, 'node_modules/@types')],
  };
  writeFileSync(
    project,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions,
      // Declarations that we wrote for a package without any.
      include: [join(root, 'coordination/**/*.d.ts')],
      exclude: [],
      files,
    }),
  );
  // Its program itself, because its launcher does not run under the loader that tap hands down.
  const launcher = pathToFileURL(join(root, 'node_modules/@typescript/native/lib/getExePath.js')).href;
  const { default: getExePath } = (await import(launcher)) as { default: () => string };
  const { stdout, stderr } = spawnSync(getExePath(), ['-p', project, '--pretty', 'false'], {
    cwd: root,
    encoding: 'utf8',
  });
  const found: Found[] = stderr === '' ? [] : [{ file: project, line: 0, message: stderr }];
  for (const text of stdout.split('\n')) {
    const match = /^(.*)\((\d+),\d+\): error (TS\d+: .*)$/.exec(text);
    const last = found.at(-1);
    if (match?.[1] !== undefined) {
      found.push({ file: resolve(root, match[1]), line: Number(match[2]), message: match[3] ?? '' });
    } else if (last !== undefined && text.startsWith(' ')) {
      found[found.length - 1] = { ...last, message: `${last.message}\n${text.trim()}` };
    } else if (text !== '') {
      found.push({ file: project, line: 0, message: text });
    }
  }
  return found;
}
