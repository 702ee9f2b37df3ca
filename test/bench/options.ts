// What the command line of the benchmarks says: names with selections, peers, how long, and in what form.
//
//   words                      every side of the benchmark `words`
//   words/crossing/tracked     those sides that have both labels; what they are compared with is always there
//
// Whatever is wrong with it is told at once, with what would be right.

import { parseArgs } from 'node:util';

export const PEERS = ['loop', 'storm', 'rxjs', 'streams'] as const;
export type PeerName = (typeof PEERS)[number];

/** A benchmark, and the labels that a side has to have. */
export interface Selection {
  readonly name: string;
  readonly labels: readonly string[];
}

export interface Options {
  readonly selections: readonly Selection[];
  readonly peers: readonly PeerName[];
  /** Null: as many as the benchmark needs. */
  readonly rounds: number | null;
  readonly measureMs: number;
  readonly warmUpMs: number;
  readonly json: boolean;
  /** Where the results go as well, as one JSON document. */
  readonly save: string | null;
}

/** The command line is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Workers are new in each round: until V8 has optimised what they run, they do half as much. */
const WARM_UP_SECONDS = '4';
const SECONDS = '4';
const ROUNDS_MAX = 1000;
const SECONDS_MAX = 86_400;

export function usage(benchmarks: readonly string[]): string {
  return (
    'usage: npm run bench -- [name[/label…]…] [--peer loop|storm|rxjs|streams]… [--rounds n] [--seconds n]\n' +
    '                        [--warm-up n] [--json] [--save FILE]\n' +
    `names: ${benchmarks.join(', ')}`
  );
}

/**
 * @param benchmarks - the names that there are
 * @throws UsageError
 */
export function readOptions(args: readonly string[], benchmarks: readonly string[]): Options {
  const { values, positionals } = parsed(args);
  const selections = (positionals.length > 0 ? positionals : benchmarks).map((text) => {
    const [name = '', ...labels] = text.split('/');
    if (!benchmarks.includes(name))
      throw new UsageError(`there is no benchmark "${name}"; there are ${benchmarks.join(', ')}`);
    return { name, labels };
  });
  return {
    selections,
    peers: [...new Set(values.peer.map(peerOf))],
    rounds: values.rounds === undefined ? null : roundsOf(values.rounds),
    measureMs: secondsOf('--seconds', values.seconds) * 1000,
    warmUpMs: secondsOf('--warm-up', values['warm-up']) * 1000,
    json: values.json,
    save: values.save ?? null,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        peer: { type: 'string', multiple: true, default: ['loop'] },
        rounds: { type: 'string' },
        seconds: { type: 'string', default: SECONDS },
        'warm-up': { type: 'string', default: WARM_UP_SECONDS },
        json: { type: 'boolean', default: false },
        save: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function peerOf(name: string): PeerName {
  const peer = PEERS.find((each) => each === name);
  if (peer === undefined) throw new UsageError(`there is no peer "${name}"; there are ${PEERS.join(', ')}`);
  return peer;
}

function roundsOf(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= ROUNDS_MAX) return rounds;
  throw new UsageError(`--rounds takes a whole number from 1 to ${ROUNDS_MAX}, not "${text}"`);
}

function secondsOf(flag: string, text: string): number {
  const seconds = Number(text);
  if (text.trim() !== '' && seconds > 0 && seconds <= SECONDS_MAX) return seconds;
  throw new UsageError(`${flag} takes seconds above 0 and up to ${SECONDS_MAX}, not "${text}"`);
}
