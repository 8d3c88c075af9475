// A countdown that can be paused.

/** Milliseconds between two ticks. */
const INTERVAL = 100;

export class Countdown {
  #remaining = 0; // seconds, at `#resumedAt`
  #resumedAt = 0;
  #timer = null;
  #onTick;
  #onEnd;

  /**
   * @param onTick is called with the seconds left
   * @param onEnd is called when no time is left
   */
  constructor(onTick, onEnd) {
    this.#onTick = onTick;
    this.#onEnd = onEnd;
  }

  /** Seconds left. */
  get remaining() {
    const elapsed = this.#timer === null ? 0 : (Date.now() - this.#resumedAt) / 1000;
    return Math.max(0, this.#remaining - elapsed);
  }

  start(seconds) {
    this.stop();
    this.#remaining = seconds;
    this.resume();
  }

  resume() {
    if (this.#timer !== null || this.#remaining <= 0) return;
    this.#resumedAt = Date.now();
    this.#timer = setInterval(() => this.#tick(), INTERVAL);
    this.#tick();
  }

  pause() {
    this.#remaining = this.remaining;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  stop() {
    this.pause();
    this.#remaining = 0;
  }

  #tick() {
    const { remaining } = this;
    this.#onTick(remaining);
    if (remaining > 0 || this.#timer === null) return;
    this.stop();
    this.#onEnd();
  }
}
