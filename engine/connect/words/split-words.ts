// The bolt `split-words`: the words of a text, each as a tuple. A word is a run of the letters a to z and apostrophes,
// in lower case: exactly what `tr -cs "A-Za-z'" '\n' | tr A-Z a-z` gives, so that counts can be checked with the tools
// that every system has. Letters beyond ASCII separate words, as they do for `tr`. On the worker's thread.

import { Bolt } from '../../component/bolt.js';
import type { BoltContext } from '../../component/context.js';
import type { Emit } from '../../component/emit.js';
import type { Tuple } from '../../component/tuple.js';
import { Settings } from '../settings.js';

const WORDS = /[a-z']+/g;

// The two characters beyond ASCII whose lower case holds an ASCII letter: İ and the Kelvin sign.
const BECOME_ASCII = /[\u0130\u212a]/;
const EACH_THAT_BECOMES_ASCII = /[\u0130\u212a]/g;

/** The words of a text in their order. */
export function wordsOf(text: string): readonly string[] {
  const letters = BECOME_ASCII.test(text) ? text.replace(EACH_THAT_BECOMES_ASCII, ' ') : text;
  return letters.toLowerCase().match(WORDS) ?? [];
}

/** Splits a text into words. Setting: `field`, the one that holds the text; the first field when it is left out. */
export class SplitWords extends Bolt {
  static readonly outputs = ['word'] as const;

  private readonly settings: Settings;
  private readonly field: string | null;
  private component = '';

  /** @throws MILLRACE_CONNECT_SETTING */
  constructor(config: Readonly<Record<string, unknown>> = {}) {
    super();
    this.settings = new Settings('split-words', config);
    this.field = config['field'] === undefined ? null : this.settings.text('field');
  }

  override prepare(context: BoltContext): void {
    this.component = context.component;
  }

  override execute(tuple: Tuple, emit: Emit<[word: string]>): void {
    const text = this.field === null ? tuple.values[0] : tuple.get(this.field);
    if (typeof text !== 'string') throw this.notText(tuple, text);
    for (const word of wordsOf(text)) emit([word]);
  }

  /** A value that is no text is the fault of one tuple; a field that no tuple has is one of the topology. */
  private notText(tuple: Tuple, value: unknown): Error {
    const what = value === null ? 'null' : typeof value;
    const field = this.field ?? tuple.fields[0] ?? '';
    if (!tuple.fields.includes(field)) {
      const known = tuple.fields.map((name) => `"${name}"`).join(', ');
      const fault = `names "${field}", but stream "${tuple.stream}" of "${tuple.component}" has the fields ${known}`;
      return this.settings.wrong('field', fault);
    }
    return new TypeError(
      `"${this.component}" splits texts, but field "${field}" of "${tuple.component}" holds ${what}`,
    );
  }
}
