// Chooses who guesses: the server, or this device; and looks for a server that is gone.

import { createServerGuesser } from "./guesser.js";
import { Away, Busy, SITE, ask } from "./server.js";

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15000;
/** Milliseconds between two looks for the server; each wait doubles the one before. */

export class Brain extends EventTarget {
  #server = createServerGuesser();
  #local = null;
  #looking = null;
  #wait = FIRST_WAIT;
  #timer = null;

  /** Whether this device is to guess even if the server is there. */
  onDevice = false;

  /**
   * Dispatches `away` when the server is lost, `back` when it is there again.
   */
  constructor() {
    super();
    window.addEventListener("online", () => this.lookNow());
  }

  /** Whether the server is out of reach. */
  get away() {
    return this.#looking !== null;
  }

  /** Whether somebody can guess just now. */
  get able() {
    return !this.away || this.#local !== null;
  }

  /** Whether this device guesses just now. */
  get local() {
    return this.#local !== null && (this.onDevice || this.away);
  }

  /**
   * Loads the guesser of this device.
   * @throws {Error} there is none, or it does not work here
   */
  async loadLocal() {
    if (this.#local) return;
    const { createLocalGuesser } = await import("./offline/local_guesser.js");
    this.#local = await createLocalGuesser(new URL("web/", SITE));
  }

  /**
   * Guesses what a drawing shows.
   * @throws {Away|Busy|Refused} see server.js
   */
  async guess(drawing, topK) {
    if (this.local) return this.#local.guess(drawing, topK);
    if (this.away) throw new Away("the server is being looked for");
    return this.reach(async () => (await this.#server).guess(drawing, topK)).catch(
      (error) => {
        if (!this.local) throw error;
        return this.#local.guess(drawing, topK);
      },
    );
  }

  /** Does what needs the server; where that is away, it is looked for. */
  async reach(request) {
    try {
      return await request();
    } catch (error) {
      if (error instanceof Away) this.#lost();
      throw error;
    }
  }

  /** Does what needs the server as soon as that is there. */
  async reachAtLast(request) {
    for (;;) {
      try {
        return await this.reach(request);
      } catch (error) {
        if (error instanceof Busy) await sleep(1000 * error.seconds);
        else if (error instanceof Away) await this.#looking;
        else throw error;
      }
    }
  }

  /** Looks for the server without waiting any longer. */
  lookNow() {
    this.#wait = FIRST_WAIT;
    this.#timer?.skip();
  }

  #lost() {
    if (this.away) return;
    this.#wait = FIRST_WAIT;
    this.#looking = this.#look().then(() => {
      this.#looking = null;
      this.dispatchEvent(new Event("back"));
    });
    this.dispatchEvent(new Event("away"));
  }

  async #look() {
    for (;;) {
      this.#timer = sleep(this.#wait);
      this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT);
      await this.#timer;
      try {
        await ask("readyz");
        return;
      } catch (error) {
        if (!(error instanceof Away)) return; // it is there, if not well
      }
    }
  }
}

/** A promise of so many milliseconds; its `skip` ends it at once. */
function sleep(milliseconds) {
  let skip;
  const slept = new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    skip = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  return Object.assign(slept, { skip });
}
