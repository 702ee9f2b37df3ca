// The nodes of a nemesis run that holders write, fenced by their tokens: made by the runner before anybody contends.

export const ROOT = '/nemesis';
/** Written by leaders, watched by everybody. */
export const STATE = '/nemesis/state';
/** Written by holders of the lock. */
export const GUARDED = '/nemesis/guarded';
