// Tracks whether the server can be reached, and polls for it after a failure.

import { RequestRejected, ServerBusy, ServerUnreachable, request } from "./requests.js";

/** Milliseconds before the first poll; each later wait is twice as long. */
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15_000;

export class Connection extends EventTarget {
  #restored = null;
  #wait = FIRST_WAIT;
  #pause = null;

  /** Dispatches `lost` and `restored`. */
  constructor() {
    super();
    window.addEventListener("online", () => this.retryNow());
  }

  get isLost() {
    return this.#restored !== null;
  }

  /** Runs `send`; starts polling if the server turns out to be unreachable. */
  async run(send) {
    try {
      return await send();
    } catch (error) {
      if (error instanceof ServerUnreachable) this.#markLost();
      throw error;
    }
  }

  /** Runs `send`, again and again until the server has responded. */
  async runUntilReached(send) {
    for (;;) {
      try {
        return await this.run(send);
      } catch (error) {
        if (error instanceof ServerBusy) await sleep(1000 * error.seconds);
        else if (error instanceof ServerUnreachable) await this.#restored;
        else throw error;
      }
    }
  }

  /** Polls at once if the connection is lost. */
  retryNow() {
    this.#wait = FIRST_WAIT;
    this.#pause?.skip();
  }

  #markLost() {
    if (this.isLost) return;
    this.#wait = FIRST_WAIT;
    this.#restored = this.#poll().then(() => {
      this.#restored = null;
      this.dispatchEvent(new Event("restored"));
    });
    this.dispatchEvent(new Event("lost"));
  }

  async #poll() {
    for (;;) {
      this.#pause = sleep(this.#wait);
      this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT);
      await this.#pause;
      try {
        await request("readyz");
        return;
      } catch (error) {
        // Any response, even an error, proves that the server is running.
        if (error instanceof RequestRejected || error instanceof ServerBusy) return;
      }
    }
  }
}

/** Returns a promise that resolves after a delay; its `skip` resolves it at once. */
function sleep(milliseconds) {
  let skip;
  const promise = new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    skip = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  return Object.assign(promise, { skip });
}
