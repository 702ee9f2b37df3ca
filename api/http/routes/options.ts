// What routes work with. Types.

import type { HostService } from '../../host/service.js';

export interface RouteOptions {
  readonly service: HostService;
  /** How long nothing may move on a connection, where a route lifts that for a while. */
  readonly stalledMs: number;
}

/** Where the interface begins. */
export const BASE = '/api/v1';
