// Guesses while one draws: one question at a time, always about the newest drawing.

import { Away, Busy } from "./server.js";

const INTERVAL = 150;
/** Milliseconds from one question to the next, at least. */

const TOP_K = 5;

export class LiveGuesses {
  #guess;
  #snapshot;
  #told;
  #age = 0; // rises when what was asked no longer matters
  #changed = false;
  #asking = false;
  #next = 0;
  #timer = null;

  /**
   * @param guess see `Brain.guess`
   * @param snapshot gives the strokes to guess
   * @param told is called with the guesses, or with the error there was
   */
  constructor({ guess, snapshot, told }) {
    this.#guess = guess;
    this.#snapshot = snapshot;
    this.#told = told;
  }

  /** The drawing has grown. */
  grown() {
    this.#changed = true;
    this.#plan();
  }

  /** The drawing is another one: what is on its way about the old one is dropped. */
  replaced() {
    this.#age++;
    this.#changed = true;
    this.#plan();
  }

  /** Nothing is to be guessed any more. */
  stop() {
    this.#age++;
    this.#changed = false;
  }

  #plan() {
    if (!this.#changed || this.#asking || this.#timer !== null) return;
    const wait = Math.max(0, this.#next - Date.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#ask();
    }, wait);
  }

  async #ask() {
    const age = this.#age;
    const drawing = this.#snapshot();
    if (!this.#changed || !drawing.length) return;
    this.#changed = false;
    this.#asking = true;
    this.#next = Date.now() + INTERVAL;
    try {
      const guesses = await this.#guess(drawing, TOP_K);
      if (age === this.#age) this.#told(guesses, null);
    } catch (error) {
      this.#trouble(error, age);
    } finally {
      this.#asking = false;
      this.#plan();
    }
  }

  #trouble(error, age) {
    if (error instanceof Busy) this.#next = Date.now() + 1000 * error.seconds;
    if (age !== this.#age) return;
    if (error instanceof Busy) this.#changed = true;
    else if (!(error instanceof Away)) this.#told([], error);
  }
}
