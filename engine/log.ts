// Where Millrace and components write what they have to say. The engine never writes to a stream by itself: the command
// line writes to standard error, an embedding service gives a logger of its own.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a logger takes; pino's and console's loggers fit. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
