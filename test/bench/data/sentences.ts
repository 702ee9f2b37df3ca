// The five sentences of Storm's own word count example, which others benchmark with too.

export const SENTENCES: readonly string[] = [
  'the cow jumped over the moon',
  'an apple a day keeps the doctor away',
  'four score and seven years ago',
  'snow white and the seven dwarfs',
  'i am at two with nature',
];
