// `millrace/connect/words`: texts into words. Light, any thread.

import { defineBolt, type BoltSpec } from '../../component/spec.js';
import { SplitWords } from './split-words.js';

export { SplitWords, wordsOf } from './split-words.js';

/** Settings of {@link splitWords}. */
export interface SplitWordsConfig {
  /** The field that holds the text. Default: the first one. */
  readonly field?: string;
}

/**
 * A bolt that emits each word of a text as `word`, in lower case. Type `split-words`.
 *
 * A word is a run of the letters a to z and apostrophes; everything else separates words, letters beyond ASCII too
 * (`Ahab's café` gives `ahab's` and `caf`). That equals `tr -cs "A-Za-z'" '\n' | tr A-Z a-z`. A value that is no text
 * fails its tuple.
 *
 * @throws MILLRACE_CONNECT_SETTING when its input does not have the field; ends the topology
 */
export function splitWords(config: SplitWordsConfig = {}): BoltSpec<SplitWords, typeof SplitWords.outputs> {
  return defineBolt({
    type: 'split-words',
    outputs: SplitWords.outputs,
    config: { ...config },
    configKeys: ['field'],
    create: (settings) => new SplitWords(settings),
  });
}
