// The guesses as bars, most likely first, in a fixed number of rows.

import { formatPercent, wordName } from "../languages/language.js";

const ROWS = 5;

export class GuessBars {
  #rows;

  /** @param {HTMLOListElement} list */
  constructor(list) {
    this.#rows = Array.from({ length: ROWS }, () => {
      const row = document.createElement("li");
      row.className = "bar";
      const [fill, word, percent] = ["fill", "word", "percent"].map((part) => {
        const span = document.createElement("span");
        span.className = `bar-${part}`;
        return span;
      });
      row.append(fill, word, percent);
      list.append(row);
      return { row, word, percent };
    });
  }

  /** Shows guesses; rows without a guess are empty. */
  show(guesses) {
    this.#rows.forEach(({ row, word, percent }, i) => {
      const guess = guesses[i];
      word.textContent = guess ? wordName(guess.word) : "";
      percent.textContent = guess ? formatPercent(guess.probability) : "";
      row.style.setProperty("--share", guess?.probability ?? 0);
    });
  }
}
