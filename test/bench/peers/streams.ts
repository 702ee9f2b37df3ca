// The peer `streams`: the streams of Node in object mode, one for each component, in this thread.

import { Readable, Transform, Writable, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Side } from '../measured.js';
import { TimedSource } from './timed-source.js';
import { textWork, WordCounts, type TextWork } from './works.js';

/** Null when there is no such topology of streams. */
export function streamsSide(topology: string): Side | null {
  const work = textWork(topology);
  if (work === null) return null;
  return {
    name: 'node streams',
    labels: ['streams'],
    measure: async (timing) => {
      const source = new TimedSource(work.texts(), timing);
      await pipeline([Readable.from(source), ...stepsOf(work), sinkOf(source)]);
      return source.measured();
    },
  };
}

function stepsOf({ step }: TextWork): readonly Transform[] {
  switch (step) {
    case 'nothing':
      return [];
    case 'pass on':
      return [transform((text: string, _, done) => done(null, text))];
    case 'count words': {
      const counts = new WordCounts();
      const split = transform(function (text: string, _, done) {
        for (const word of text.split(' ')) this.push(word);
        done();
      });
      return [split, transform((word: string, _, done) => done(null, [word, counts.add(word)]))];
    }
  }
}

function transform(
  step: (this: Transform, text: string, encoding: BufferEncoding, done: TransformCallback) => void,
): Transform {
  return new Transform({ objectMode: true, transform: step });
}

function sinkOf(source: TimedSource): Writable {
  return new Writable({
    objectMode: true,
    write(_value, _encoding, done) {
      source.arrived++;
      done();
    },
  });
}
