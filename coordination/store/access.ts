// Who may do what with a node, alike in every store: the rules as ZooKeeper has them, checked before they go anywhere,
// so that no store sees one that another would refuse. A session speaks for the users whose credentials it has; a rule
// names a user by the digest of name and password, so that who knows a password may make rules for it. Pure but for
// SHA-1, any thread.
//
//   rules as asked ──granted(users of the session)──► rules as kept: "creator" is one line for each of these users

import { createHash } from 'node:crypto';
import { failure } from '../../engine/errors.js';
import { STORE_ACCESS_RULES_MAX, STORE_CREDENTIALS_MAX, STORE_USER_LENGTH_MAX } from '../../engine/limits.js';
import type { AccessRule, Credentials, Permission } from './contract.js';

/** A user as rules name it. */
export interface StoreUser {
  readonly user: string;
  readonly digest: string;
}

/** A rule as a store keeps it. */
export interface GrantedRule extends AccessRule {
  readonly who: 'anyone' | StoreUser;
}

/** Every permission, in the order in which they are told. */
export const PERMISSIONS: readonly Permission[] = ['read', 'write', 'create', 'delete', 'admin'];

/** Everybody may do everything: what a node has when nobody said anything else. */
export const OPEN_ACCESS: readonly GrantedRule[] = [{ who: 'anyone', may: PERMISSIONS }];

/** Base64 of 20 bytes. */
const DIGEST = /^[A-Za-z0-9+/]{27}=$/;

/** The digest that rules name a user by: base64 of the SHA-1 of `user:password`. */
export function digestOf(credentials: Credentials): string {
  return createHash('sha1').update(`${credentials.user}:${credentials.password}`, 'utf8').digest('base64');
}

/**
 * The users of these credentials, each once.
 *
 * @throws MILLRACE_STORE_CREDENTIALS
 */
export function usersOf(credentials: readonly Credentials[]): readonly StoreUser[] {
  const users = new Map<string, StoreUser>();
  for (const each of credentials) {
    const { user, password } = each;
    const reason = wrongUser(user) ?? wrongPassword(password);
    if (reason !== null) throw failure('MILLRACE_STORE_CREDENTIALS', { user: String(user).slice(0, 100), reason });
    const digest = digestOf(each);
    users.set(`${user}:${digest}`, { user, digest });
    if (users.size > STORE_CREDENTIALS_MAX) {
      throw failure('MILLRACE_STORE_CREDENTIALS', { user, reason: `a session has at most ${STORE_CREDENTIALS_MAX}` });
    }
  }
  return [...users.values()];
}

/**
 * Checks rules and gives them as they are kept: `creator` replaced, permissions in their order, nothing twice.
 *
 * @param path - the node that they are for
 * @param users - those of the session that makes them
 * @throws MILLRACE_STORE_ACCESS
 */
export function granted(
  path: string,
  rules: readonly AccessRule[],
  users: readonly StoreUser[],
): readonly GrantedRule[] {
  checkRules(path, rules);
  const kept = new Map<string, GrantedRule>();
  for (const { who, may } of rules) {
    const ordered = PERMISSIONS.filter((permission) => may.includes(permission));
    const all = who === 'creator' ? users : [who];
    if (all.length === 0) {
      throw failure('MILLRACE_STORE_ACCESS', { path, reason: 'the session has no credentials, so it is no "creator"' });
    }
    for (const each of all) {
      const one = each === 'anyone' ? each : { user: each.user, digest: each.digest };
      kept.set(JSON.stringify([one, ordered]), { who: one, may: ordered });
    }
  }
  return [...kept.values()];
}

/**
 * Checks the shape of rules.
 *
 * @throws MILLRACE_STORE_ACCESS
 */
export function checkRules(path: string, rules: readonly AccessRule[]): void {
  const reason = wrongRules(rules);
  if (reason !== null) throw failure('MILLRACE_STORE_ACCESS', { path, reason });
}

/** Whether one of these users, or anybody, has one of these permissions. */
export function allows(
  rules: readonly GrantedRule[],
  users: readonly StoreUser[],
  ...wanted: readonly Permission[]
): boolean {
  return rules.some(({ who, may }) => {
    if (!wanted.some((permission) => may.includes(permission))) return false;
    return who === 'anyone' || users.some(({ user, digest }) => user === who.user && digest === who.digest);
  });
}

/** The rules as somebody without `admin` sees them. */
export function hidden(rules: readonly GrantedRule[]): readonly GrantedRule[] {
  return rules.map(({ who, may }) => ({ who: who === 'anyone' ? who : { user: who.user, digest: 'x' }, may }));
}

/** What rules take of memory and of a packet: an estimate. */
export function accessBytes(rules: readonly AccessRule[]): number {
  return rules.reduce((sum, { who }) => sum + 64 + (typeof who === 'string' ? 0 : 2 * who.user.length), 0);
}

/** Rules come from JSON and from plain JavaScript as well, so their shape is checked. */
function wrongRules(rules: readonly AccessRule[]): string | null {
  if (!isList(rules) || rules.length === 0) return 'there are none, so nobody could ever reach the node';
  if (rules.length > STORE_ACCESS_RULES_MAX) return `there are more than ${STORE_ACCESS_RULES_MAX}`;
  for (const { who, may } of rules) {
    if (!isList(may) || may.length === 0) return 'one of them permits nothing';
    const unknown = may.find((permission) => !PERMISSIONS.includes(permission));
    if (unknown !== undefined) return `"${String(unknown)}" is no permission`;
    if (who === 'anyone' || who === 'creator') continue;
    if (typeof who !== 'object' || who === null) return `"${String(who)}" is nobody`;
    const reason = wrongUser(who.user);
    if (reason !== null) return reason;
    if (!DIGEST.test(who.digest)) return `the digest of user "${who.user}" is not base64 of a SHA-1`;
  }
  return null;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function wrongUser(user: string): string | null {
  if (typeof user !== 'string' || user === '') return 'a user has no name';
  if (user.includes(':')) return `the name "${user.slice(0, 100)}" has a ":" in it`;
  return user.length > STORE_USER_LENGTH_MAX ? `a name is longer than ${STORE_USER_LENGTH_MAX} characters` : null;
}

function wrongPassword(password: string): string | null {
  if (typeof password !== 'string') return 'it has no password';
  return password.length > STORE_USER_LENGTH_MAX ? `its password is longer than ${STORE_USER_LENGTH_MAX}` : null;
}
