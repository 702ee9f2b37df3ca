// `millrace describe NAME`: how a topology of a host goes, component by component, what each does now or waits for, and
// what went wrong last. Main thread.

import { printable } from '../../engine/model/names.js';
import { isMillraceError, type WireError } from '../../engine/errors.js';
import type { MillraceClient } from '../client/client.js';
import type { ComponentDetails, ComponentError, SubmissionMetrics, TopologyDetails } from '../host/service.js';
import { formatConditions, formatUserMetrics } from './describe-metrics.js';
import { EXIT_OK } from './exit.js';
import { formatCount, formatMs, formatSeconds, formatShort } from './numbers.js';
import { formatRefused, formatReplacement } from './replacing.js';
import { runRemote, type RemoteEnvironment, type RemoteOptions } from './remote.js';
import { counted } from './summary.js';
import { alignRows } from './table.js';

const COLUMNS = [
  'component',
  'kind',
  'tasks',
  'emitted',
  'executed',
  'acked',
  'failed',
  'tuples/s',
  'p50',
  'p99',
  'errors',
] as const;
const ERRORS_SHOWN = 10;
const MESSAGE_LENGTH_MAX = 400;
const VERSION_LENGTH_MAX = 60;

export async function describeCommand(
  name: string,
  options: RemoteOptions,
  environment: RemoteEnvironment,
): Promise<number> {
  return await runRemote(options, environment, async ({ client, output, json, signal }) => {
    const details = await client.describe(name, { signal });
    const measured = await measuredOf(client, name, signal, (line) => output.say(line));
    if (json) await output.data({ ...details, measured });
    else await output.print(formatDetails(details, measured));
    return EXIT_OK;
  });
}

/** Null when nothing is measured of it. */
async function measuredOf(
  client: MillraceClient,
  name: string,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<SubmissionMetrics | null> {
  try {
    return await client.metrics(name, { signal });
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    if (error.code === 'MILLRACE_METRICS_NONE') return null;
    if (error.code !== 'MILLRACE_HOST_UNREACHABLE') throw error;
    // What the store knows is told all the same.
    say(`warning: what its tasks have done is not known: ${error.message}`);
    return null;
  }
}

/**
 * The details for people, several lines without a line break at the end.
 *
 * @param measured - what is measured of it, when it runs or did lately
 */
export function formatDetails(details: TopologyDetails, measured: SubmissionMetrics | null = null): string {
  const { name, id, state, seconds, submittedAtMs, workers, tasks, places, waiting, reason, components } = details;
  const { replacement, refused } = details;
  const head = `${name} is ${state}: ${counted(tasks, 'task')} on ${counted(workers, 'worker')}, ${formatSeconds(seconds)}`;
  const restarts = Object.values(components).reduce((sum, each) => sum + each.restarts, 0);
  const rows = Object.entries(components).map(([component, each]) => formatComponent(component, each));
  return [
    head,
    // What it waits for holds the reason of that.
    ...(reason === null || waiting !== null ? [] : [`reason: ${shownLines(reason, '  ')}`]),
    ...(waiting === null ? [] : [`it waits: ${shownLines(waiting, '  ')}`]),
    `submitted ${new Date(submittedAtMs).toISOString()} as ${id}${formatVersion(details)}`,
    ...formatPlaces(places),
    ...(replacement === null ? [] : [formatReplacement(replacement)]),
    ...(refused === null ? [] : [formatRefused(refused), ...formatHint(refused.error)]),
    '',
    ...alignRows([COLUMNS, ...rows], 2),
    '',
    ...(measured === null ? [] : [...formatConditions(measured), '']),
    `tuple trees open: ${formatCount(details.openTrees)}; workers replaced: ${formatCount(details.workerDeaths)}; tasks restarted: ${formatCount(restarts)}`,
    ...(measured === null ? [] : formatUserMetrics(measured)),
    ...formatErrors(components, details.workerErrors),
  ].join('\n');
}

function formatVersion({ version, replaces }: TopologyDetails): string {
  const what = version === null ? '' : `, version ${printable(version, VERSION_LENGTH_MAX)}`;
  return `${what}${replaces === null ? '' : `, in the place of ${replaces}`}`;
}

function formatHint({ hint }: WireError): string[] {
  return hint === null || hint === '' ? [] : [`  ${printable(hint, MESSAGE_LENGTH_MAX)}`];
}

/** A line a host, the one that leads first. */
function formatPlaces(places: TopologyDetails['places']): string[] {
  const hosts = [...new Set(places.map(({ host }) => host))];
  return hosts.map((host, index) => {
    const own = places.flatMap((place, worker) => (place.host === host ? [{ worker, slot: place.slot }] : []));
    const workers = own.map(({ worker }) => worker).join(', ');
    const slots = own.map(({ slot }) => slot).join(', ');
    const [s, leads] = [own.length === 1 ? '' : 's', index === 0 ? ', which leads' : ''];
    return `on ${host}${leads}: worker${s} ${workers} in slot${s} ${slots}`;
  });
}

function formatComponent(id: string, component: ComponentDetails): string[] {
  const { kind, parallelism, emitted, executed, acked, failed, rate, latency, errors } = component;
  const isTimed = latency.count > 0;
  return [
    id,
    kind,
    formatCount(parallelism),
    formatCount(emitted),
    kind === 'spout' ? '-' : formatCount(executed),
    formatCount(acked),
    formatCount(failed),
    formatShort(rate),
    isTimed ? formatMs(latency.p50Ms) : '-',
    isTimed ? formatMs(latency.p99Ms) : '-',
    formatCount(errors),
  ];
}

function formatErrors(
  components: TopologyDetails['components'],
  workerErrors: TopologyDetails['workerErrors'],
): string[] {
  const ofComponents = Object.entries(components).map(([id, { lastErrors }]) => ({ id, lastErrors }));
  const all = [...ofComponents, { id: '(worker)', lastErrors: workerErrors }]
    .flatMap(({ id, lastErrors }) => lastErrors.map((error) => ({ id, error })))
    .sort((a, b) => b.error.atMs - a.error.atMs);
  if (all.length === 0) return [];
  return ['', 'last errors:', ...all.slice(0, ERRORS_SHOWN).map(({ id, error }) => formatOne(id, error))];
}

function formatOne(id: string, { task, count, atMs, error }: ComponentError): string {
  const details = [task < 0 ? [] : `task ${task}`, count > 1 ? `${formatCount(count)} times` : []].flat();
  const shown = details.length === 0 ? '' : ` (${details.join(', ')})`;
  const text = shownLines(error.message, '    ');
  return `  ${new Date(atMs).toISOString()}  ${id}${shown}: ${error.code ?? error.name}: ${text}`;
}

/** A message may have lines, such as code with a mark under it: each is indented below the first. */
function shownLines(message: string, indent: string): string {
  const cut = message.length > MESSAGE_LENGTH_MAX ? `${message.slice(0, MESSAGE_LENGTH_MAX - 1)}…` : message;
  const lines = cut.split('\n').map((line) => printable(line, MESSAGE_LENGTH_MAX));
  return lines.join(`\n${indent}`);
}
