// What the game looks like: cards, the crayon, rewards.

import { drawInto } from "./ink.js";
import { ask } from "./server.js";
import { named } from "./talk.js";

const PIECES = 40;
const COLOURS = ["#ff7f5c", "#ffc83d", "#6fd6ae", "#86c8ff", "#ffb3bd"];
const SHORT = 5;
/** Seconds left from which the crayon is red. */

const byId = (id) => document.getElementById(id);

export class GameScreens {
  #brain;
  #examples = new Map();
  #pictures = [];

  constructor(brain) {
    this.#brain = brain;
    byId("peek").addEventListener("click", () => this.#peek(byId("paper-peek").hidden));
  }

  /** Calls what belongs to a button when that is pressed. */
  on({ start, otherWord, go, skip, next, again }) {
    const buttons = { start, "other-word": otherWord, go, skip, next, again };
    for (const [id, then] of Object.entries(buttons)) {
      byId(id).addEventListener("click", then);
    }
    byId("start").disabled = true;
  }

  ready({ rounds, seconds }) {
    byId("start").disabled = false;
    const drawings =
      rounds === 1
        ? `One drawing, ${seconds} seconds`
        : `${inWords(rounds)} drawings, ${seconds} seconds each`;
    byId("intro").querySelector("h2").textContent = drawings;
  }

  /** Shows a screen, and puts the keyboard where it goes on. */
  show(screen) {
    document.body.dataset.screen = screen;
    byId("stamp").hidden = true;
    this.#peek(false);
    const first = { intro: "start", card: "go", result: "next", end: "end-title" }[screen];
    if (first) byId(first).focus({ preventScroll: true });
  }

  showBest(best) {
    byId("best").textContent = best ? `Your best so far: ${best} points` : "";
  }

  showCard(number, { rounds, seconds }, word, classes) {
    byId("card-number").textContent = `Drawing ${number} of ${rounds}`;
    byId("round-number").textContent = `${number}/${rounds}`;
    byId("round-word").textContent = "Ready?";
    this.showTime(seconds, seconds);
    byId("card-word").textContent = named(word);
    const has = classes.some((each) => each.word === word && each.example);
    byId("card-example").hidden = byId("peek").hidden = !has;
    for (const url of this.#pictures.splice(0)) URL.revokeObjectURL(url);
    for (const id of ["example-picture", "peek-picture"]) byId(id).removeAttribute("src");
    if (has) this.#showExample(word);
  }

  showRound(word) {
    byId("round-word").textContent = `Draw ${named(word)}`;
  }

  showTime(left, seconds) {
    byId("timer-left").style.setProperty("--left", left / seconds);
    byId("timer-seconds").textContent = Math.ceil(left);
    byId("timer").classList.toggle("short", left <= SHORT);
  }

  showResult({ title, text }, { won, points }, last) {
    byId("result-title").textContent = title;
    byId("result-text").textContent = text;
    byId("next").textContent = last ? "See them all" : "Next";
    byId("stamp").textContent = `+${points}`;
    byId("stamp").hidden = !points;
    if (won) throwConfetti(byId("confetti"));
  }

  /** Shows the rounds done, and places for those to come. */
  showTray(works, rounds) {
    const done = works.map((work) => showWork(work));
    const empty = Array.from({ length: rounds - works.length }, () => showWork(null));
    byId("tray").replaceChildren(...done, ...empty);
    paint(byId("tray"), works);
  }

  /** Fetches examples before they are needed. */
  prefetch(words, classes) {
    for (const { word, example } of classes) {
      if (example && words.includes(word)) this.#example(word);
    }
  }

  // Examples.

  #example(word) {
    if (!this.#examples.has(word)) {
      const path = `v1/examples/${encodeURIComponent(word)}`;
      const text = this.#brain.reach(async () => (await ask(path)).text());
      this.#examples.set(word, text);
      text.catch(() => this.#examples.delete(word));
    }
    return this.#examples.get(word);
  }

  async #showExample(word) {
    let svg;
    try {
      svg = await this.#example(word);
    } catch {
      byId("card-example").hidden = byId("peek").hidden = true;
      return;
    }
    if (byId("card-word").textContent !== named(word)) return;
    // A URL of its own for each, or it would not be drawn anew.
    for (const id of ["example-picture", "peek-picture"]) {
      const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
      this.#pictures.push(url);
      byId(id).src = url;
      byId(id).alt = `${named(word)}, as somebody drew it`;
    }
  }

  #peek(open) {
    byId("paper-peek").hidden = !open;
    byId("peek").setAttribute("aria-expanded", String(open));
  }
}

function inWords(number) {
  const words = ["No", "One", "Two", "Three", "Four", "Five", "Six"];
  return words[number] ?? String(number);
}

function throwConfetti(box) {
  const pieces = Array.from({ length: PIECES }, (_, i) => {
    const piece = document.createElement("i");
    for (const name of ["x", "slow", "late"]) {
      piece.style.setProperty(`--${name}`, Math.random().toFixed(3));
    }
    piece.style.setProperty("--piece", COLOURS[i % COLOURS.length]);
    return piece;
  });
  box.replaceChildren(...pieces);
  setTimeout(() => box.replaceChildren(), 3600);
}

/** A drawing of the game with its word and what Blot saw; of null, a place for one. */
export function showWork(work) {
  const item = document.createElement("li");
  item.className = work ? "work" : "work empty";
  item.classList.toggle("won", Boolean(work?.won));
  const text = document.createElement("p");
  text.className = "work-text";
  const title = document.createElement("b");
  title.append(work?.word ?? "…");
  const saw = document.createElement("small");
  if (work) {
    title.append(Object.assign(document.createElement("span"), { textContent: work.points }));
    const seen = work.guesses[0]?.word;
    saw.textContent = seen ? `I saw ${named(seen)}` : "I saw nothing";
  }
  text.append(title, saw);
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", work ? `Your drawing of ${named(work.word)}` : "");
  item.append(canvas, text);
  return item;
}

/** Draws the works' pictures, once they stand in the page and have a size. */
export function paint(items, works) {
  const ratio = window.devicePixelRatio || 1;
  works.forEach((work, i) => {
    const canvas = items.children[i].querySelector("canvas");
    const { clientWidth: width, clientHeight: height } = canvas;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const box = { left: 12, top: 12, width: width - 24, height: height - 24 };
    if (box.width <= 0 || box.height <= 0) return;
    drawInto(context, work.drawing, box, getComputedStyle(canvas).color, 3);
  });
}
