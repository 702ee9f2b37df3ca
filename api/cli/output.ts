// The two streams of the command. Standard output carries data: what components print, as it is, or JSON lines.
// Standard error carries talk, and on a terminal one progress line, which is wiped before anything else is written.
//
// Invariant: `print` settles only when its line was taken, so that a slow reader slows the components down; once the
// reader has left, lines are dropped and `onReaderGone` was called. Main thread.

import type { Logger } from '../../engine/log.js';

/** What is needed of `process.stdout` and `process.stderr`. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string, written?: () => void): boolean;
  once(event: 'drain', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

const WIPE = '\r\u001b[K';
const COLUMNS_DEFAULT = 80;

export interface OutputOptions {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Standard output is JSON lines only. */
  readonly json: boolean;
  /** Called once when standard output cannot be written to any more, with what it said. */
  readonly onReaderGone: (error: Error) => void;
}

export class Output {
  private readonly stdout: OutputStream;
  private readonly stderr: OutputStream;
  private readonly json: boolean;
  private readonly onReaderGone: (error: Error) => void;
  private isReaderGone = false;
  private isClosed = false;
  private isProgressShown = false;
  private room: { readonly made: Promise<void>; readonly release: () => void } | null = null;

  constructor({ stdout, stderr, json, onReaderGone }: OutputOptions) {
    this.stdout = stdout;
    this.stderr = stderr;
    this.json = json;
    this.onReaderGone = onReaderGone;
    stdout.on('error', (error) => this.loseReader(error));
    stderr.on('error', () => undefined);
  }

  /** Prints a component's line; settles when the stream has room for the next one. */
  async print(line: string): Promise<void> {
    if (!this.isClosed) await this.writeData(this.json ? JSON.stringify({ type: 'print', line }) : line);
  }

  /** With `--json`: writes that object as a line; else nothing. */
  async data(object: object): Promise<void> {
    if (this.json) await this.writeData(JSON.stringify(object));
  }

  /** With `--json`: writes the last line; whatever is printed later is dropped. */
  async last(object: object): Promise<void> {
    this.isClosed = true;
    await this.data(object);
  }

  /** Tells the user something, in a line or several. */
  say(text: string): void {
    this.wipeProgress();
    this.stderr.write(`${text}\n`);
  }

  /** Writes text of somebody else's to standard error, as it is. */
  pass(text: string): void {
    this.wipeProgress();
    this.stderr.write(text);
  }

  /** Whether there is a terminal for a progress line, and how many characters fit. */
  get progressColumns(): number | null {
    if (this.stderr.isTTY !== true) return null;
    const columns = this.stderr.columns ?? COLUMNS_DEFAULT;
    return columns > 0 ? columns - 1 : COLUMNS_DEFAULT - 1;
  }

  /** Puts that text into the progress line. */
  showProgress(text: string): void {
    this.stderr.write(WIPE + text);
    this.isProgressShown = true;
  }

  wipeProgress(): void {
    if (!this.isProgressShown) return;
    this.isProgressShown = false;
    this.stderr.write(WIPE);
  }

  /** Settles when everything is out, or its reader has left. */
  async flush(): Promise<void> {
    const streams = this.isReaderGone ? [this.stderr] : [this.stdout, this.stderr];
    await Promise.all(
      streams.map(async (stream) => {
        await new Promise<void>((resolve) => stream.write('', resolve));
      }),
    );
  }

  /** A logger that talks to standard error; `debug` is left out. */
  logger(): Logger {
    return {
      debug: () => undefined,
      info: (message) => this.say(message),
      warn: (message) => this.say(`warning: ${message}`),
      error: (message) => this.say(`error: ${message}`),
    };
  }

  private async writeData(line: string): Promise<void> {
    if (this.isReaderGone) return;
    if (this.stdout.isTTY === true) this.wipeProgress();
    try {
      if (this.stdout.write(`${line}\n`)) return;
    } catch (error) {
      // A file is written at once, and a full disk is told at once.
      this.loseReader(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.room ??= this.waitForRoom();
    await this.room.made;
  }

  private loseReader(error: Error): void {
    if (this.isReaderGone) return;
    this.isReaderGone = true;
    this.room?.release();
    this.onReaderGone(error);
  }

  private waitForRoom(): { readonly made: Promise<void>; readonly release: () => void } {
    let release = (): void => undefined;
    const made = new Promise<void>((resolve) => {
      release = () => {
        this.room = null;
        resolve();
      };
    });
    this.stdout.once('drain', release);
    return { made, release };
  }
}
