// What routes work with, and where they begin: they know the host by what it does, and nothing of the server around
// them. Types.

import type { HostService } from '../../host/service.js';

export interface RouteOptions {
  readonly service: HostService;
}

/** Where the interface begins. */
export const BASE = '/api/v1';
