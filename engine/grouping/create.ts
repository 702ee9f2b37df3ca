// Makes the grouping of one sending task for one subscription, from the targets that there are now. The one place that
// knows every grouping by its name; each of them has a file of its own beside this one.

import type { InputDefinition } from '../model/definition.js';
import { AllGrouping } from './all.js';
import { CustomDealing } from './custom.js';
import { FieldsGrouping } from './fields.js';
import { GlobalGrouping } from './global.js';
import type { Grouping, GroupingTarget, SendingWorker } from './grouping.js';
import { PartialKeyGrouping } from './partial-key.js';
import { ShuffleGrouping } from './shuffle.js';

/** What a grouping needs to know of the stream that it deals. */
export interface GroupingContext {
  /** The stream's fields, in order. */
  readonly fields: readonly string[];
  /** The tasks of the subscriber, at least one, by their index. Their numbers need not be dense. */
  readonly targets: readonly GroupingTarget[];
  /** The id of the subscriber. */
  readonly subscriber: string;
  /** Which task of its component sends. */
  readonly senderIndex: number;
  readonly worker: SendingWorker;
  readonly keyGroups: number;
}

/** Whether a subscription has nothing to choose: its only task gets everything. */
export function leavesNoChoice(input: InputDefinition, targets: number): boolean {
  return targets === 1 && input.grouping !== 'custom';
}

export function createGrouping(input: InputDefinition, context: GroupingContext): Grouping {
  const { targets, senderIndex, worker } = context;
  // With one task to choose from no key has to be hashed.
  if (leavesNoChoice(input, targets.length)) return new GlobalGrouping();
  switch (input.grouping) {
    case 'shuffle':
    case 'none':
      return new ShuffleGrouping(targets, senderIndex, worker, input.locality === false ? 'any' : 'preferred');
    case 'local-or-shuffle':
      return new ShuffleGrouping(targets, senderIndex, worker, 'only');
    case 'fields':
      return new FieldsGrouping(positionsOf(input, context), context.keyGroups, targets.length);
    case 'partial-key':
      return new PartialKeyGrouping(positionsOf(input, context), targets.length);
    case 'all':
      return new AllGrouping();
    case 'global':
      return new GlobalGrouping();
    case 'direct':
      // Each task of a direct stream has an output of its own, with nothing to choose.
      return new GlobalGrouping();
    case 'custom': {
      const { name, create } = input.custom!;
      const tasks = targets.map((target) => target.task);
      return new CustomDealing(create(), tasks, { source: input.from, subscriber: context.subscriber, name });
    }
  }
}

function positionsOf(input: InputDefinition, { fields }: GroupingContext): readonly number[] {
  return input.fields.map((field) => fields.indexOf(field));
}
