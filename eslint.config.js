// The lint rules: what the compiler does not see. Typed rules first, because one floating promise in an actor is a lost
// error; the rest keeps one style. Rules are never switched off in the files themselves (`noInlineConfig`).

import { builtinModules } from 'node:module';
import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const typescript = ['**/*.ts'];
const scripts = ['**/*.{js,mjs,cjs}'];

/** Modules that somebody loads by their default export: Piscina, topologies of users, and files that tools read. */
const userModules = ['engine/worker/thread.ts', 'examples/**', 'test/**/topologies/**', '*.config.js'];

const bareBuiltins = builtinModules
  .filter((name) => !name.startsWith('_') && !name.includes(':'))
  .map((name) => ({ name, message: `Write 'node:${name}'.` }));

const noDefaultExport = [
  'error',
  { restrictDefaultExports: { direct: true, named: true, defaultFrom: true, namedFrom: true, namespaceFrom: true } },
];

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', '.tap/', 'test/fixtures/', 'test/types/refused/', '**/tap-testdir-*/']),
  {
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' },
  },
  {
    files: [...typescript, ...scripts],
    extends: [js.configs.recommended],
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      // Readers of text and terminals look for control characters on purpose.
      'no-control-regex': 'off',
      'no-constructor-return': 'error',
      'no-restricted-exports': noDefaultExport,
      'no-restricted-imports': ['error', { paths: bareBuiltins }],
      'no-self-compare': 'error',
      'no-template-curly-in-string': 'error',
      'no-unreachable-loop': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: typescript,
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/ban-ts-comment': [
        'error',
        { 'ts-expect-error': true, 'ts-ignore': true, 'ts-nocheck': true },
      ],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          // What t.test() returns is awaited by its parent test.
          allowForKnownSafePromises: [{ from: 'package', package: '@tapjs/core', name: 'PromiseWithSubtest' }],
        },
      ],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { args: 'after-used', argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      // What was caught is thrown on as it came.
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      // An implementation of an asynchronous contract may have nothing to wait for.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: scripts,
    languageOptions: {
      globals: {
        __dirname: 'readonly',
        console: 'readonly',
        module: 'writable',
        performance: 'readonly',
        process: 'readonly',
        require: 'readonly',
        URL: 'readonly',
      },
    },
  },
  {
    // Time and chance come in through engine/clock.ts and engine/random.ts, so that tests can own both.
    files: ['engine/**/*.ts', 'coordination/**/*.ts'],
    ignores: ['engine/clock.ts', 'engine/random.ts', 'engine/log.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Take a Random (engine/random.ts).' },
        { object: 'Date', property: 'now', message: 'Take a Clock (engine/clock.ts).' },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Tests hand methods of fakes around.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  { files: ['api/cli/**', 'test/**'], rules: { 'no-console': 'off' } },
  { files: userModules, rules: { 'no-restricted-exports': 'off' } },
);
