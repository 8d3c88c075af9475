// The banner that says that the server is unreachable, or back again.

import { text } from "../languages/language.js";

/** Milliseconds until a banner that asks for nothing disappears. */
const DURATION = 3000;

const byId = (id) => document.getElementById(id);

export class ConnectionBanner {
  #timer = null;

  /** @param {import("./connection.js").Connection} connection */
  constructor(connection) {
    byId("try-now").addEventListener("click", () => connection.retryNow());
  }

  /** Shows that nothing can be guessed until the server is back. */
  showLost() {
    this.#show(text("server_lost"), "lost");
  }

  /** Shows that the device guesses in place of the server. */
  showOnDevice() {
    this.#show(text("server_lost_on_device"), "on-device");
  }

  showRestored() {
    this.#show(text("server_restored"), "restored");
  }

  #show(message, state) {
    clearTimeout(this.#timer);
    byId("banner").hidden = false;
    byId("banner").dataset.state = state;
    byId("banner-text").textContent = message;
    byId("try-now").hidden = state !== "lost";
    if (state === "lost") return;
    this.#timer = setTimeout(() => {
      byId("banner").hidden = true;
    }, DURATION);
  }
}
