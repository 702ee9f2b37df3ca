// `split-words` as JSON topologies name it, with the schema of its settings. Apart from index.ts, which stays free of
// the schema library. Any thread.

import { Type } from 'typebox';
import type { ComponentType } from '../../model/registry.js';
import { SplitWords } from './split-words.js';

const closed = { additionalProperties: false } as const;

/** Type `split-words`. */
export const splitWordsType: ComponentType = {
  type: 'split-words',
  kind: 'bolt',
  description: 'Emits each word of a text as "word": letters a to z and apostrophes, in lower case.',
  schema: Type.Object(
    {
      field: Type.Optional(
        Type.String({ minLength: 1, description: 'The field that holds the text; left out: the first.' }),
      ),
    },
    closed,
  ),
  outputs: { default: SplitWords.outputs },
  create: (config) => new SplitWords(config),
};
