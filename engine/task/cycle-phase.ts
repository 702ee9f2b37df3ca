// How far a bolt task in a cycle has come with its end, which its worker decides (worker/cycle-members.ts):
//
//   GOES_ROUND ─► MAY_FINISH ─ its `finish` has returned ─► HAS_FINISHED ─► MAY_END
//        ▲______________ its inputs began anew _______________│

/** It stands in no cycle: it ends when all its inputs have. */
export const NO_CYCLE = 0;
export const GOES_ROUND = 1;
export const MAY_FINISH = 2;
export const HAS_FINISHED = 3;
export const MAY_END = 4;

export type CyclePhase = typeof NO_CYCLE | typeof GOES_ROUND | typeof MAY_FINISH | typeof HAS_FINISHED | typeof MAY_END;
