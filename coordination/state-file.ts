// The file in a directory that describes what runs for it, so that another command finds that: JSON, written whole and
// renamed, which only its owner may read. A directory that holds something else is nobody's to use. Main thread.

import { renameSync, writeFileSync } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../engine/errors.js';

export interface StateFileOptions {
  readonly name: string;
  readonly bytesMax: number;
  /** What else may be in the directory when the file is not there. */
  readonly otherNames: RegExp;
  /** The error of a directory that cannot be used. */
  readonly unusable: (directory: string, reason: string) => Error;
}

export class StateFile {
  private readonly options: StateFileOptions;

  constructor(options: StateFileOptions) {
    this.options = options;
  }

  at(directory: string): string {
    return join(directory, this.options.name);
  }

  /** @throws what the system says */
  write(directory: string, content: object): void {
    const file = this.at(directory);
    const fresh = `${file}.${process.pid}.new`;
    writeFileSync(fresh, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    renameSync(fresh, file);
  }

  /**
   * What it holds; null when there is none, nor anything else that does not belong there.
   *
   * @throws the error of an unusable directory
   */
  async read(directory: string): Promise<unknown> {
    const text = await this.readText(directory);
    if (text === null) return null;
    const { name, unusable } = this.options;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw unusable(directory, `its ${name} is no JSON: ${reasonOf(error)}`);
    }
    if (value === null) throw unusable(directory, `its ${name} has nothing in it`);
    return value;
  }

  private async readText(directory: string): Promise<string | null> {
    const { name, bytesMax, otherNames, unusable } = this.options;
    const file = this.at(directory);
    try {
      const { size } = await stat(file);
      if (size > bytesMax) throw unusable(directory, `its ${name} has ${size} bytes`);
      return await readFile(file, 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOTDIR') throw unusable(directory, 'it is no directory');
      if (code !== 'ENOENT') throw code?.startsWith('E') === true ? unusable(directory, reasonOf(error)) : error;
    }
    const other = (await this.namesIn(directory)).find((each) => !otherNames.test(each));
    if (other !== undefined) throw unusable(directory, `there is no ${name} in it, but "${other}"`);
    return null;
  }

  private async namesIn(directory: string): Promise<readonly string[]> {
    try {
      return await readdir(directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw this.options.unusable(directory, reasonOf(error));
    }
  }
}
