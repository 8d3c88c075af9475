// Confetti over the paper, after a round that was won.

const PIECES = 40;
const COLORS = ["#ff7f5c", "#ffc83d", "#6fd6ae", "#86c8ff", "#ffb3bd"];

/** Milliseconds until all pieces have fallen. */
const DURATION = 3600;

/** @param {HTMLElement} area */
export function throwConfetti(area) {
  const pieces = Array.from({ length: PIECES }, (_, i) => {
    const piece = document.createElement("i");
    for (const name of ["--x", "--slowness", "--delay"]) {
      piece.style.setProperty(name, Math.random().toFixed(3));
    }
    piece.style.setProperty("--color", COLORS[i % COLORS.length]);
    return piece;
  });
  area.replaceChildren(...pieces);
  setTimeout(() => area.replaceChildren(), DURATION);
}
