// The screens of the game: introduction, word card, round, result.

import { text, wordName, wordValues } from "../languages/language.js";
import { throwConfetti } from "./confetti.js";
import { showResultCards } from "./result_cards.js";

/** Seconds left from which the timer is red. */
const TIME_IS_SHORT = 5;

/** Most example drawings that are shown after a round that was not won. */
const MAX_EXAMPLES = 6;

/** The element of each screen that receives the focus. */
const FOCUS = { card: "go", result: "next", end: "end-title" };

const byId = (id) => document.getElementById(id);

export class GameScreens {
  #examples;

  /** @param {import("./example_drawings.js").ExampleDrawings} examples */
  constructor(examples) {
    this.#examples = examples;
    byId("show-example").addEventListener("click", () => {
      this.#showPaperExample(byId("paper-example").hidden);
    });
  }

  /** Sets what the buttons do. */
  connect({ resume, start, changeWord, go, skip, next }) {
    const actions = { continue: resume, start, again: start, go, skip, next };
    for (const [id, action] of Object.entries({
      ...actions,
      "other-word": changeWord,
    })) {
      byId(id).addEventListener("click", action);
    }
  }

  /** Enables the introduction once the classes are known. */
  setReady({ rounds, seconds, unknownWords }) {
    for (const id of ["continue", "start", "again"]) byId(id).disabled = false;
    byId("intro-title").textContent = text("intro_title", { count: rounds, seconds });
    const items = unknownWords.map(({ text: word, suggestions }) => {
      const item = document.createElement("li");
      const names = suggestions.map(wordName).join(", ");
      const key = names ? "unknown_word_suggestion" : "unknown_word";
      item.textContent = text(key, { word, names });
      return item;
    });
    byId("unknown-words").replaceChildren(...items);
    if (document.body.dataset.screen === "intro") this.#focusIntro();
  }

  /** Shows a screen and moves the focus to its first control. */
  show(screen) {
    document.body.dataset.screen = screen;
    byId("stamp").hidden = true;
    byId("other-drawings").hidden = true;
    this.#showPaperExample(false);
    if (screen === "intro") this.#focusIntro();
    else if (FOCUS[screen]) byId(FOCUS[screen]).focus({ preventScroll: true });
  }

  /** Fills the introduction; `saved` is a game that can be continued, or null. */
  showIntro(best, saved) {
    byId("best").textContent = best ? text("best_so_far", { points: best }) : "";
    byId("continue").hidden = !saved;
    byId("start").textContent = text(saved ? "new_game" : "start");
    byId("start").classList.toggle("quiet", Boolean(saved));
    byId("intro-text").textContent = saved
      ? text("game_waits", { number: saved.results.length + 1, rounds: saved.rounds })
      : text("intro_text");
    this.show("intro");
  }

  showCard({ word, number, rounds, seconds, isStillLearning }) {
    this.show("card");
    byId("card-number").textContent = text("drawing_number", { number, rounds });
    byId("card-word").textContent = text("draw_word", wordValues(word));
    byId("still-learning").hidden = !isStillLearning;
    this.#showStatus(text("ready"), number, rounds);
    this.showTime(seconds, seconds);
    this.#showExamplesOfCard(word);
  }

  showRound({ word, number, rounds }) {
    this.show("round");
    this.#showStatus(text("draw_word", wordValues(word)), number, rounds);
  }

  showTime(remaining, seconds) {
    byId("timer-left").style.setProperty("--left", remaining / seconds);
    byId("timer-seconds").textContent = Math.ceil(remaining);
    byId("timer").classList.toggle("short", remaining <= TIME_IS_SHORT);
  }

  /** Shows a result with its comment, and after a failure other people's drawings. */
  showResult(comment, { word, isWon, points }, isLast) {
    this.show("result");
    byId("result-title").textContent = comment.title;
    byId("result-text").textContent = comment.text;
    byId("next").textContent = text(isLast ? "see_all" : "next");
    byId("stamp").textContent = `+${points}`;
    byId("stamp").hidden = !points;
    if (isWon) throwConfetti(byId("confetti"));
    else this.#showOtherDrawings(word);
  }

  /** Shows the results so far, and empty cards for the rounds to come. */
  showTray(results, rounds) {
    showResultCards(byId("tray"), results, rounds);
  }

  #focusIntro() {
    byId(byId("continue").hidden ? "start" : "continue").focus({ preventScroll: true });
  }

  #showStatus(message, number, rounds) {
    byId("round-number").textContent = `${number}/${rounds}`;
    byId("round-word").textContent = message;
  }

  #showPaperExample(isShown) {
    byId("paper-example").hidden = !isShown;
    byId("show-example").setAttribute("aria-expanded", String(isShown));
  }

  // Example drawings.

  async #showExamplesOfCard(word) {
    const hasExample = this.#examples.count(word) > 0;
    byId("card-example").hidden = byId("show-example").hidden = !hasExample;
    if (!hasExample) return;
    const images = [byId("card-example"), byId("paper-example")].map((figure) => {
      // A new element, so that a late response for the last word cannot fill it.
      const image = createImage(word);
      figure.querySelector("img").replaceWith(image);
      return image;
    });
    const shown = await Promise.all(
      images.map((image) => this.#examples.show(word, 0, image)),
    );
    if (shown.includes(false) && images[0].isConnected) {
      byId("card-example").hidden = byId("show-example").hidden = true;
    }
  }

  #showOtherDrawings(word) {
    const count = Math.min(this.#examples.count(word), MAX_EXAMPLES);
    const items = Array.from({ length: count }, (_, index) => {
      const item = document.createElement("li");
      const image = createImage(word);
      item.append(image);
      this.#examples.show(word, index, image).then((isShown) => {
        if (!isShown) item.remove();
      });
      return item;
    });
    byId("other-drawings-list").replaceChildren(...items);
    byId("other-drawings").hidden = !count;
  }
}

function createImage(word) {
  const image = document.createElement("img");
  image.alt = text("example_of", wordValues(word));
  return image;
}
