// Requests guesses while a visitor draws: one request at a time, always for the
// newest state of the drawing.

import { ServerBusy, ServerUnreachable } from "../server/requests.js";

/** Shortest time between the starts of two requests, in milliseconds. */
const INTERVAL = 150;

const TOP_K = 5;

export class LiveGuesses {
  #guess;
  #getStrokes;
  #onGuesses;
  #onError;
  #generation = 0; // increases when pending responses become obsolete
  #hasChanged = false;
  #isPending = false;
  #earliest = 0;
  #timer = null;

  /**
   * @param {object} options
   * @param options.guess see `GuessSource.guess`
   * @param options.getStrokes returns the strokes to guess
   * @param options.onGuesses is called with the guesses
   * @param options.onError is called when the drawing was rejected
   */
  constructor({ guess, getStrokes, onGuesses, onError }) {
    this.#guess = guess;
    this.#getStrokes = getStrokes;
    this.#onGuesses = onGuesses;
    this.#onError = onError;
  }

  /** Requests guesses because the drawing has grown. */
  update() {
    this.#hasChanged = true;
    this.#schedule();
  }

  /** Requests guesses for another drawing; pending responses are discarded. */
  restart() {
    this.#generation++;
    this.update();
  }

  /** Discards pending responses and sends no further request. */
  stop() {
    this.#generation++;
    this.#hasChanged = false;
  }

  #schedule() {
    if (!this.#hasChanged || this.#isPending || this.#timer !== null) return;
    const wait = Math.max(0, this.#earliest - Date.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#send();
    }, wait);
  }

  async #send() {
    const generation = this.#generation;
    const strokes = this.#getStrokes();
    if (!this.#hasChanged || !strokes.length) return;
    this.#hasChanged = false;
    this.#isPending = true;
    this.#earliest = Date.now() + INTERVAL;
    try {
      const guesses = await this.#guess(strokes, TOP_K);
      if (generation === this.#generation) this.#onGuesses(guesses);
    } catch (error) {
      this.#handleError(error, generation === this.#generation);
    } finally {
      this.#isPending = false;
      this.#schedule();
    }
  }

  #handleError(error, isCurrent) {
    if (error instanceof ServerBusy) {
      this.#earliest = Date.now() + 1000 * error.seconds;
      if (isCurrent) this.#hasChanged = true;
    } else if (isCurrent && !(error instanceof ServerUnreachable)) {
      this.#onError(error);
    }
  }
}
