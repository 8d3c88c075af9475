// Seconds that run out, but not while nobody can look or guess.

const TICK = 100;
/** Milliseconds. */

export class Countdown {
  #left = 0;
  #since = 0;
  #timer = null;
  #tick;
  #done;

  /**
   * @param tick is called with the seconds left
   * @param done is called when there are none
   */
  constructor(tick, done) {
    this.#tick = tick;
    this.#done = done;
  }

  /** Seconds. */
  get left() {
    const running = this.#timer === null ? 0 : (Date.now() - this.#since) / 1000;
    return Math.max(0, this.#left - running);
  }

  start(seconds) {
    this.stop();
    this.#left = seconds;
    this.resume();
  }

  resume() {
    if (this.#timer !== null || this.#left <= 0) return;
    this.#since = Date.now();
    this.#timer = setInterval(() => this.#look(), TICK);
    this.#look();
  }

  pause() {
    this.#left = this.left;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  stop() {
    this.pause();
    this.#left = 0;
  }

  #look() {
    const left = this.left;
    this.#tick(left);
    if (left > 0) return;
    this.stop();
    this.#done();
  }
}
