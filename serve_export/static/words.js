// Which words a game asks for, and what its address may say about it.

export const ROUNDS = 6;
export const SECONDS = 20;

const NOT_FOR_CHILDREN = new Set(["cannon", "rifle", "wine bottle", "wine glass"]);

const UNKNOWN = 0.5;
/** How well a word is taken to be known where the export was not told. */

/**
 * @typedef {{word: string, top1: number?, example: boolean}} KnownClass
 * as `GET v1/classes` tells; top1 is the share of test drawings guessed at once
 */

/**
 * Chooses words at random, the better known ones more often, each once if there are
 * enough. A random number to the power of 1/weight, largest first, is a draw by weight
 * (https://doi.org/10.1016/j.ipl.2005.11.003).
 * @param {KnownClass[]} classes
 * @param {number} count
 * @param {Set<string>} recent words of late, which come only if there are no others
 */
export function chooseWords(classes, count, recent = new Set(), random = Math.random) {
  const keys = new Map(
    classes.map(({ word, top1 }) => {
      const known = Math.max(top1 ?? UNKNOWN, 0.01) ** 4;
      const later = recent.has(word) || NOT_FOR_CHILDREN.has(word);
      return [word, random() ** (1 / known) - (later ? 1 : 0)];
    }),
  );
  const drawn = [...keys.keys()].sort((a, b) => keys.get(b) - keys.get(a));
  return Array.from({ length: count }, (_, i) => drawn[i % drawn.length]);
}

/**
 * What the page's address asks for: `?rounds=3&seconds=30&words=cat,owl`, say for a
 * classroom. Words that the model does not know are passed over.
 * @returns {{rounds: number, seconds: number, words: string[]}}
 */
export function readAddress(search, classes) {
  const parameters = new URLSearchParams(search);
  const known = new Set(classes.map(({ word }) => word));
  const words = (parameters.get("words") ?? "")
    .split(",")
    .map((word) => word.trim())
    .filter((word) => known.has(word));
  const within = (name, least, most, usual) => {
    const value = Number.parseInt(parameters.get(name) ?? "", 10);
    return Number.isNaN(value) ? usual : Math.min(most, Math.max(least, value));
  };
  return {
    rounds: within("rounds", 1, 12, words.length ? Math.min(words.length, 12) : ROUNDS),
    seconds: within("seconds", 5, 300, SECONDS),
    words,
  };
}
