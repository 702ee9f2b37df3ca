// The peer `rxjs`: observables, which call each other in this thread, without a queue between them.

import { concatMap, map, Observable } from 'rxjs';
import type { Side } from '../measured.js';
import { TimedSource } from './timed-source.js';
import { textWork, WordCounts, type TextWork } from './works.js';

/** Null when there is no such topology of observables. */
export function rxjsSide(topology: string): Side | null {
  const work = textWork(topology);
  if (work === null) return null;
  return {
    name: 'rxjs',
    labels: ['rxjs'],
    measure: (timing) => {
      const source = new TimedSource(work.texts(), timing);
      const texts = new Observable<string>((subscriber) => {
        for (let text = source.next(); text !== null; text = source.next()) subscriber.next(text);
        subscriber.complete();
      });
      return new Promise((resolve, reject) => {
        withSteps(texts, work).subscribe({
          next: () => source.arrived++,
          error: reject,
          complete: () => resolve(source.measured()),
        });
      });
    },
  };
}

function withSteps(texts: Observable<string>, { step }: TextWork): Observable<unknown> {
  switch (step) {
    case 'nothing':
      return texts;
    case 'pass on':
      return texts.pipe(map((text) => text));
    case 'count words': {
      const counts = new WordCounts();
      return texts.pipe(
        concatMap((text) => text.split(' ')),
        map((word) => [word, counts.add(word)] as const),
      );
    }
  }
}
