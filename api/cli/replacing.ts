// `millrace submit FILE --replace`: a new version of a topology that runs. The wish is kept by the cluster; the command
// looks now and then how far it is, and tells each step that it sees.
//
//   wished ─► placing ─► preparing ─► releasing ─► opening ─► draining ─► replaced, exit 0
//                └───────────┴────────────┴───────────┴─ refused ─► why, exit 1: the version before goes on
//
// A signal while it waits ends the command only. Main thread.

import { failure, fromWire } from '../../engine/errors.js';
import { HOST_LOOK_MS, REPLACE_LOOKS_MAX } from '../../engine/limits.js';
import { printable } from '../../engine/model/names.js';
import { pause } from '../../coordination/store/signals.js';
import type {
  RefusedReplacement,
  ReplacementBegun,
  ReplacementStage,
  ReplacementStatus,
  Submission,
  TopologyDetails,
  TopologySummary,
} from '../host/service.js';
import { endOf } from './follow.js';
import { patiently } from './patience.js';
import type { Remote } from './remote.js';
import { counted } from './summary.js';

const TEXT_LENGTH_MAX = 300;
const VERSION_LENGTH_MAX = 60;

/** What came of it. */
export interface Replaced {
  readonly details: TopologyDetails;
  readonly sentence: string;
}

/**
 * Submits a new version, and resolves when it has replaced the one before.
 *
 * @throws why it did not; MILLRACE_REPLACE_ENDED; what the client throws
 */
export async function replaceBy(submission: Submission, remote: Remote): Promise<Replaced> {
  const { client, output, signal } = remote;
  const begun = await client.beginReplacement(submission, { signal });
  const { name } = begun;
  const sentence = await untilReplaced(begun, remote).catch((error: unknown) => {
    if (signal.aborted) output.say(`the replacement of ${name} goes on; millrace describe ${name} shows how far it is`);
    throw error;
  });
  return { details: await patiently(async () => await client.describe(name, { signal }), remote), sentence };
}

/** Gives what to tell at the end. */
async function untilReplaced({ name, id, replaces }: ReplacementBegun, remote: Remote): Promise<string> {
  const { client, output, clock, signal } = remote;
  let before = versionText({ id: replaces, version: null });
  let said: ReplacementStage | null = null;
  for (let misses = 0; ;) {
    const topologies = await patiently(async () => await client.list({ signal }), remote);
    const replaced = topologies.find((each) => each.id === id);
    if (replaced !== undefined) return `${name}: replaced version ${before} by ${versionText(replaced)}`;
    const known = topologies.find((each) => each.name === name);
    if (known?.id === replaces) before = versionText(known);
    if (known?.refused?.id === id) throw fromWire(known.refused.error);
    const replacement = known?.replacement;
    if (replacement?.id === id) {
      if (replacement.stage !== said) output.say(`${name}: ${stepText(replacement, before)}`);
      said = replacement.stage;
      misses = 0;
    } else if (isOver(known) || ++misses === REPLACE_LOOKS_MAX) {
      throw failure('MILLRACE_REPLACE_ENDED', { topology: name, state: known?.state ?? 'gone' });
    }
    await pause(clock, HOST_LOOK_MS, signal);
    signal.throwIfAborted();
  }
}

/** Else a host that came back may know less than the one that was asked, for a moment. */
function isOver(known: TopologySummary | undefined): boolean {
  return known !== undefined && endOf(known.state) !== null;
}

function stepText(replacement: ReplacementStatus, before: string): string {
  const next = versionText(replacement);
  const texts: Readonly<Record<ReplacementStage, string>> = {
    placing: `version ${next} gets its slots beside ${before}`,
    preparing: `version ${next} is made ready beside ${before}`,
    releasing: `version ${next} is ready; the spouts of ${before} let go`,
    opening: `the spouts of ${before} have let go; those of ${next} are opened`,
    draining: `version ${next} is open; the bolts of ${before} finish`,
  };
  return texts[replacement.stage];
}

const STAGES: Readonly<Record<ReplacementStage, string>> = {
  placing: 'getting its slots',
  preparing: 'its bolts are made ready',
  releasing: 'the spouts of the one before let go',
  opening: 'its spouts are opened',
  draining: 'the bolts of the one before finish',
};

/** The replacement that is under way, for people. */
export function formatReplacement(replacement: ReplacementStatus): string {
  const { workers, tasks, stage, places } = replacement;
  const hosts = [...new Set(places.map(({ host }) => host))].join(', ');
  const spread = `${counted(tasks, 'task')} on ${counted(workers, 'worker')}${hosts === '' ? '' : ` on ${hosts}`}`;
  return `version ${versionText(replacement)} replaces it, ${spread}: ${STAGES[stage]}`;
}

/** The one that did not come about. */
export function formatRefused({ id, error }: RefusedReplacement): string {
  return `version ${id} did not replace it: ${error.code ?? error.name}: ${printable(error.message, TEXT_LENGTH_MAX)}`;
}

/** What its author calls it, and which submission it is. */
export function versionText({ id, version }: { readonly id: string; readonly version: string | null }): string {
  return version === null ? id : `${printable(version, VERSION_LENGTH_MAX)} (${id})`;
}
