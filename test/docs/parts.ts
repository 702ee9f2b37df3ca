// The parts of pages that follow from the code: tables of settings and bounds, and the list of errors. A page marks the
// place of each; `npm run docs` fills them in, and a test compares.
//
//   <!-- begin settings of count -->
//   …
//   <!-- end -->

import { spawnSync } from 'node:child_process';
import { format, resolveConfig } from 'prettier';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { furtherTypes } from '../../engine/connect/further-types.js';
import { builtins } from '../../engine/connect/registry.js';
import { catalogue } from '../../engine/errors.js';
import * as limits from '../../engine/limits.js';
import { recentFigures, taskFigures, type Figure } from '../../engine/metrics/figures.js';
import { topologySchema } from '../../engine/model/schema.js';
import { prometheusText } from '../../api/http/prometheus.js';
import { measuredForDocs } from '../api/fake-metrics.js';
import { root } from './blocks.js';
import { settingsOf, type Schema, type Setting } from './schema-words.js';
import { constantsOf, membersOf } from './source-comments.js';

const PART = /^<!-- begin (.+) -->\n[\s\S]*?^<!-- end -->$/gm;

const known = new Map([...builtins, ...(await furtherTypes())]);

/** The text of a page with every part that it marks as it has to be. */
export async function filled(page: string, path: string): Promise<string> {
  const text = page.replace(PART, (_, name: string) => `<!-- begin ${name} -->\n\n${partOf(name)}\n\n<!-- end -->`);
  return await format(text, { ...(await resolveConfig(join(root, path))), parser: 'markdown' });
}

/** The names of the parts that a page marks. */
export function partsIn(page: string): readonly string[] {
  return [...page.matchAll(PART)].map((match) => match[1]!);
}

function partOf(name: string): string {
  const type = /^settings of (.+)$/.exec(name)?.[1];
  if (type !== undefined) return settingsOfType(type);
  const command = /^help(?: ([\w ]+))?$/.exec(name);
  if (command !== null) return help(command[1]);
  const part = parts[name];
  if (part === undefined) throw new Error(`there is no part "${name}"`);
  return part();
}

const { properties } = topologySchema as unknown as { readonly properties: Readonly<Record<string, Schema>> };
const spouts = componentSchema('spouts');
const bolts = componentSchema('bolts');

const parts: Readonly<Record<string, () => string>> = {
  'keys of a document': () => settingsTable(settingsOf(topologySchema as unknown as Schema)),
  'keys of a spout': () => settingsTable(settingsOf(spouts)),
  'keys of a bolt': () => settingsTable(settingsOf(bolts)),
  'keys of an input': () => settingsTable(settingsOf(bolts.properties?.['inputs']?.items ?? {})),
  'topology settings': () => settingsTable(settingsOf(properties['config'] ?? {})),
  'host options': () => optionsTable(membersOf(sourceOf('api/host/options.ts'), 'HostOptions')),
  'worker limits': () => limitsTable('RuntimeLimits', limits.runtimeLimits, 'engine/limits.ts'),
  'http limits': () => limitsTable('HttpLimits', limits.httpLimits, 'engine/limits/host.ts'),
  'fixed bounds': fixedBounds,
  'task figures': () => figuresTable(Object.entries(taskFigures)),
  'recent figures': () => figuresTable(Object.entries(recentFigures)),
  'prometheus families': prometheusTable,
  errors,
};

function componentSchema(section: string): Schema {
  const { patternProperties } = properties[section] as { readonly patternProperties: Readonly<Record<string, Schema>> };
  return Object.values(patternProperties)[0]!;
}

function settingsOfType(name: string): string {
  const type = known.get(name);
  if (type === undefined) throw new Error(`there is no type "${name}"`);
  const settings = settingsOf(type.schema);
  return `${type.description}\n\n${settings.length === 0 ? 'It has no settings.' : settingsTable(settings)}`;
}

function help(command: string | undefined): string {
  const given = command === undefined ? ['--help'] : [...command.split(' '), '--help'];
  const { stdout } = spawnSync(process.execPath, [join(root, 'dist/api/cli/main.js'), ...given], { encoding: 'utf8' });
  return `\`\`\`sh\nnpx millrace ${given.join(' ')}\n\`\`\`\n\n\`\`\`text\n${stdout}\`\`\``;
}

function settingsTable(settings: readonly Setting[]): string {
  return table(
    ['key', 'value', 'default', 'meaning'],
    settings.map(({ key, allowed, fallback, description }) => [`\`${key}\``, allowed, fallback, prose(description)]),
  );
}

function optionsTable(options: readonly { readonly name: string; readonly comment: string }[]): string {
  return table(
    ['option', 'default', 'meaning'],
    options.map(({ name, comment }) => {
      const [, before = comment, fallback = 'none', after = ''] =
        /^(.*?)\s*Default:? ((?:`[^`]*`|[^.])+)\.?(.*)$/.exec(comment) ?? [];
      return [`\`${name}\``, fallback, prose(`${before}${after}`)];
    }),
  );
}

function limitsTable(name: string, values: object, file: string): string {
  return table(
    ['limit', 'value', 'unit', 'why'],
    membersOf(sourceOf(file), name).map(({ name: key, comment }) => [
      `\`${key}\``,
      (values as Readonly<Record<string, number>>)[key]!.toLocaleString('en-US'),
      unitOf(key),
      prose(comment),
    ]),
  );
}

function figuresTable(figures: readonly (readonly [string, Pick<Figure, 'kind' | 'help' | 'type'>])[]): string {
  const how = { counter: 'only grows', gauge: '', max: 'the highest of its tasks' };
  return table(
    ['key', 'of', 'component', 'meaning'],
    figures.map(([key, { kind, help, type }]) => [
      `\`${key}\``,
      kind === undefined ? 'all' : `${kind}s`,
      how[type],
      prose(help),
    ]),
  );
}

/** What stands on the page for Prometheus while a topology of a spout and a bolt runs that measures everything. */
function prometheusTable(): string {
  const text = prometheusText(measuredForDocs());
  const heads = [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)\n\S+\{(.*)\} /gm)];
  return table(
    ['name', 'type', 'labels', 'meaning'],
    heads.map(([, name = '', help = '', type = '', labels = '']) => {
      const named = [...labels.matchAll(/(\w+)="/g)].map(([, label]) => `\`${label}\``);
      return [`\`${name}\``, type, named.join(', '), prose(help)];
    }),
  );
}

/** The bounds that users meet; the others stand in the source, each with its reason. */
const MET = [
  ...['COMPONENTS_MAX', 'TASKS_MAX', 'WORKERS_MAX', 'KEY_GROUPS_MAX', 'STREAMS_MAX', 'FIELDS_MAX', 'NAME_LENGTH_MAX'],
  ...['CONCURRENCY_MAX', 'DURATION_MAX_MS', 'TUPLE_BYTES_MAX', 'VALUE_DEPTH_MAX', 'CHECKPOINT_BYTES_MAX'],
  ...['CHECKPOINT_GATHER_MS', 'DOCUMENT_BYTES_MAX', 'ARTIFACT_BYTES_MAX', 'DEFINITION_TIMEOUT_MS', 'CLOSE_TIMEOUT_MS'],
  ...['WORKER_DEATHS_MAX', 'ERRORS_REPORTED_PER_SECOND', 'INGEST_PENDING_MAX', 'INGEST_PENDING_BYTES_MAX'],
  ...[
    'REPLAYS_MAX',
    'USER_METRICS_MAX',
    'USER_METRIC_NAME_MAX',
    'PROMETHEUS_TASKS_MAX',
    'SLOTS_MAX',
    'TOPOLOGIES_MAX',
    'HISTORY_MAX',
  ],
];

function fixedBounds(): string {
  const areas = readdirSync(join(root, 'engine/limits')).map((name) => `limits/${name}`);
  const sources = ['limits.ts', ...areas.sort()];
  const known = new Map(
    sources.flatMap((file) => constantsOf(sourceOf(`engine/${file}`)).map(({ name, comment }) => [name, comment])),
  );
  return table(
    ['bound', 'value', 'unit', 'what it is'],
    MET.map((name) => {
      const value = (limits as Readonly<Record<string, unknown>>)[name];
      const comment = known.get(name);
      if (typeof value !== 'number' || comment === undefined) throw new Error(`there is no bound ${name}`);
      return [`\`${name}\``, value.toLocaleString('en-US'), unitOf(name), prose(comment)];
    }),
  );
}

function unitOf(name: string): string {
  if (/(Ms|_MS)$/.test(name)) return 'ms';
  if (/bytes/i.test(name)) return 'bytes';
  return /(tuples|roots|characters)/i.exec(name)?.[1]?.toLowerCase().replace('roots', 'trees') ?? '';
}

/** What the errors of an area are about; `MILLRACE_<AREA>_…`. */
const AREAS: Readonly<Record<string, string>> = {
  API: 'The HTTP interface of a host: where it listens, and its own faults.',
  ARTIFACT: 'Bundles of code that are kept under their hash.',
  BUNDLE: 'Making one file of a topology module and what it imports.',
  CHECKPOINT: 'Progress of spouts, as a host keeps it.',
  CLI: 'How the command line was used.',
  CLIENT: 'Talking to a host from a program or the command line.',
  CONFIG: 'Settings of topologies and components.',
  CONNECT: 'Settings that a built-in component cannot work with.',
  COUNT: 'The built-in bolt `count`.',
  COUNTER: 'Numbers that several processes share.',
  DEFINITION: 'Reading what a topology module exports, in a thread of its own.',
  DOCUMENT: 'Topologies written as JSON.',
  ELECTION: 'Leading one of several processes.',
  EMIT: 'What a component emits, told where it emits it.',
  EXPRESSION: 'Expressions of `filter` and `map`.',
  FILE: 'The built-in components `file-lines` and `file-sink`.',
  FRAME: 'What travels between workers.',
  HOST: 'Starting and embedding a host.',
  HTTP: 'The built-in spout `http-poll`.',
  INGEST: 'Records that are given to a spout from outside.',
  LISTEN: 'Addresses of spouts that listen.',
  LOCK: 'What one process holds and others wait for.',
  METRICS: 'What components measure themselves, and asking for what is measured.',
  MASTER: 'The part of a host that plans topologies.',
  RECIPE: 'Locks, groups, queues and the like of several processes: waiting for them, their limits and their options.',
  REQUEST: 'Requests to a host over HTTP.',
  RUN: 'The command `millrace run` and the file that it is given.',
  SHARED: 'Configurations that several processes share.',
  SPOUT: 'Spouts that are one function.',
  STORE: 'What a host keeps in its data directory.',
  TASK: 'What the code of a component did.',
  TCP: 'The built-in spout `tcp-lines`.',
  TOPOLOGY: 'The definition of a topology, and topologies of a host by name.',
  WISH: 'What was asked of a host and is kept in its store.',
  WORKER: 'Threads that run tasks.',
};

function errors(): string {
  const areas = new Map<string, string[]>();
  for (const [code, { status, message, hint }] of Object.entries(catalogue).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const area = code.split('_')[1]!;
    const entries = areas.get(area) ?? [];
    areas.set(area, entries);
    entries.push(`### ${code}\n\n${status}: ${plain(message)}\n\nWhat to do: ${plain(hint)}`);
  }
  return [...areas]
    .map(
      ([area, entries]) =>
        `## ${area}\n\n${AREAS[area] === undefined ? '' : `${AREAS[area]}\n\n`}${entries.join('\n\n')}`,
    )
    .join('\n\n');
}

/** Braces, stars and the like are meant as they are. */
function plain(template: string): string {
  return template.replace(/[\\`*_<>[\]#|]/g, (character) => `\\${character}`).replace(/\{(\w+)\}/g, '_$1_');
}

/** Stars, angles and brackets of a description are meant as they are; what stands in backticks is so already. */
function prose(text: string): string {
  return text.replace(/`[^`]*`|[*<>[\]]/g, (found) => (found.startsWith('`') ? found : `\\${found}`));
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function sourceOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
