// Which source tasks of a bolt task have sent their end marker. A marker carries the revision of the wiring at which it
// was sent. When sources start again at some revision, ends of older revisions do not count, however late they arrive,
// and ends of newer ones do, even if they came before this worker heard of it.

export class InputEnds {
  private readonly open: Set<number>;
  private readonly sources: ReadonlySet<number>;
  private readonly endedAt = new Map<number, number>();
  private readonly validFrom = new Map<number, number>();

  constructor(sources: readonly number[]) {
    this.sources = new Set(sources);
    this.open = new Set(sources);
  }

  /** Every source has ended. */
  get ended(): boolean {
    return this.open.size === 0;
  }

  end(source: number, revision: number): void {
    this.endedAt.set(source, Math.max(revision, this.endedAt.get(source) ?? 0));
    if (revision >= (this.validFrom.get(source) ?? 0)) this.open.delete(source);
  }

  /** Those sources run again as of that revision. */
  forget(sources: ReadonlySet<number>, revision: number): void {
    for (const source of sources) {
      if (!this.sources.has(source)) continue;
      this.validFrom.set(source, revision);
      if ((this.endedAt.get(source) ?? -1) < revision) this.open.add(source);
    }
  }
}
