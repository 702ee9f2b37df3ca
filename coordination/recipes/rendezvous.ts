// Which member owns which shard: each shard goes to the member with the highest score for it, a hash of both names. So
// who comes takes shards from the others and moves none between them, and who goes leaves its own to the others and
// moves no other. Shards are spread evenly by chance: some ten for each member level that out. Pure, any thread.

import { finishHash, HASH_SEED, hashValue } from '../../engine/plan/hash.js';

/**
 * The owner of each shard, by its number; empty when there is no member.
 *
 * @example
 * ```ts
 * ownersOf(['a', 'b'], 4); // of each of the shards 0 to 3, 'a' or 'b'
 * ```
 */
export function ownersOf(members: readonly string[], shards: number): readonly string[] {
  if (members.length === 0) return [];
  const hashes = members.map((member) => ({ member, hash: hashValue(HASH_SEED, member) }));
  return Array.from({ length: shards }, (_, shard) => {
    let best = hashes[0]!.member;
    let bestScore = -1;
    for (const { member, hash } of hashes) {
      const score = finishHash(hashValue(hash, shard));
      if (score > bestScore || (score === bestScore && member < best)) {
        best = member;
        bestScore = score;
      }
    }
    return best;
  });
}
