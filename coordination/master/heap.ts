// A binary heap: what comes first is at hand, whatever else is in it. What has changed since it was pushed is pushed
// anew, and whoever takes things out passes over what is old. Main thread.

export class Heap<T> {
  private readonly items: T[] = [];
  private readonly before: (one: T, other: T) => boolean;

  /** @param before - whether the one comes before the other */
  constructor(before: (one: T, other: T) => boolean) {
    this.before = before;
  }

  get first(): T | undefined {
    return this.items[0];
  }

  push(item: T): void {
    const { items, before } = this;
    let at = items.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!before(item, items[above]!)) break;
      items[at] = items[above]!;
      at = above;
    }
    items[at] = item;
  }

  /** Takes the first one out. */
  pop(): T | undefined {
    const { items, before } = this;
    const first = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= items.length) break;
      if (below + 1 < items.length && before(items[below + 1]!, items[below]!)) below++;
      if (!before(items[below]!, last)) break;
      items[at] = items[below]!;
      at = below;
    }
    items[at] = last;
    return first;
  }
}
