// "Did you mean": the known name that is nearest to the one that was written, by the number of letters left out, added,
// changed or swapped. Looks only at names about as long, and stops where the distance is too large, so that a thousand
// wrong names against a thousand known ones stay cheap. Pure, any thread.

const DISTANCE_MAX = 3;
const KNOWN_SHOWN_MAX = 10;

/** The nearest of those names, or null when none is near. */
export function nearest(name: string, known: Iterable<string>): string | null {
  const wanted = name.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.min(DISTANCE_MAX, Math.max(1, Math.floor(name.length / 3))) + 1;
  for (const candidate of known) {
    if (candidate === name) continue;
    const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance - 1);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Those names for a hint, the first few of many. */
export function listed(names: Iterable<string>): string {
  const all = [...names];
  if (all.length === 0) return 'none';
  const some = all.slice(0, KNOWN_SHOWN_MAX).join(', ');
  return all.length > KNOWN_SHOWN_MAX ? `${some}, … (${all.length} in all)` : some;
}

/**
 * How many letters have to be left out, added, changed or swapped with their neighbour to turn one text into the other;
 * `max + 1` when more than `max`. Only the cells within `max` of the diagonal are computed.
 */
export function editDistance(left: string, right: string, max: number): number {
  if (Math.abs(left.length - right.length) > max) return max + 1;
  const over = max + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => Math.min(column, over));
  for (let row = 1; row <= left.length; row += 1) {
    const current = new Array<number>(right.length + 1).fill(over);
    if (row <= max) current[0] = row;
    let smallest = current[0] ?? over;
    const end = Math.min(right.length, row + max);
    for (let column = Math.max(1, row - max); column <= end; column += 1) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min(
        (last[column] ?? over) + 1,
        (current[column - 1] ?? over) + 1,
        (last[column - 1] ?? over) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        cost = Math.min(cost, (beforeLast[column - 2] ?? over) + 1);
      }
      current[column] = Math.min(cost, over);
      smallest = Math.min(smallest, cost);
    }
    if (smallest > max) return over;
    beforeLast = last;
    last = current;
  }
  return Math.min(last[right.length] ?? over, over);
}
