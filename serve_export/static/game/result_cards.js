// The results of rounds as cards: the drawing, its word, and what the bot saw.

import { renderDrawing } from "../drawing/render.js";
import { text, wordName, wordValues } from "../languages/language.js";

const MARGIN = 12;
const PEN_WIDTH = 3;

/**
 * Fills a list with a card for each result, and with empty cards up to `count`.
 * @param {HTMLOListElement} list
 * @param {import("./rounds.js").RoundResult[]} results
 */
export function showResultCards(list, results, count = results.length) {
  const empty = Array.from({ length: count - results.length }, createEmptyCard);
  list.replaceChildren(...results.map(createCard), ...empty);
  renderResultCards(list, results);
}

/** Renders the drawings; the cards must be visible and have their size. */
export function renderResultCards(list, results) {
  const ratio = window.devicePixelRatio || 1;
  results.forEach(({ drawing }, i) => {
    const canvas = list.children[i].querySelector("canvas");
    const { clientWidth: width, clientHeight: height } = canvas;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const room = { width: width - 2 * MARGIN, height: height - 2 * MARGIN };
    if (room.width <= 0 || room.height <= 0) return;
    const box = { left: MARGIN, top: MARGIN, ...room };
    renderDrawing(context, drawing, box, getComputedStyle(canvas).color, PEN_WIDTH);
  });
}

function createCard({ word, isWon, points, guesses }) {
  const card = document.createElement("li");
  card.className = isWon ? "result-card won" : "result-card";
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", text("your_drawing_of", wordValues(word)));
  const caption = document.createElement("p");
  caption.className = "result-card-text";
  const title = document.createElement("b");
  const score = document.createElement("span");
  score.textContent = points;
  title.append(wordName(word), " ", score);
  const saw = document.createElement("small");
  const guess = guesses[0]?.word;
  saw.textContent = guess ? text("i_saw", wordValues(guess)) : text("i_saw_nothing");
  caption.append(title, " ", saw);
  card.append(canvas, caption);
  return card;
}

function createEmptyCard() {
  const card = document.createElement("li");
  card.className = "result-card empty";
  card.setAttribute("aria-hidden", "true");
  return card;
}
