// The bounds of who may do what in the store, part of engine/limits.ts.

/** Lines of access rules of one node: a few users with a line each. */
export const STORE_ACCESS_RULES_MAX = 64;

/** Users for whom one session speaks: each is proven again on every connection, and looked for in every rule. */
export const STORE_CREDENTIALS_MAX = 16;

/** Characters of the name of a user of the store, and of its password. */
export const STORE_USER_LENGTH_MAX = 256;
