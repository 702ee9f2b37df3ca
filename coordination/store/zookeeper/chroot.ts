// Makes the path that stands for the root of a store, when it is not there: also after somebody has deleted it. The
// thread of the session.

import type { GrantedRule } from '../access.js';
import { hasCode } from '../store-errors.js';
import { Requests, type Request } from './requests.js';

/**
 * Makes what is missing of that path.
 *
 * @param access - the rules of each node that is made
 * @param call - carries out a request of the session
 */
export async function makeChroot(
  chroot: string,
  access: readonly GrantedRule[],
  call: <T>(request: Request<T>) => Promise<T>,
): Promise<void> {
  const requests = new Requests('');
  if ((await call(requests.exists(chroot))) !== null) return;
  const names = chroot.slice(1).split('/');
  for (let count = 1; count <= names.length; count++) {
    const path = `/${names.slice(0, count).join('/')}`;
    // Who may not create children of the root may still use what is below.
    if (count < names.length && (await call(requests.exists(path))) !== null) continue;
    try {
      await call(requests.create(path, new Uint8Array(0), 'persistent', access));
    } catch (error) {
      if (!hasCode(error, 'MILLRACE_STORE_NODE_EXISTS')) throw error;
    }
  }
}
