// Access rules as ZooKeeper has them: lines of a mask of bits, and an id in a scheme that says what the id means. Pure,
// any thread.

import type { AccessRule, Permission } from '../contract.js';
import { PERMISSIONS, type GrantedRule } from '../access.js';
import { dataRecord, Unreadable, type WireRecord } from './codec.js';

const bits: Readonly<Record<Permission, number>> = { read: 1, write: 2, create: 4, delete: 8, admin: 16 };

/** Rules as they go over the wire. */
export function aclOf(rules: readonly GrantedRule[]): readonly WireRecord[] {
  return rules.map(({ who, may }) => {
    const mask = may.reduce((sum, permission) => sum | bits[permission], 0);
    const [scheme, id] = who === 'anyone' ? ['world', 'anyone'] : ['digest', `${who.user}:${who.digest}`];
    return dataRecord('ACL', mask, dataRecord('Id', scheme, id));
  });
}

/** Rules as they came. What others made with schemes that we do not have is told by its scheme and id. */
export function accessOf(acl: unknown): readonly AccessRule[] {
  if (!Array.isArray(acl)) throw new Unreadable('access rules that are none');
  return acl.map((line: WireRecord) => {
    const { scheme, id } = line['id'] as WireRecord;
    const mask = Number(line['perms']);
    return { who: whoOf(String(scheme), String(id)), may: PERMISSIONS.filter((each) => (mask & bits[each]) !== 0) };
  });
}

function whoOf(scheme: string, id: string): AccessRule['who'] {
  if (scheme === 'world') return 'anyone';
  if (scheme !== 'digest') return { user: `${scheme}:${id}`, digest: 'x' };
  const colon = id.indexOf(':');
  return { user: id.slice(0, colon), digest: id.slice(colon + 1) };
}
