// What a command has to end before it exits, whatever happens: in the order opposite to that in which it was begun, and
// also on Ctrl-C.

import type { Ending } from '../host-command.js';

export class Endings implements Ending {
  private readonly works: (() => unknown)[] = [];

  teardown(work: () => unknown): void {
    this.works.push(work);
  }

  async end(): Promise<void> {
    for (let work = this.works.pop(); work !== undefined; work = this.works.pop()) await work();
  }

  /** Does that, and ends whatever was begun. */
  static async around<T>(work: (endings: Endings) => Promise<T>): Promise<T> {
    const endings = new Endings();
    const interrupted = (): void => void endings.end().finally(() => process.exit(130));
    process.once('SIGINT', interrupted);
    try {
      return await work(endings);
    } finally {
      process.off('SIGINT', interrupted);
      await endings.end();
    }
  }
}
