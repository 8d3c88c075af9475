// Options of a game in the address of the page, such as
// `?rounds=3&seconds=30&words=cat,owl`; the page /words makes such links.

import { WordMatcher } from "../words/word_matcher.js";

export const DEFAULT_ROUNDS = 6;
export const MAX_ROUNDS = 12;
const DEFAULT_SECONDS = 20;

/**
 * @typedef {object} GameOptions
 * @property {number} rounds
 * @property {number} seconds of each round
 * @property {string[]} words classes to draw first
 * @property {{text: string, suggestions: string[]}[]} unknownWords
 *   words of the address that the model does not know
 */

/**
 * @param {string} search the query of the address
 * @param {string[]} classNames
 * @returns {GameOptions}
 */
export function readGameOptions(search, classNames) {
  const parameters = new URLSearchParams(search);
  const matcher = new WordMatcher(classNames);
  const words = [];
  const unknownWords = [];
  for (const part of (parameters.get("words") ?? "").split(",")) {
    if (!part.trim()) continue;
    const word = matcher.match(part);
    if (word) words.push(word);
    else unknownWords.push({ text: part.trim(), suggestions: matcher.suggest(part) });
  }
  const rounds = words.length ? Math.min(words.length, MAX_ROUNDS) : DEFAULT_ROUNDS;
  return {
    rounds: readInteger(parameters.get("rounds"), 1, MAX_ROUNDS, rounds),
    seconds: readInteger(parameters.get("seconds"), 5, 300, DEFAULT_SECONDS),
    words,
    unknownWords,
  };
}

function readInteger(text, min, max, fallback) {
  const value = Number.parseInt(text ?? "", 10);
  return Number.isNaN(value) ? fallback : Math.min(max, Math.max(min, value));
}
