// Chooses the words of a game.

/** Words that are never asked for unless the address names them. */
const NOT_FOR_CHILDREN = new Set(["cannon", "rifle", "wine bottle", "wine glass"]);

/** Accuracy that is assumed for a word without a measured one. */
const DEFAULT_TOP1 = 0.5;

/** Accuracy below which the bot admits that it is still learning a word. */
const STILL_LEARNING = 0.6;

/**
 * @typedef {object} KnownClass a class as `GET v1/classes` returns it
 * @property {string} word
 * @property {?number} top1 share of test drawings whose first guess was correct
 * @property {boolean} example whether the server has example drawings
 */

/**
 * Chooses words at random, well known ones more often, each once if there are enough.
 *
 * Sorting by random ** (1 / weight) samples without replacement by weight (Efraimidis
 * and Spirakis, https://doi.org/10.1016/j.ipl.2005.11.003).
 * @param {KnownClass[]} classes
 * @param {number} count
 * @param {Set<string>} recent words to choose only if no others are left
 */
export function chooseWords(classes, count, recent = new Set(), random = Math.random) {
  const keys = new Map(
    classes.map(({ word, top1 }) => {
      const weight = Math.max(top1 ?? DEFAULT_TOP1, 0.01) ** 4;
      const isLastChoice = recent.has(word) || NOT_FOR_CHILDREN.has(word);
      return [word, random() ** (1 / weight) - (isLastChoice ? 1 : 0)];
    }),
  );
  const sorted = [...keys.keys()].sort((a, b) => keys.get(b) - keys.get(a));
  return Array.from({ length: count }, (_, i) => sorted[i % sorted.length]);
}

/** Whether the model often fails to recognize a word. */
export function isStillLearning(knownClass) {
  return (knownClass?.top1 ?? 1) < STILL_LEARNING;
}
