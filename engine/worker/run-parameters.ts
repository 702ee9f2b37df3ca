// The parameters that the components of a run see: the workers of now are told, and those that start later begin with
// them. On the main thread.

import { NO_PARAMETERS, type ParameterValues } from '../model/parameters.js';
import type { ToWorker } from './messages.js';

export class RunParameters {
  private values: ParameterValues;
  private readonly broadcast: (message: ToWorker) => void;

  constructor(first: ParameterValues | undefined, broadcast: (message: ToWorker) => void) {
    this.values = first ?? NO_PARAMETERS;
    this.broadcast = broadcast;
  }

  get now(): ParameterValues {
    return this.values;
  }

  /** Those hold from now on; every task hears of it between two of its calls. */
  set(values: ParameterValues): void {
    this.values = values;
    this.broadcast({ type: 'parameters', parameters: values });
  }
}
