// Bounds that are reached at once.

import type { RuntimeLimits } from '../../../engine/limits.js';

export const tinyLimits: Partial<RuntimeLimits> = {
  batchTuplesMax: 4,
  mailboxTuplesMax: 4,
  channelReserveTuples: 2,
  linkSharedTuples: 4,
  sliceTuplesMax: 4,
};
