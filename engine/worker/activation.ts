// Whether the spouts of a topology are to be asked: what was wished last, and who waits until every worker has carried
// it out. Each change of the wish has a round of its own, which workers confirm. On the main thread.

interface Waiting {
  readonly round: number;
  readonly resolve: () => void;
}

export class Activation {
  /** The spouts are to be asked. */
  wanted = true;
  round = 1;
  private carriedOut = 0;
  private waiting: Waiting[] = [];
  private over = false;

  /** Changes the wish; false when it is that already. */
  change(wanted: boolean): boolean {
    if (this.wanted === wanted) return false;
    this.wanted = wanted;
    this.round++;
    return true;
  }

  /** Resolves when every worker has carried out the wish of now, or a later one, or everything is over. */
  done(): Promise<void> {
    if (this.over || this.carriedOut >= this.round) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ round: this.round, resolve }));
  }

  /** Every worker has carried out that round. */
  confirm(round: number): void {
    this.carriedOut = round;
    const still = this.waiting.filter((each) => each.round > round);
    const done = this.waiting.filter((each) => each.round <= round);
    this.waiting = still;
    for (const { resolve } of done) resolve();
  }

  /** Nothing will be carried out any more. */
  end(): void {
    this.over = true;
    this.confirm(Infinity);
  }
}
