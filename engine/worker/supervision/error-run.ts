// The run of errors that one task is in: calls that threw with none in between that did what it was made for. Says when
// the run is long enough for the task to be restarted, and how long to wait before. Pure, on the worker's thread.
//
//   errors:  x x x x … x x x        at least `TASK_ERRORS_MAX` of them, for at least `TASK_ERRORS_MIN_MS`,
//            |←─ within the window ─→|   within `TASK_ERRORS_WINDOW_MS`; one success, and it begins anew

import {
  RESTART_WAIT_MAX_MS,
  RESTART_WAIT_MIN_MS,
  TASK_ERRORS_MAX,
  TASK_ERRORS_MIN_MS,
  TASK_ERRORS_WINDOW_MS,
  TASK_RESTARTS_MAX,
} from '../../limits.js';

export class ErrorRun {
  /** Errors of this run. */
  errors = 0;
  /** Restarts without one success since. */
  restarts = 0;
  private firstMs = 0;
  private successes = 0;

  /** No call has succeeded since its worker began. */
  get neverSucceeded(): boolean {
    return this.successes === 0;
  }

  /** A call of the task threw, which has so many successes by now; true when it is to be restarted. */
  add(nowMs: number, successes: number): boolean {
    if (successes > this.successes) {
      this.successes = successes;
      this.errors = 0;
      this.restarts = 0;
    }
    if (this.errors === 0 || nowMs - this.firstMs > TASK_ERRORS_WINDOW_MS) {
      this.errors = 0;
      this.firstMs = nowMs;
    }
    this.errors++;
    return this.errors >= TASK_ERRORS_MAX && nowMs - this.firstMs >= TASK_ERRORS_MIN_MS;
  }

  /** Restarting the task does not help. */
  get isHopeless(): boolean {
    return this.restarts >= TASK_RESTARTS_MAX;
  }

  /** It is restarted once more; gives how long to wait before another instance is made. */
  restart(): number {
    this.errors = 0;
    return Math.min(RESTART_WAIT_MIN_MS * 2 ** this.restarts++, RESTART_WAIT_MAX_MS);
  }
}
