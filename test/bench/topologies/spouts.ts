// What the topologies of the benchmark begin with: spouts that always have something, as fast as they are asked. With
// `tracked: false` they emit without an id, so that no tree is opened.

import { Spout, type Emit, type SpoutContext } from 'millrace';
import { SENTENCES } from '../data/sentences.js';

/** Emits the same short text over and over. */
export class Constant extends Spout {
  static readonly outputs = ['value'] as const;
  private id = 0;
  private tracked = true;

  override open(context: SpoutContext): void {
    this.tracked = context.config['tracked'] !== false;
  }

  nextTuple(emit: Emit<[value: string]>): void {
    if (this.tracked) emit(['some data'], { id: this.id++ });
    else emit(['some data']);
  }
}

/** Emits texts in turn; here the five sentences. */
export class Sentences extends Spout {
  static readonly outputs = ['sentence'] as const;
  protected texts = SENTENCES;
  private next = 0;
  private id = 0;
  private tracked = true;

  override open(context: SpoutContext): void {
    this.tracked = context.config['tracked'] !== false;
  }

  nextTuple(emit: Emit<[sentence: string]>): void {
    const text = this.texts[this.next]!;
    this.next = this.next + 1 === this.texts.length ? 0 : this.next + 1;
    if (this.tracked) emit([text], { id: this.id++ });
    else emit([text]);
  }
}
