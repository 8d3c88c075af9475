// The guesses as bars, the likeliest on top. There are always as many rows.

const ROWS = 5;

export class Bars {
  #rows;

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

  /** Shows guesses; none empties the rows. */
  show(guesses) {
    this.#rows.forEach(({ row, word, percent }, i) => {
      const guess = guesses[i];
      word.textContent = guess?.word ?? "";
      percent.textContent = guess ? `${Math.round(100 * guess.probability)} %` : "";
      row.style.setProperty("--share", guess?.probability ?? 0);
    });
  }
}
