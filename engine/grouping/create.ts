// Makes the grouping of one sending task for one subscription. The one place that knows every grouping by its name;
// each of them has a file of its own beside this one.

import type { InputDefinition } from '../model/definition.js';
import { AllGrouping } from './all.js';
import { FieldsGrouping } from './fields.js';
import { GlobalGrouping } from './global.js';
import type { Grouping } from './grouping.js';
import { ShuffleGrouping } from './shuffle.js';

/** What a grouping needs to know of the stream that it deals. */
export interface GroupingContext {
  /** The stream's fields, in order. */
  readonly fields: readonly string[];
  /** How many tasks the subscriber has. */
  readonly targets: number;
  /** Which task of its component sends. */
  readonly senderIndex: number;
  readonly keyGroups: number;
}

export function createGrouping(input: InputDefinition, context: GroupingContext): Grouping {
  // With one task to choose from no key has to be hashed.
  if (context.targets === 1) return new GlobalGrouping();
  switch (input.grouping) {
    case 'shuffle':
      return new ShuffleGrouping(context.targets, context.senderIndex);
    case 'fields': {
      const positions = input.fields.map((field) => context.fields.indexOf(field));
      return new FieldsGrouping(positions, context.keyGroups, context.targets);
    }
    case 'all':
      return new AllGrouping();
    case 'global':
      return new GlobalGrouping();
  }
}
