// How components read their settings. A JSON topology is checked against its schema before anything starts, but a
// component that is made in TypeScript, or whose settings were overridden, gets whatever it is given: here that is told
// by name and not by a crash later on. Without the schema library, because this travels in users' bundles. Any thread.

import { failure, type MillraceError } from '../errors.js';
import { RETRIES_MAX } from '../limits.js';
import { readDurationMs } from '../model/duration.js';
import { shown } from '../model/names.js';

/** The settings of a component of that type, read one by one. */
export class Settings {
  private readonly type: string;
  private readonly config: Readonly<Record<string, unknown>>;

  constructor(type: string, config: Readonly<Record<string, unknown>>) {
    this.type = type;
    this.config = config;
  }

  /** The error of a setting that is not what it must be. */
  wrong(key: string, what: string): MillraceError {
    return failure('MILLRACE_CONNECT_SETTING', { type: this.type, key, what }, { fatal: true });
  }

  /** Whatever is given; undefined when nothing is. */
  any(key: string): unknown {
    return this.config[key];
  }

  /** A text that is not empty. */
  text(key: string): string {
    const value = this.config[key];
    if (typeof value !== 'string' || value === '') throw this.mustBe('a text that is not empty', key);
    return value;
  }

  /** A text, empty too. */
  optionalText(key: string, fallback: string): string {
    const value = this.config[key] ?? fallback;
    if (typeof value !== 'string') throw this.mustBe('a text', key);
    return value;
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.config[key] ?? fallback;
    if (typeof value !== 'boolean') throw this.mustBe('true or false', key);
    return value;
  }

  /** One of some texts. */
  choice<const C extends string>(key: string, fallback: C, choices: readonly C[]): C {
    const value = this.config[key] ?? fallback;
    const chosen = choices.find((each) => each === value);
    if (chosen === undefined) throw this.mustBe(choices.map((each) => `"${each}"`).join(' or '), key);
    return chosen;
  }

  /** How often a failed tuple is emitted again before it is given up; null when it never is. */
  retries(): number | null {
    const given = this.config['retries'];
    return given === undefined || given === null ? null : this.whole('retries', 0, 0, RETRIES_MAX);
  }

  /** A whole number within bounds. */
  whole(key: string, fallback: number, min: number, max: number): number {
    const value = this.config[key] ?? fallback;
    if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
      throw this.mustBe(`a whole number from ${min} to ${max}`, key);
    }
    return value as number;
  }

  /** A whole number within bounds, or null when nothing is given. */
  optionalWhole(key: string, min: number, max: number): number | null {
    return (this.config[key] ?? null) === null ? null : this.whole(key, min, min, max);
  }

  /** A duration in milliseconds, or null when nothing is given. */
  duration(key: string): number | null {
    const value = this.config[key] ?? null;
    if (value === null) return null;
    const ms = readDurationMs(value);
    if (ms === null) throw this.mustBe('a duration such as "30s", or milliseconds', key);
    return ms;
  }

  /** A number above zero, or null when nothing is given. */
  positive(key: string): number | null {
    const value = this.config[key] ?? null;
    if (value === null) return null;
    if (typeof value !== 'number' || !(value > 0) || value === Infinity) throw this.mustBe('a number above 0', key);
    return value;
  }

  /** One text or a list of texts, each of them once. */
  texts(key: string): readonly string[] {
    const value = this.config[key];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const texts = list.filter((entry): entry is string => typeof entry === 'string' && entry !== '');
    if (texts.length !== list.length || texts.length === 0) throw this.mustBe('a text or a list of texts', key);
    if (new Set(texts).size !== texts.length) throw this.wrong(key, 'names something twice');
    return texts;
  }

  private mustBe(expected: string, key: string): MillraceError {
    return this.wrong(key, `must be ${expected}, not ${shown(this.config[key])}`);
  }
}
