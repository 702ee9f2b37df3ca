export { TestRun, type TestOptions } from './kit.js';
export type { LifeCall, Place, TestEvent } from './messages.js';
