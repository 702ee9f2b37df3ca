// Writes out what components print, line by line in the order in which workers said it, whoever's line it is. On the
// main thread.

export class Printer {
  private readonly write: (line: string) => Promise<void>;
  private last: Promise<void> = Promise.resolve();

  constructor(write: (line: string) => Promise<void>) {
    this.write = write;
  }

  /** Resolves when all that came until now is written out. */
  get written(): Promise<void> {
    return this.last;
  }

  /** @param then - called when these lines are written out */
  print(lines: readonly string[], then: () => void = () => undefined): void {
    this.last = this.last.then(async () => {
      for (const line of lines) await this.write(line);
      then();
    });
  }
}
