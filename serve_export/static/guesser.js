// Who guesses: the server. `offline/local_guesser.js` is another of the same form.

import { SITE, askJson } from "./server.js";

/** @typedef {{word: string, probability: number}} Guess */
/** @typedef {{guess: (drawing: number[][][], topK: number) => Promise<Guess[]>}} Guesser */

/**
 * Makes a guesser that asks `POST v1/predict` below a URL.
 * @returns {Promise<Guesser>} its drawings are raw: [[xs, ys], …] in any pixels
 */
export async function createServerGuesser(baseUrl = SITE) {
  return {
    async guess(drawing, topK) {
      const body = { drawing, top_k: topK };
      return (await askJson("v1/predict", { body, base: baseUrl })).guesses;
    },
  };
}
