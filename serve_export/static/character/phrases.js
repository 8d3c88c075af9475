// What Blot says.

import { joinWords, text, wordPhrase, wordValues } from "../languages/language.js";

/**
 * Probability from which a guess is certain. 98 % of such guesses are right, and 4 % of
 * the drawings of words that the model does not know get one (docs/results.md).
 */
export const CERTAIN = 0.9;

/** Says what the guesses are; the more probable, the more certain it sounds. */
export function tellGuesses(guesses) {
  const [first, second] = guesses;
  // The same word always gets the same variant, so that the bubble does not flicker.
  const variant = first.word.length;
  const values = { ...wordValues(first.word), variant };
  if (first.probability >= CERTAIN) return text("guess_certain", values);
  if (first.probability >= 0.5 || !second) return text("guess_likely", values);
  const key = first.probability >= 0.25 ? "guess_two" : "guess_unsure";
  return text(key, { ...values, other: wordPhrase(second.word) });
}

/**
 * Comments on the result of a round.
 * @returns {{title: string, text: string}}
 */
export function commentRound({ word, isWon, isClose, isSkipped, points, guesses }) {
  if (isWon) {
    const title = text("round_won", wordValues(word));
    return { title, text: text("round_won_points", { points }) };
  }
  const title = text(isSkipped ? "round_skipped" : "round_lost");
  if (!guesses.length) return { title, text: text("round_empty") };
  if (isClose) {
    const words = joinWords(guesses.slice(0, 2).map((guess) => guess.word));
    return { title, text: text("round_close", { words, points }) };
  }
  const values = { ...wordValues(guesses[0].word), points };
  return { title, text: text("round_mistaken", values) };
}

/** Comments on a whole game. */
export function commentGame(won, rounds) {
  if (won === rounds) return text("game_all");
  if (won * 3 >= rounds * 2) return text("game_most", { won, rounds });
  if (won > 0) return text("game_some", { won, rounds });
  return text("game_none");
}
