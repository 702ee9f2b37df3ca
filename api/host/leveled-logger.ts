// A logger that lets through what is of its level and above, where the parameters of the cluster may say which one that
// is. Main thread.

import type { Logger, LogLevel } from '../../engine/log.js';
import { logLevelOf, type ParameterValues } from '../../engine/model/parameters.js';

const RANKS: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export class LeveledLogger implements Logger {
  private readonly inner: Logger;
  private readonly first: LogLevel;
  private level: LogLevel;

  /** @param first - the level as long as no parameter says it */
  constructor(inner: Logger, first: LogLevel) {
    this.inner = inner;
    this.first = first;
    this.level = first;
  }

  follow(parameters: ParameterValues): void {
    const level = logLevelOf(parameters) ?? this.first;
    if (level === this.level) return;
    this.level = level;
    // Whatever it is: who looks at the log sees from where on more, or less, is in it.
    this.inner.info(`from here on the log has what is of level "${level}" or above`);
  }

  debug(message: string): void {
    if (this.lets('debug')) this.inner.debug(message);
  }

  info(message: string): void {
    if (this.lets('info')) this.inner.info(message);
  }

  warn(message: string): void {
    if (this.lets('warn')) this.inner.warn(message);
  }

  error(message: string): void {
    if (this.lets('error')) this.inner.error(message);
  }

  private lets(level: LogLevel): boolean {
    return RANKS[level] >= RANKS[this.level];
  }
}
